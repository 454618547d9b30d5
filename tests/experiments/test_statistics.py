"""Paired statistics against SciPy and manual results."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from automorph.experiments import holm, paired_difference, summarise

shares = st.lists(st.floats(0, 1).map(lambda x: round(x, 3)), min_size=3, max_size=12)


@given(st.integers(3, 12).flatmap(lambda n: st.tuples(*[st.lists(
    st.integers(0, 1000), min_size=n, max_size=n)] * 2)))  # fmt: skip
def test_difference_is_the_paired_t_test(pair):
    a, b = (np.array(values) / 1000 for values in pair)
    ours = paired_difference(a, b)
    if np.std(a - b, ddof=1) < 1e-9:
        assert ours.low is None
        return

    theirs = stats.ttest_rel(a, b)
    span = theirs.confidence_interval(0.95)

    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert (ours.low, ours.high) == pytest.approx((span.low, span.high), rel=1e-6, abs=1e-9)


def test_one_pair_has_no_interval():
    d = paired_difference([0.9], [0.8])

    assert d.mean == pytest.approx(0.1)
    assert (d.low, d.high, d.p) == (None, None, None)


@pytest.mark.parametrize(("n", "p"), [(2, 0.5), (5, 0.0625)])
def test_equal_differences_fall_back_on_the_sign_test(n, p):
    d = paired_difference([0.9] * n, [0.8] * n)

    assert d.p == p
    assert d.low is None


def test_no_difference_is_no_evidence():
    assert paired_difference([0.5, 0.6], [0.5, 0.6]).p == 1.0


@given(shares)
def test_holm_keeps_order_and_never_shrinks(p_values):
    adjusted = holm(p_values)

    assert (adjusted >= np.array(p_values) - 1e-12).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= -1e-12).all()


def test_holm_controls_the_family_wise_error():
    rng = np.random.default_rng(0)
    false = [(holm(rng.uniform(size=5)) < 0.05).any() for _ in range(4000)]

    assert np.mean(false) == pytest.approx(0.05, abs=0.012)


def test_summary():
    s = summarise([0.8, 0.9, 1.0])

    assert s.mean == pytest.approx(0.9)
    assert s.se == pytest.approx(0.1 / np.sqrt(3))
    assert summarise([0.5]).se is None
