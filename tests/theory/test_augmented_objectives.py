"""The objectives of augmented data: identities, bounds and rates in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from automorph.errors import UsageError
from automorph.theory.losses import LOSSES
from automorph.theory.objectives import (
    agreement,
    divergence,
    objectives_of,
    value_and_slope,
    variance_regulariser,
)

SMOOTH = ["softmax", "squared", "logistic"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def scores(rng):
    return rng.normal(size=(6, 1, 4)) + 0.7 * rng.normal(size=(6, 9, 4))


@pytest.fixture
def labels(rng):
    return rng.integers(0, 4, 6)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_single_copy_makes_all_objectives_equal(scores, labels, loss):
    found = objectives_of(scores[:, :1], labels, loss=loss)
    assert found.exact == pytest.approx(found.original)
    assert found.first == pytest.approx(found.original)
    assert found.regulariser == pytest.approx(0, abs=1e-11)


def test_second_order_is_exact_for_squared_loss(scores, rng):
    found = objectives_of(scores, rng.normal(size=(6, 4)), loss="squared")
    assert found.second == pytest.approx(found.exact, abs=1e-14)


def test_squared_hinge_is_exact_unless_a_copy_crosses_the_margin(rng):
    inside = 0.5 - rng.uniform(size=(5, 7, 1))
    found = objectives_of(inside, np.ones(5), loss="squared-hinge")
    assert found.second == pytest.approx(found.exact, abs=1e-14)
    outside = objectives_of(inside + 2, np.ones(5), loss="squared-hinge")
    assert outside == objectives_of(inside * 0 + 5, np.ones(5), loss="squared-hinge")


def test_hinge_is_exact_to_first_order_where_copies_lie_on_one_side(rng):
    found = objectives_of(0.9 - rng.uniform(size=(5, 7, 1)), np.ones(5), loss="hinge")
    assert found.first == pytest.approx(found.exact, abs=1e-14)


def test_hinge_is_exact_to_second_order_for_normal_copies(rng):
    normal = rng.normal(size=(1, 400_000, 1))
    found = objectives_of(0.8 + 0.5 * normal, [1.0], loss="hinge")
    assert found.exact - found.first > 0.05
    assert found.second == pytest.approx(found.exact, abs=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_averaging_gives_a_lower_bound(scores, labels, loss):
    found = objectives_of(scores, labels, loss=loss)
    assert found.first <= found.exact + 1e-15
    assert found.second >= found.first - 1e-15


def test_bounds_of_the_logistic_gaps(scores):
    s = scores[..., :1]
    found = objectives_of(s, np.array([1, -1, 1, 1, -1, 1]), loss="logistic")
    moves = s - s.mean(axis=1, keepdims=True)
    assert found.exact - found.first <= (moves**2).mean() / 8
    assert abs(found.exact - found.second) <= (np.abs(moves) ** 3).mean() / (36 * np.sqrt(3))


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_gaps_shrink_at_their_rates(scores, labels, loss):
    moves = scores - scores.mean(axis=1, keepdims=True)
    scales = 2.0 ** -np.arange(2, 7)
    found = [objectives_of(scores.mean(1)[:, None] + s * moves, labels, loss=loss) for s in scales]
    first = np.array([o.exact - o.first for o in found])
    second = np.array([abs(o.exact - o.second) for o in found])
    assert np.polyfit(np.log(scales), np.log(first), 1)[0] == pytest.approx(2, abs=0.1)
    assert np.polyfit(np.log(scales), np.log(second), 1)[0] > 2.7


def test_the_regulariser_knows_no_labels_offsets_or_order(scores, labels):
    found = variance_regulariser(scores)
    assert found == pytest.approx(objectives_of(scores, labels).regulariser)
    assert variance_regulariser(scores + 3.0) == pytest.approx(found)
    assert variance_regulariser(scores[:, ::-1]) == pytest.approx(found)
    assert variance_regulariser(scores[:, :, ::-1]) == pytest.approx(found)
    with pytest.raises(UsageError, match=r"got no labels.*pass labels"):
        variance_regulariser(scores, loss="hinge")


def test_the_regulariser_is_the_mean_variance_under_the_prediction(scores):
    total = 0.0
    for copies in scores:
        p = np.exp(copies.mean(0)) / np.exp(copies.mean(0)).sum()
        hessian = np.diag(p) - np.outer(p, p)
        assert np.linalg.eigvalsh(hessian).max() <= 0.5
        moves = copies - copies.mean(0)
        total += 0.5 * np.einsum("tc,cd,td->t", moves, hessian, moves).mean() / len(scores)
    assert variance_regulariser(scores) == pytest.approx(total, abs=1e-14)


def test_variance_without_averaging_is_the_original_loss_plus_the_regulariser(scores, labels):
    found = objectives_of(scores, labels)
    assert found.variance == pytest.approx(found.original + variance_regulariser(scores, labels))
    alone = objectives_of(scores[:, :1], labels)
    assert found.original == pytest.approx(alone.exact)
    assert found.variance != pytest.approx(found.second)


@pytest.mark.parametrize("order", ["exact", "first", "second", "variance"])
@pytest.mark.parametrize("loss", LOSSES)
def test_slopes_are_derivatives(scores, labels, loss, order):
    value, slope = value_and_slope(scores, labels, loss=loss, order=order)
    assert value == pytest.approx(getattr(objectives_of(scores, labels, loss=loss), order))

    def at(flat):
        return value_and_slope(flat.reshape(scores.shape), labels, loss=loss, order=order)[0]

    numeric = approx_fprime(scores.ravel(), at, 1e-7).reshape(scores.shape)
    np.testing.assert_allclose(slope, numeric, atol=2e-6)


def test_predictions_compared(rng):
    a = rng.normal(size=(50, 3))
    assert agreement(a, a + 5) == 1
    assert divergence(a, a + 5) == pytest.approx(0, abs=1e-12)
    assert divergence(a, -a) > 0
    assert agreement(a, -a) < 1


def test_wrong_arguments_are_named(scores, labels):
    with pytest.raises(UsageError, match=r"unknown loss 'l3'\. Expected one of softmax"):
        objectives_of(scores, labels, loss="l3")
    with pytest.raises(UsageError, match="expected 0 to 3"):
        objectives_of(scores, labels + 4)
    with pytest.raises(UsageError, match="expected exact, first, second or variance"):
        value_and_slope(scores, labels, order="third")
    with pytest.raises(UsageError, match="got 5 labels for 6 examples"):
        objectives_of(scores, labels[:5])
