"""Commands that are printed can be pasted into a shell."""

from __future__ import annotations

import json
import shlex

import pytest

from automorph.augmenters import as_treatment
from automorph.cli import main
from automorph.cli.compare import large_shifts
from automorph.cli.progress import Bars
from automorph.cli.run_names import command_words, remember
from automorph.cli.terminal import Terminal
from automorph.policies import load_policy, save_policy

TYPED = [
    "audit", "csv:my photos.csv", "--label", "kind", "--subgroup=a site", "--size", "64",
    "--skip-bad", "--policy", "flip-crop + randaugment(n=2,m=9)", "--epochs", "3",
]  # fmt: skip


def test_the_command_is_the_one_that_was_typed():
    remember(TYPED)
    assert shlex.split(command_words()) == ["automorph", *TYPED]


def test_a_run_keeps_its_command(tmp_path):
    words = ["train", "digits", "--limit", "200", "--epochs", "8", "--policy", "crop + cutout(2)",
             "--out", str(tmp_path / "a run"), "--quiet"]  # fmt: skip
    main(words)
    kept = json.loads((tmp_path / "a run" / "report.json").read_text("utf-8"))["content"]
    assert shlex.split(kept["provenance"]["command"]) == ["automorph", *words]
    (again,) = kept["next"]
    assert shlex.split(again)[:5] == ["automorph", "compare", "digits", "--limit", "200"]


def test_what_comes_next_after_a_policy_from_a_file_can_be_run(tmp_path):
    """The name of a policy found by a search cannot be loaded."""
    file = tmp_path / "my policies" / "found.json"
    file.parent.mkdir()
    save_policy(load_policy("crop"), file)
    out = tmp_path / "run"
    main(["train", "digits", "--limit", "200", "--epochs", "3", "--model", "cnn:4", "--quiet",
          "--policy", str(file), "--out", str(out)])  # fmt: skip
    kept = json.loads((out / "report.json").read_text("utf-8"))["content"]
    words = shlex.split(kept["next"][0])
    assert [words[i + 1] for i, word in enumerate(words) if word == "--policy"] == [
        "none", str(file), "random",
    ]  # fmt: skip


def test_a_bar_ends_with_what_it_shows():
    bars = Bars(quiet=False)
    try:
        with bars:
            move = bars.begin(["a", "b"], 0)
            move("a", 0.5)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert not bars.bar.live.is_started


def test_another_comparison_on_the_same_data_sets_the_one_before_aside(tmp_path, capsys):
    run = ["compare", "digits", "--limit", "60", "--epochs", "1", "--seeds", "1", "--jobs", "1",
           "--out", str(tmp_path)]  # fmt: skip
    main([*run, "--policy", "none"])
    first = (tmp_path / "report.html").read_bytes()
    main([*run, "--policy", "none", "--policy", "cutout(2)"])
    assert f"is now in {tmp_path / 'earlier' / '1'}" in capsys.readouterr().err.replace("\n", "")
    assert (tmp_path / "earlier" / "1" / "report.html").read_bytes() == first
    main(["report", str(tmp_path / "earlier" / "1")])
    main([*run, "--policy", "none", "--policy", "cutout(2)"])
    assert len(list((tmp_path / "earlier").iterdir())) == 1, "the same again changes nothing"


def test_moves_wider_than_half_of_an_image_are_noted():
    names = ("none", "crop", "trivialaugment", "randaugment(n=2,m=9)")
    treatments = [as_treatment(name) for name in names]
    (note,) = large_shifts(treatments, (8, 8, 1))
    assert note.startswith("trivialaugment translates by up to 10 px")
    assert large_shifts(treatments, (32, 32, 3)) == large_shifts(treatments, ()) == []


@pytest.mark.parametrize("markup", [True, False])
def test_brackets_of_names_are_shown_as_they_are(markup):
    assert Terminal().render_str("train[0] [red]x", markup=markup).plain.startswith("train[0] ")
