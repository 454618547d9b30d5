"""Ctrl-C and SIGTERM at any moment leave the best policy so far, and the same command goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from automorph.cli import main
from automorph.policies import load_policy
from automorph.searchers.base import Standing
from automorph.searchers.interrupted import STATE
from automorph.searchers.outlook import outlook_of

PROGRAM = Path(__file__).with_name("stopped_searches.py")
WORDS = ["search", "digits", "--limit", "60", "--model", "cnn:4", "--epochs", "1", "--method",
         "random", "--trials", "3", "--engine", "local"]  # fmt: skip
FINAL = 5
"""The first progress report of the final table: one when it begins, one for each trial."""


def stopped(folder: Path, at: int, number: signal.Signals) -> tuple[int, str]:
    """Run the search until a progress report, send a signal, and return its exit and words."""
    words = [sys.executable, str(PROGRAM), str(at), *WORDS, "--out", str(folder)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n", process.stderr.read()
        process.send_signal(number)
        _, shown = process.communicate(timeout=60)
    return process.returncode, " ".join(shown.split())


def result_in(folder: Path) -> tuple:
    kept = json.loads((folder / "search.json").read_text("utf-8"))
    rows = [kept["row"], *kept["baselines"]]
    return kept["found"], kept["verdict"], [row["accuracy"]["values"] for row in rows]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("straight")
    main([*WORDS, "--quiet", "--out", str(folder)])
    return result_in(folder)


@pytest.mark.parametrize(
    ("at", "number"),
    [(1, signal.SIGINT), (3, signal.SIGTERM), (FINAL + 1, signal.SIGTERM)],
    ids=["at the beginning", "in the search", "in the final table"],
)
def test_a_signal_leaves_the_best_policy_so_far(
    at: int, number: signal.Signals, straight: tuple, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    status, shown = stopped(folder, at, number)
    assert status == 1
    assert "(the best so far, not tested on the test part)" in shown
    assert f"To go on: automorph {' '.join(WORDS)}" in shown
    assert "Traceback" not in shown

    kept = json.loads((folder / "policy.json").read_text("utf-8"))["provenance"]
    assert kept["state"] == STATE == "interrupted: not tested on the test part"
    assert kept["trials"] == min(3, at - 1)
    assert kept["final_trainings"] == max(0, at - FINAL + 1)
    assert load_policy(str(folder / "policy.json"))
    if at > FINAL:
        assert kept["trained_with"] == straight[0]

    main([*WORDS, "--quiet", "--out", str(folder)])
    assert result_in(folder) == straight
    assert STATE not in (folder / "policy.json").read_text("utf-8")


def test_a_finished_search_keeps_its_policy(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    main([*WORDS, "--quiet", "--seeds", "1", "--out", str(folder)])
    before = (folder / "policy.json").read_bytes()
    words = [sys.executable, str(PROGRAM), "1", *WORDS, "--seeds", "1", "--out", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert (folder / "policy.json").read_bytes() == before


def test_the_outlook_says_how_sure_it_is_and_what_may_still_win() -> None:
    names = ["flip", "crop", "none", "cutout(4)"]
    flip, crop, none, cutout = (load_policy(name) for name in names)
    close = [Standing(flip, 0.9, 0.0), Standing(crop, 0.89, 0.02), Standing(none, 0.5, 0.02)]
    assert str(outlook_of(flip, close)) == "now flip, 69 % sure; more time may still bring crop"
    assert (
        str(outlook_of(flip, close[::2])) == "now flip, 99 % sure; more time will hardly change it"
    )
    assert str(outlook_of(flip, [])) == "now flip, a guess: nothing is compared yet"
    unknown = [*close, Standing(cutout, 0.3, float("inf"))]
    assert outlook_of(flip, unknown).sure == 0.5
