"""Command-line arguments: errors are reported at once, and shells complete the values."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from automorph.cli import app, main
from automorph.cli.param_types import name_of

LIGHT = """
import sys
from automorph.cli import main
try:
    main(sys.argv[1:])
finally:
    print([heavy for heavy in ("torch", "scipy", "datasets") if heavy in sys.modules])
"""
N = ["--policy", "none"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "phones", ".hidden"):
        (tmp_path / folder).mkdir()
    for file in ("rows.csv", "found.json", "notes.txt"):
        (tmp_path / file).write_text("")
    return tmp_path


def completed(*words, incomplete):
    found = ShellComplete(app, {}, "automorph", "_AUTOMORPH_COMPLETE")
    return [item.value for item in found.get_completions(list(words), incomplete)]


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (["compare", "digits", "--policy", "triv"], "'trivialaugment'"),
        (["train", "digits", "--policy", "no.json"], "no.json"),
        (["preview", "folder:nowhere", *N], "not found"),
        (["search", "csv:no/*.csv"], "nothing found"),
        (["search", "digits", "--then", "nope"], "unknown policy 'nope'"),
        (["search", "digits", "--tail", "nope"], "unknown policy 'nope'"),
        (["patch", "numpy:no.npz"], "no such file"),
        (["explain", "digitz"], "'digits'"),
        (["explain", "digits", "--space", "nope"], "unknown search space"),
        (["train", "csv:rows.csv"], "rows.csv"),
        (["train", "digits", "--protect", "("], "--protect"),
        (["audit", "digits", "--size", "abc"], "--size"),
        (["audit", "digits", "--window", "5,5"], "--window"),
        (["audit", "digits", "--window", "0,inf"], "--window"),
        (["audit", "digits", "--window", "narrow"], "--window"),
        (["audit", "digits", "--checkpoint", "runs/nope"], "runs/nope does not exist"),
        (["compare", "digits", *N, *N], "twice"),
        (["compare", "digits", *N, "--baseline", "crop"], "expected one of none"),
        (["train", "digits", "--out", "rows.csv/run"], "Nothing was done"),
    ],
    ids=" ".join,
)
def test_wrong_words_are_told_before_anything_heavy_is_imported(words, fragment):
    shown = subprocess.run([sys.executable, "-c", LIGHT, *words], capture_output=True, text=True)
    assert shown.returncode == 2
    assert fragment in shown.stderr
    assert shown.stdout.strip() == "[]"


def test_a_folder_that_can_be_made_is_left_to_the_run(place, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "digits", *N, *N, "--out", "a/b/c"])
    assert "twice" in capsys.readouterr().err
    assert not (place / "a").exists()


def test_methods_inside_training_are_known_without_their_room():
    listed = "from automorph.augmenters import METHODS; print(*METHODS, 'torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", f"import sys; {listed}"], capture_output=True)
    assert shown.stdout.split() == [
        b"uncertainty",
        b"adversarial",
        b"views",
        b"augmix-jsd",
        b"tanda-tr",
        b"consistency",
        b"balance",
        b"False",
    ]
    assert name_of("crop + Views(m=2)").startswith("crop + views(m=2")
    assert name_of("crop") == "crop"


def test_sources_are_completed():
    assert completed("compare", incomplete="fo") == ["folder:", "folder:phones", "folder:photos"]
    assert completed("compare", incomplete="folder:phot") == ["folder:photos"]
    assert completed("train", incomplete="csv:ro") == ["csv:rows.csv"]
    assert "digits" in completed("explain", incomplete="dig")
    assert completed("explain", incomplete="hub") == ["hub:"]


def test_policies_are_completed():
    words = ("train", "digits", "--policy")
    assert completed(*words, incomplete="tri") == ["trivialaugment", "trivialaugment-wide"]
    assert completed(*words, incomplete="flip-crop + unc") == ["flip-crop + uncertainty"]
    assert completed(*words, incomplete="fou") == ["found.json"]
    assert completed("search", "digits", "--then", incomplete="unc") == []


def test_a_shell_gets_them():
    environment = {
        "_AUTOMORPH_COMPLETE": "bash_complete", "COMP_CWORD": "2", "COMP_WORDS": "automorph train f"
    }  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-c", "from automorph.cli import main; main([])"],
        capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert "plain,folder:photos" in found.stdout
