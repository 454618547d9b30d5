"""The results of benchmarks: every cell is a whole line, and damage costs only its own cell."""

import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LOGS = sorted((BENCHMARKS / "results").glob("*.jsonl"))


@pytest.fixture
def cells(monkeypatch, tmp_path):
    """An empty log of cells in a temporary folder, opened anew by every call."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from cells import Cells

    yield lambda: Cells("made", tmp_path)
    for name in ("cells", "record", "trainings", "instant"):
        sys.modules.pop(name, None)


def doubled(number):
    return {"value": 2 * number}


def names(count):
    return {f"cell {number}": (number,) for number in range(count)}


def spoiled(path, place, change):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[place] = change(lines[place])
    path.write_bytes(b"".join(lines))


def test_a_result_has_a_summary_a_log_or_both():
    """A log alone is a benchmark that has begun: its summary is written at its end."""
    files = {path.name for path in (BENCHMARKS / "results").iterdir()}
    summaries = {name for name in files if name.endswith(".json")}
    logs = {name for name in files if name.endswith(".jsonl")}
    assert files == summaries | logs


def test_a_benchmark_that_has_begun_can_go_on(cells):
    """Its cells carry names, so that the same command does only those that are missing."""
    for log in LOGS:
        if not log.with_suffix(".json").exists():
            assert type(cells())(log.stem, log.parent).results


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_line_is_whole(path):
    from automorph.experiments import JsonLines

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        records = JsonLines(path).read()
    assert len(records) == len(path.read_bytes().splitlines())


def test_finished_cells_are_not_done_again(cells):
    cells().run(doubled, names(3))
    done = []
    cells().run(lambda number: done.append(number) or doubled(number), names(5))
    assert done == [3, 4]
    assert cells().results == {f"cell {n}": {"value": 2 * n} for n in range(5)}


@pytest.mark.parametrize(
    ("place", "change"),
    [(4, lambda line: line[:-20]), (2, lambda line: line.replace(b"4", b"5", 1)),
     (2, lambda line: b"\x00" * len(line[:-1]) + b"\n")],
    ids=["torn", "changed", "zeros"],
)  # fmt: skip
def test_a_damaged_line_costs_only_its_cell(cells, tmp_path, place, change, recwarn):
    cells().run(doubled, names(5))
    spoiled(tmp_path / "made.jsonl", place, change)
    assert sorted(cells().results) == [f"cell {n}" for n in range(5) if n != place]
    # A torn last line is what a kill leaves; anything else is reported.
    assert [str(w.message) for w in recwarn if "damaged" in str(w.message)] or place == 4
    done = []
    cells().run(lambda number: done.append(number) or doubled(number), names(5))
    assert done == [place]
    assert cells().results == {f"cell {n}": {"value": 2 * n} for n in range(5)}


def test_two_writers_do_not_damage_the_file(cells, tmp_path):
    def write(turn):
        log = cells()
        for number in range(20):
            log.add(f"cell {number}", {"value": number, "long": "x" * 9000 + str(turn)})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    lines = (tmp_path / "made.jsonl").read_text("utf-8").splitlines()
    assert len([json.loads(line) for line in lines]) == 80
    assert len(cells().results) == 20


def test_results_of_another_process_are_seen(cells):
    mine, other = cells(), cells()
    other.add("cell 0", doubled(0))
    assert mine.kept("cell 0", pytest.fail) == {"value": 0}


@pytest.fixture
def digits(cells, tmp_path):
    """The stored trainings of one benchmark, in a temporary folder."""
    from cells import Cells

    name = "instant-digits"
    (tmp_path / f"{name}.jsonl").write_bytes(
        (BENCHMARKS / "results" / f"{name}.jsonl").read_bytes()
    )
    return lambda: Cells(name, tmp_path)


def test_a_repeated_comparison_finds_its_trainings(digits):
    from instant import RANDAUGMENT, task_of
    from trainings import compared

    policies = ["none", "random", "trivialaugment", *RANDAUGMENT]
    result = compared(digits(), task_of("digits"), policies, seeds=5)
    assert result.trained == 0
    stored = json.loads((BENCHMARKS / "results" / "instant-digits.json").read_text("utf-8"))
    values = {row["policy"]: row["accuracy"]["values"] for row in stored["rows"]}
    for row in result.rows:
        assert list(row.accuracy.values) == values[row.policy]


def test_a_damaged_training_is_the_only_one_that_is_missing(digits):
    from automorph import load_policy
    from automorph.experiments import FullTraining
    from trainings import ComparisonLog

    jobs = [FullTraining(policy=load_policy("trivialaugment"), seed=seed) for seed in range(5)]
    path = digits().log.path
    lines = path.read_bytes().splitlines()
    place = next(
        n for n, line in enumerate(lines) if b"trivialaugment" in line and b"seed3" in line
    )
    spoiled(path, place, lambda line: line.replace(b"0.", b"1.", 1))
    with pytest.warns(UserWarning, match="1 of .* lines are damaged"):
        notes, records = ComparisonLog(digits(), "trainings", jobs).read()
    assert [record["job"]["seed"] for record in records] == [0, 1, 2, 4]
    assert "identity" in notes


def test_a_new_training_is_appended_and_found_again(cells):
    from trainings import compared

    def run():
        return compared(
            cells(), "digits", ["none", "flip"], seeds=1, limit=60, model="cnn:2",
            recipe={"epochs": 1},
        )  # fmt: skip

    first, second = run(), run()
    assert (first.trained, second.trained) == (2, 0)
    assert first.rows == second.rows
