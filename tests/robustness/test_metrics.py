"""Known tables, and intervals with their stated coverage."""

import numpy as np
import pytest
from scipy import stats

from automorph.robustness.metrics import (
    clopper_pearson,
    deficits,
    gap,
    information_interval,
    mean_interval,
    mutual_information,
    robust,
    wilson,
)


def test_information_of_known_tables():
    mark = np.array([[[30, 0], [0, 70]], [[40, 0], [0, 10]]])
    constant = np.array([[[30, 0], [70, 0]], [[40, 0], [10, 0]]])
    half = np.array([[[100, 0], [50, 50]], [[7, 7], [7, 7]]])

    assert mutual_information(mark) == pytest.approx((np.log(2), np.log(2)))
    assert mutual_information(constant) == (0, 0)
    by_hand = stats.entropy([0.75, 0.25]) - stats.entropy([0.5, 0.5]) / 2
    assert mutual_information(half)[0] == pytest.approx(by_hand / 2)


def test_classes_with_a_single_subgroup_tell_nothing():
    one = np.array([[[30, 0], [0, 70]], [[40, 5], [0, 0]]])
    assert mutual_information(one)[0] == pytest.approx(np.log(2))
    assert mutual_information(one[1:]) == (0, 0)


@pytest.mark.parametrize("sizes", [(40, 40), (200, 20)])
def test_the_bias_is_taken_off(sizes):
    """Over many draws, the corrected estimate is right and the plain one too large."""
    rng = np.random.default_rng(0)
    p = np.array([[0.6, 0.3, 0.1], [0.4, 0.3, 0.3]])
    truth = stats.entropy(p.mean(axis=0)) - stats.entropy(p, axis=1).mean()
    from automorph.robustness.metrics import _information

    drawn = np.stack([rng.multinomial(n, q, 4000) for n, q in zip(sizes, p, strict=True)], axis=1)
    plug, bias = _information(drawn[:, None].astype(float))

    assert abs((plug - bias).mean() - truth) < 0.15 * (plug.mean() - truth)


@pytest.mark.parametrize("p", [[[0.9, 0.1], [0.9, 0.1]], [[0.95, 0.05], [0.6, 0.4]]])
def test_the_interval_of_information_covers(p):
    rng = np.random.default_rng(1)
    truth = stats.entropy(np.mean(p, axis=0)) - stats.entropy(p, axis=1).mean()
    found = []
    for _ in range(300):
        table = np.array([[rng.multinomial(n, q) for n, q in zip((80, 150), p, strict=True)]])
        interval = information_interval(table, draws=400, seed=rng.integers(1 << 30))
        found.append(interval.low <= truth + 1e-12 and truth <= interval.high)

    assert np.mean(found) > 0.91


@pytest.mark.parametrize("method", [wilson, clopper_pearson])
@pytest.mark.parametrize(("n", "p"), [(10, 0.9), (30, 0.5), (100, 0.97), (1000, 0.8)])
def test_intervals_of_shares_cover(method, n, p):
    """The exact coverage: the total probability of the counts whose interval contains p."""
    k = np.arange(n + 1)
    low, high = method(k, np.full(n + 1, n))
    covers = stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum()

    assert covers > (0.95 if method is clopper_pearson else 0.91)


def test_intervals_of_nothing_and_everything():
    for method in (wilson, clopper_pearson):
        low, high = method([0, 5, 0], [5, 5, 0])
        assert low[0] == 0 or low[0] < 1e-12
        assert high[1] == pytest.approx(1)
        assert (low[2], high[2]) == (0, 1)


@pytest.mark.parametrize(
    ("n", "p"),
    [([50, 50, 50, 50], [0.9] * 4), ([2000, 30], [0.95, 0.7]), ([20] * 10, [0.8] * 10)],
)
def test_the_interval_of_the_worst_group_covers(n, p):
    rng = np.random.default_rng(2)
    found = []
    for _ in range(500):
        interval = robust(rng.binomial(n, p), np.array(n))
        found.append(interval.low <= min(p) <= interval.high)

    assert np.mean(found) > 0.94


@pytest.mark.parametrize(
    ("n", "p"), [([60, 200], [0.7, 0.9]), ([80, 80], [0.9, 0.9]), ([100] * 4, [0.9] * 4)]
)
def test_the_interval_of_the_gap_covers(n, p):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(500):
        interval = gap(rng.binomial(n, p), np.array(n))
        found.append(interval.low <= np.ptp(p) <= interval.high)

    assert np.mean(found) > 0.93


def test_gaps_that_are_none():
    assert gap(np.array([5, 0]), np.array([10, 0])) is None
    assert gap(np.array([10, 20]), np.array([10, 20])).value == 0


def test_deficits_are_fisher_tests():
    right, n = np.array([40, 95, 3]), np.array([60, 100, 3])
    by_hand = stats.fisher_exact([[20, 40], [5, 98]], alternative="greater").pvalue

    assert deficits(right, n)[0] == pytest.approx(by_hand)
    assert deficits(np.array([5, 0]), np.array([9, 0])).tolist() == [1, 1]


def test_means():
    assert mean_interval(np.array([1.0])) is None
    values = np.random.default_rng(0).normal(size=50)
    found = mean_interval(values)
    expected = stats.t.interval(0.95, 49, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
