"""Looking at a table after each seed finds no more differences that are not there than 5 %."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from automorph.errors import UsageError
from automorph.experiments import Looks, paired_difference, read_looks
from automorph.experiments.sequential import far_behind, is_clear

TRIES = 100_000


def stops_of(looks: Looks, gaps: np.ndarray, alpha: float = 0.05) -> np.ndarray:
    """At which look each row of paired differences ``(tries, cap)`` is beyond its bound, or -1."""
    stopped = np.full(len(gaps), -1)
    for place, (seeds, level) in enumerate(zip(looks.counts, looks.levels(alpha), strict=True)):
        seen = gaps[:, :seeds]
        t = seen.mean(1) / (seen.std(1, ddof=1) / np.sqrt(seeds))
        beyond = np.abs(t) > stats.t.isf(level / 2, seeds - 1)
        stopped[(stopped < 0) & beyond] = place
    return stopped


@pytest.mark.parametrize("looks", [Looks(2, 5), Looks(2, 3), Looks(3, 10)], ids=str)
def test_false_positives_over_all_looks_are_as_many_as_stated(looks: Looks) -> None:
    gaps = np.random.default_rng(0).standard_normal((TRIES, looks.cap))
    stopped = stops_of(looks, gaps)
    found = (stopped >= 0).mean()
    assert found == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / TRIES))
    # Each look spends the share of the error that the docstring states.
    shares = np.array(looks.counts) / looks.cap
    spent = 2 * stats.norm.sf(stats.norm.isf(0.025) / np.sqrt(shares))
    by_look = [((stopped >= 0) & (stopped <= place)).mean() for place in range(len(spent))]
    np.testing.assert_allclose(by_look, spent, atol=0.002)
    # Student's test at each look would find about twice as many.
    naive = sum(
        stops_of(Looks(n, n), gaps[:, :n]) >= 0 for n in looks.counts
    ).astype(bool)  # fmt: skip
    assert naive.mean() > 1.4 * found


def test_intervals_hold_whatever_stops_the_table() -> None:
    """Here it stops at the look that is most misleading."""
    looks, truth = Looks(2, 5), 0.3
    gaps = truth + np.random.default_rng(1).standard_normal((TRIES, looks.cap))
    missed = stops_of(looks, gaps - truth) >= 0
    assert missed.mean() <= 0.052


def test_a_large_difference_ends_it_early_and_a_small_one_does_not() -> None:
    noise = np.random.default_rng(2).standard_normal((2000, 5))
    large, small = stops_of(Looks(2, 5), noise + 12), stops_of(Looks(2, 5), noise + 0.5)
    assert (large == 1).mean() > 0.5  # After three seeds.
    assert (small < 0).mean() > 0.8


def test_the_last_look_is_little_wider_than_the_fixed_design() -> None:
    ahead, behind = [0.81, 0.85, 0.83, 0.84, 0.82], [0.80, 0.81, 0.81, 0.83, 0.80]
    fixed = paired_difference(ahead, behind)
    last = Looks(2, 5).difference(ahead, behind)
    assert last.mean == fixed.mean
    assert 1 < (last.high - last.low) / (fixed.high - fixed.low) < 1.2
    assert Looks(5, 5).difference(ahead, behind) == fixed


@pytest.mark.parametrize("seeds", [2, 3, 4, 5])
def test_p_value_and_interval_agree(seeds: int) -> None:
    looks = Looks(2, 5)
    gaps = np.random.default_rng(seeds).standard_normal((60, seeds)) + 1.5
    for gap in gaps:
        found = looks.difference(gap.tolist(), [0.0] * seeds)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
        assert found.p >= paired_difference(gap.tolist(), [0.0] * seeds).p - 1e-9


def test_equal_differences_have_no_interval() -> None:
    assert Looks(2, 5).difference([0.6, 0.7], [0.5, 0.6]).low is None
    assert not is_clear(Looks(2, 5), [0.6, 0.7], [[0.5, 0.6]])


def test_it_is_clear_only_if_every_alternative_is() -> None:
    looks, pick = Looks(2, 5), [0.80, 0.82, 0.81, 0.815]
    near, far = [0.79, 0.83, 0.80, 0.82], [0.60, 0.625, 0.61, 0.61]
    assert is_clear(looks, pick, [far])
    assert is_clear(looks, far, [pick])  # In either direction.
    assert not is_clear(looks, pick, [far, near])


def test_far_behind_needs_a_spread_and_every_value() -> None:
    table = {"pick": [0.8, 0.82], "close": [0.79, 0.815], "far": [0.5, 0.525]}
    assert far_behind(Looks(2, 5), table, "pick") == ["far"]
    assert far_behind(Looks(2, 5), {**table, "failed": [float("-inf"), 0.8]}, "pick") == []
    assert far_behind(Looks(2, 5), {"pick": [0.8, 0.8], "far": [0.5, 0.5]}, "pick") == []


@pytest.mark.parametrize("text", ["0", "5-2", "1-5", "2-21", "many", "", -1, "2 to 5"])
def test_seeds_that_are_no_design_are_refused(text: str | int) -> None:
    with pytest.raises(UsageError, match="expected a number of 1 or more, or a range"):
        read_looks(text)


def test_designs_are_written_as_they_are_read() -> None:
    assert [str(read_looks(text)) for text in (5, "5", "2-5", Looks(2, 4))] == [
        "5",
        "5",
        "2-5",
        "2-4",
    ]
    assert read_looks("2-5").at_most(1) == Looks(1, 1)
