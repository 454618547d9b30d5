"""The statistics of the suite, its own row, and what its page says of the sets."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from automorph.errors import DamagedError
from automorph.operations import named_space
from automorph.policies import load_policy
from automorph.searchers import SearchContext, race
from automorph.suite import (
    CONTROLS,
    ENTRANT,
    OUR_NAME,
    SETS,
    SetResult,
    Setting,
    SuiteResult,
    interval,
    our_row,
    pairs,
)
from automorph.training import as_task

PAGE = Path(__file__).parents[2] / "docs" / "suite.md"


def test_pairs_leave_out_sets_that_lack_an_arm() -> None:
    tests = {
        "one": {"a": [0.5, 0.7], "b": [0.4, 0.7]},
        "two": {"a": [0.5, 0.7]},
        "three": {"a": [0.5, 0.9], "b": [0.5]},
    }
    np.testing.assert_allclose(pairs(tests, "a", "b"), [[0.1], [0.0]])
    assert pairs(tests, "a", "c").size == 0


def test_the_interval_holds_the_mean_and_knows_sets_from_seeds() -> None:
    rng = np.random.default_rng(3)
    between, within = rng.normal(size=(8, 1)), rng.normal(size=(8, 3))
    low, high = interval(1 + between + 0.01 * within) or (0, 0)
    wide = high - low
    assert low < 1 + between.mean() < high
    low, high = interval(1 + 0.01 * between + 0.01 * within) or (0, 0)
    assert high - low < wide / 20
    assert interval(np.array([[0.3]])) is None


def of_sets(setting: Setting, ours: dict[str, tuple[float, ...]]) -> SuiteResult:
    arms = {arm: (0.5, 0.6, 0.7) for arm in CONTROLS}
    sets = {
        name: SetResult({**arms, ENTRANT: (0.6, 0.7, 0.8)}, "mine", None, one.hash)
        for name, one in SETS.items()
    }
    return SuiteResult("mine", "augmenter", "", setting, sets, {}, (), ours)


def test_our_own_row_stands_beside_or_is_said_to_be_missing() -> None:
    beside = of_sets(Setting(), {"mnist": (0.5, 0.5, 0.5)})
    assert beside.gaps()[OUR_NAME].mean == pytest.approx(0.2)
    assert beside.gaps()[OUR_NAME].sets == 1
    assert beside.gaps()["none"].sets == len(SETS)
    assert not beside.remarks
    alone = of_sets(Setting(), {})
    assert alone.remarks == (f"The row of {OUR_NAME} on these sets is missing.",)
    assert "not the standard setting" in of_sets(Setting(seeds=1), {}).remarks[0]


def test_a_damaged_row_is_refused(tmp_path: Path) -> None:
    assert our_row(tmp_path / "none.json") == {}
    (tmp_path / "bad.json").write_text('{"sets": {"mnist": "0.9"}}')
    with pytest.raises(DamagedError, match="not a row of the suite"):
        our_row(tmp_path / "bad.json")


def test_a_race_does_not_know_the_set_that_judges_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        race, "load_prior", lambda *where, without: asked.append(without) or {}
    )  # fmt: skip
    task = as_task("digits", limit=80, model="cnn:2", recipe={"epochs": 1})
    race.Race(
        SearchContext(
            task=task, space=named_space("randaugment"), post_policy=load_policy("none"),
            trials=8, unseen=("mnist",),
        )
    )  # fmt: skip
    assert asked == [("mnist",)]


@pytest.mark.parametrize("name", SETS)
def test_the_page_describes_every_set(name: str) -> None:
    page = PAGE.read_text("utf-8")
    assert f"## {name}\n" in page
    section = page.split(f"## {name}\n")[1].split("\n## ")[0]
    assert SETS[name].hash in section
    assert "licence" in section


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_the_hash_is_that_of_the_data(name: str) -> None:
    if not SETS[name].is_there:
        pytest.skip(f"{name} is not in {os.environ.get('AUTOMORPH_DATA', './data')}")
    assert SETS[name].task().data.hash == SETS[name].hash
