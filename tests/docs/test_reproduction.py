"""The page of published figures: every claim or arm that a line names exists."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def published(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import published

    return published


def test_every_line_with_a_result_finds_its_figure(published):
    for paper in published.PAPERS:
        for line in paper.lines:
            path = BENCHMARKS / "results" / f"{line.result}.json"
            if line.ours is None or not path.exists():
                continue
            assert line.ours.read(json.loads(path.read_text())), line.what


def test_every_command_exists(published):
    for paper in published.PAPERS:
        for command in paper.commands:
            assert (BENCHMARKS / command.split()[0]).exists(), command
