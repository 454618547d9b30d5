"""Training methods next to policies: in comparisons, on the command line, in the report."""

from __future__ import annotations

import json

import pytest

from automorph.augmenters import as_treatment
from automorph.cli import main
from automorph.experiments import JsonLines, compare

ARMS = ["none", "uncertainty(c=2,s=1,rule=adaptive,n=2) + crop", "views(m=2,policy=crop)"]


@pytest.fixture
def quick(task):
    return task.with_recipe(epochs=2)


def test_methods_are_compared_like_policies(quick, tmp_path):
    arms = [as_treatment(text) for text in ARMS]
    result = compare(quick, arms, seeds=2, folder=tmp_path)
    files = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json*")}
    again = compare(quick, arms, seeds=2, folder=tmp_path, baseline=ARMS[1])

    assert [row.policy for row in result.rows] == ARMS
    assert [row.units["backward"] for row in result.rows] == [400, 400, 800]
    # In two epochs the adaptive rule finds no view too easy, so it scores nothing.
    assert [row.units["forward"] for row in result.rows] == [400, 400, 800]
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json*")} == files
    assert again.baseline == ARMS[1]
    told = again.curves[ARMS[1]]["augmenter"]
    assert [len(seed) for seed in told] == [2, 2]
    assert 0 <= told[0][0]["strength"] <= 1
    assert "augmenter" not in again.curves["none"]


def test_cells_of_different_tails_lie_apart(quick, tmp_path):
    for tail in ("crop(pad=0.1)", "crop(pad=0.2)"):
        compare(quick, [as_treatment(f"views(m=2,policy=none) + {tail}")], seeds=1, folder=tmp_path)

    records = JsonLines(tmp_path / "jobs.jsonl").read()
    assert len({record["key"] for record in records if "key" in record}) == 2


@pytest.mark.slow
def test_processes_side_by_side_give_the_same(quick):
    arms = [as_treatment(text) for text in ARMS]
    one, two = (compare(quick, arms, seeds=1, jobs=jobs) for jobs in (1, 2))

    assert [row.accuracy for row in one.rows] == [row.accuracy for row in two.rows]


def test_the_command_line_takes_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--model", "cnn:4", "--epochs", "2", "--limit", "60", "--json"]
    arms = [word for text in ARMS for word in ("--policy", text)]
    main(["compare", "digits", *arms, *words, "--seeds", "1", "--jobs", "1", "--out", "c"])
    compared = json.loads(capsys.readouterr().out)
    main(["train", "digits", "--policy", ARMS[1], *words, "--out", "t"])
    trained = json.loads(capsys.readouterr().out)

    assert [row["policy"] for row in compared["rows"]] == ARMS
    page = (tmp_path / "c" / "report.html").read_text()
    assert "Operations during training" in page
    kept = json.loads((tmp_path / "t" / "policy.json").read_text())
    assert trained["policy"] == kept["provenance"]["trained_with"] == ARMS[1]
    assert kept["name"] == as_treatment(ARMS[1]).policy.name
    line = json.loads((tmp_path / "t" / "metrics.jsonl").read_text().splitlines()[-1])
    assert set(line["augmenter"]) >= {"operations", "strength", "guard"}
