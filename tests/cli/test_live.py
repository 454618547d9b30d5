"""The live display of running commands."""

import io

import pytest
from rich.console import Console

from automorph.cli import main, progress
from automorph.errors import UsageError
from automorph.searchers import Outlook
from automorph.searchers.runner import Finished, SearchProgress

QUICK = ["--model", "cnn:8", "--epochs", "2", "--limit", "60", "--quiet"]


def test_a_search_shows_the_best_so_far():
    shown = progress.Dashboard(quiet=False)
    for number, (name, score) in enumerate([("bad", 0.2), ("good", 0.9), ("lost", None)], 1):
        best = max(0.2, score or 0.0)
        shown.update(
            SearchProgress("search", number, number / 4, best, 70.0, Finished(name, score))
        )
    out = io.StringIO()
    Console(file=out, width=80).print(shown.shown())
    lines = out.getvalue().splitlines()
    assert "3 done, best 20.0 %, 70 s left" in lines[0]
    assert "▁█" in lines[1]
    assert [line.split() for line in lines[3:]] == [["90.0", "good"], ["20.0", "bad"]]


def test_a_search_shows_in_one_line_what_it_would_choose_now():
    shown = progress.Dashboard(quiet=False)
    now = Outlook("flip", 0.83, ("crop", "none"))
    shown.update(SearchProgress("search", 0, 0.0, outlook=Outlook("crop")))
    assert lines_of(shown)[1] == "now crop, a guess: nothing is compared yet"
    shown.update(SearchProgress("search", 3, 0.4, outlook=now))
    assert lines_of(shown)[1] == "now flip, 83 % sure; more time may still bring crop or none"
    shown.update(SearchProgress("final", 4, 0.2, outlook=now))
    assert lines_of(shown)[1] == "the pick is flip; the table tests it"


def lines_of(shown):
    out = io.StringIO()
    Console(file=out, width=80).print(shown.shown())
    return [line.rstrip() for line in out.getvalue().splitlines()]


def scalars(folder):
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="automorph[track]"
    ).EventAccumulator(str(folder / "tensorboard"))
    reader.Reload()
    return {tag: [one.value for one in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
def test_tensorboard_gets_epochs_and_trials(tmp_path):
    pytest.importorskip("tensorboard", reason="automorph[track] is not installed")
    main(["train", "digits", *QUICK, "--out", str(tmp_path / "one"), "--tensorboard"])
    told = scalars(tmp_path / "one")
    assert len(told["loss/train"]) == len(told["accuracy/validation"]) == 2
    main(["search", "digits", "--method", "random", "--trials", "3", "--seeds", "1", *QUICK,
          "--out", str(tmp_path / "two"), "--tensorboard"])  # fmt: skip
    told = scalars(tmp_path / "two")
    assert len(told["search/score"]) == 3
    assert told["search/best"][-1] == pytest.approx(max(told["search/score"]))


def test_without_the_library_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"automorph\[track\]"):
        progress.ScalarLog(tmp_path)
