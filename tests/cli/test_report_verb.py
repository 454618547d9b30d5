"""A page is rebuilt from the files of a run, and several runs are combined on one page."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from automorph.cli import main

QUICK = ["--model", "cnn:8", "--limit", "60"]
TWO = ["compare", "digits", "--policy", "none", "--policy", "flip-crop", "--seeds", "2",
       "--also", "recall:1"]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One run of each quick verb; two comparisons that differ in their epochs."""
    folder = tmp_path_factory.mktemp("runs")
    for name, words in {
        "one": [*TWO, "--epochs", "1", *QUICK],
        "two": [*TWO, "--epochs", "2", *QUICK],
        "trained": ["train", "digits", "--policy", "none", "--epochs", "1", *QUICK],
        "explained": ["explain", "digits", "--space", "autoaugment", "--limit", "60"],
    }.items():
        main([*words, "--out", str(folder / name), "--quiet"])
    return folder


@pytest.fixture
def call(capsys):
    def run_here(*words):
        main([str(word) for word in words])
        return capsys.readouterr().out

    return run_here


@pytest.fixture
def refused(capsys):
    """The output of a command that exits with a given status."""

    def run_here(*words, status):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        assert stop.value.code == status
        return capsys.readouterr().err

    return run_here


@pytest.mark.parametrize("name", ["one", "trained", "explained"])
def test_a_page_is_made_again_to_the_byte(runs, call, name):
    page = runs / name / "report.html"
    before = page.read_bytes()
    page.unlink()
    told = json.loads(call("report", runs / name, "--json"))
    assert Path(told["report"]) == page
    assert page.read_bytes() == before


def test_two_runs_beside_one_another(runs, call, tmp_path):
    out = tmp_path / "both.html"
    call("report", runs / "one", runs / "two", runs / "trained", "--out", out)
    page = out.read_text("utf-8")
    assert "3 runs compared" in page
    assert "Recipe: epochs" in page or "recipe: epochs" in page
    rows = [json.loads((runs / name / "report.json").read_text())["content"]["rows"]
            for name in ("one", "two")]  # fmt: skip
    values = [next(row["accuracy"]["values"] for row in side if row["policy"] == "none")
              for side in rows]  # fmt: skip
    gap = 100 * float(np.subtract(values[1], values[0]).mean())
    assert f"{gap:+.2f}".replace("-", "−") in page


def test_runs_by_another_metric_that_all_measured(runs, call, refused, tmp_path):
    out = tmp_path / "recall.html"
    call("report", runs / "one", runs / "two", "--metric", "recall:1", "--out", out)
    page = out.read_text("utf-8")
    rows = [json.loads((runs / name / "report.json").read_text())["content"]["rows"]
            for name in ("one", "two")]  # fmt: skip
    values = [next(row["also"]["recall of 1"]["value"]["values"] for row in side
                   if row["policy"] == "none") for side in rows]  # fmt: skip
    gap = 100 * float(np.subtract(values[1], values[0]).mean())
    assert "recall of 1 by policy and run" in page.lower()
    assert f"{gap:+.2f}".replace("-", "−") in page
    told = refused("report", runs / "one", runs / "two", "--metric", "recall:2", status=2)
    assert "expected one of its metrics: accuracy, recall of 1" in told
    told = refused("report", runs / "one", runs / "trained", "--metric", "recall:1", status=2)
    assert f"{runs / 'trained'} did not measure recall of 1" in told
    assert "expected several runs" in refused(
        "report", runs / "one", "--metric", "accuracy", status=2
    )


def test_what_cannot_be_compared_is_refused(runs, refused, tmp_path):
    assert "is a run of explain" in refused("report", runs / "one", runs / "explained", status=2)
    assert "has no report.json" in refused("report", tmp_path, status=2)


@pytest.mark.parametrize(
    ("name", "content"),
    [("report.json", b"[]"), ("report.json", b'{"kind": "rm", "content": {}}'),
     ("report.npz", b"nothing")],
)  # fmt: skip
def test_damaged_files_are_told(runs, refused, tmp_path, name, content):
    folder = tmp_path / "run"
    shutil.copytree(runs / "one", folder)
    (folder / name).write_bytes(content)
    assert name in refused("report", folder, status=1)
    assert (folder / "report.html").exists()
