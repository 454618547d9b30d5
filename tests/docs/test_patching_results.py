"""Stored results of the patching benchmark: what still stands, and what is measured again."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ALIVE, DEAD = [90, 80, 85, 88], [0, 0, 100, 100]


@pytest.fixture
def patching(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import patching

    return patching


def run_of(right, **facts):
    return {"test": {"groups": {"right": right, "n": [100] * 4}, "robust_accuracy": min(right),
                     "accuracy": 0.8, "gap": {"even": 1.0, "odd": 2.0},
                     "mutual_information": 0.1}, "seconds": 1.0, **facts}  # fmt: skip


def test_changed_methods_and_dead_seeds_have_cells_of_their_own(patching, tmp_path):
    cells = patching.Cells("patching", tmp_path)
    for name in ("gdro", "jtt", "balanced"):
        for seed in (0, 1):
            cells.add(f"{name} seed {seed}", run_of(DEAD if (name, seed) == ("gdro", 1) else ALIVE))
    used = {name: [patching.used_cell(cells, name, seed) for seed in (0, 1)]
            for name in ("gdro", "jtt", "balanced")}  # fmt: skip
    assert used["balanced"] == ["balanced seed 0", "balanced seed 1"]
    assert used["gdro"] == ["gdro seed 0", "gdro seed 1, again"]
    assert used["jtt"] == ["jtt, edition 2 seed 0", "jtt, edition 2 seed 1"]
    # A training that is still dead after its repetition is not tried for ever.
    cells.add("gdro seed 1, again", run_of(DEAD, repeats=True))
    assert patching.used_cell(cells, "gdro", 1) == "gdro seed 1, again"

    before = patching.rows_before(cells, ["gdro", "jtt", "balanced"], 2)
    assert [row["arm"] for row in before] == ["gdro", "jtt"]
    assert before[0]["robust_accuracy"]["values"] == (80, 0)


def test_the_row_of_a_repeated_training_says_so(patching, tmp_path):
    cells = patching.Cells("patching", tmp_path)
    cells.add("gdro seed 0", run_of(ALIVE))
    cells.add("gdro seed 1", run_of(DEAD))
    cells.add("gdro seed 1, again", run_of(ALIVE, repeats=True))
    found = patching.run(cells, ["gdro"], 2, 1, tmp_path, tiny=True)
    (row,) = patching.rows_of(found["cells"])
    assert row["died"] == {1: "it predicted one class only at first"}
    assert row["objective"] == "gdro"
    import method_tables

    shown = method_tables.patching({"name": "patching", "rows": json.loads(json.dumps([row]))})
    assert "| gdro (seed 1 trained twice) |" in shown


def test_figures_of_former_definitions_are_not_shown(patching):
    import patching_arms
    import table_layout

    old = {"arm": "jtt", "robust_accuracy": {"values": [0.9, 0.8]}}
    dead = {"arm": "gdro", "robust_accuracy": {"values": [0.9, 0.0]}}
    good = {"arm": "erm", "robust_accuracy": {"values": [0.9, 0.8]}}
    assert patching_arms.to_measure_again([old, dead, good]) == {
        "jtt": "by its former definition",
        "gdro": "seed 1 predicted one class only",
    }
    claims = [{"text": f"{arm} is ahead of erm", "value": 9.0, "interval": [8, 10], "holds": True}
              for arm in ("jtt", "sgdro")]  # fmt: skip
    shown = table_layout.claims({"name": "patching", "rows": [old, dead, good], "claims": claims})
    assert "| jtt is ahead of erm | to be measured again |" in shown
    assert "| sgdro is ahead of erm | +9 |" in shown
