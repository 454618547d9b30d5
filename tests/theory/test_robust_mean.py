"""The worst weighted mean of losses within a chi-square ball."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from automorph.errors import UsageError
from automorph.theory.variance_dro import VarianceRobust, robust_mean, worst_weights


@pytest.fixture
def losses():
    return np.random.default_rng(0).exponential(size=50)


def test_inside_it_is_mean_plus_deviation(losses):
    rho, n = 1.0, 50
    weights = worst_weights(losses, rho)
    assert weights.min() > 0
    assert weights @ losses == pytest.approx(losses.mean() + np.sqrt(2 * rho / n) * losses.std())


@pytest.mark.parametrize("rho", [0.0, 0.3, 5.0, 40.0, 400.0, 1e4])
def test_weights_are_a_law_inside_the_ball(losses, rho):
    weights = worst_weights(losses, rho)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0
    assert np.square(50 * weights - 1).mean() / 2 <= rho / 50 * (1 + 1e-9)
    assert robust_mean(losses, rho) <= losses.mean() + np.sqrt(2 * rho / 50) * losses.std() + 1e-12


@pytest.mark.parametrize("rho", [0.5, 4.0, 12.0])
def test_a_general_solver_finds_no_worse_weights(rho):
    values = np.random.default_rng(1).normal(size=8)
    ball = {"type": "ineq", "fun": lambda q: rho / 8 - np.square(8 * q - 1).mean() / 2}
    law = {"type": "eq", "fun": lambda q: q.sum() - 1}
    found = minimize(lambda q: -q @ values, np.full(8, 1 / 8), constraints=[ball, law],
                     bounds=[(0, 1)] * 8, method="SLSQP")  # fmt: skip
    assert robust_mean(values, rho) == pytest.approx(-found.fun, abs=1e-5)


def test_from_the_mean_to_the_worst(losses):
    assert robust_mean(losses, 0) == pytest.approx(losses.mean())
    assert robust_mean(losses, 50 * 49 / 2) == pytest.approx(losses.max())
    values = [float(robust_mean(losses, rho)) for rho in np.geomspace(0.01, 2000, 30)]
    assert (np.diff(values) >= -1e-12).all()


def test_rows_are_independent_and_ties_share(losses):
    rows = losses.reshape(5, 10)
    np.testing.assert_allclose(
        worst_weights(rows, 2.0), np.stack([worst_weights(row, 2.0) for row in rows])
    )
    np.testing.assert_allclose(worst_weights(np.full(4, 3.0), 2.0), 0.25)
    np.testing.assert_allclose(worst_weights([1.0, 1.0, 0.0], 100.0), [0.5, 0.5, 0])


def test_the_gradient_is_weighted_and_descent_never_rewards_a_larger_loss(losses):
    tensor = torch.tensor(losses, requires_grad=True)
    value = VarianceRobust(5.0)(tensor)
    value.backward()
    assert value.item() == pytest.approx(float(robust_mean(losses, 5.0)))
    np.testing.assert_allclose(tensor.grad, worst_weights(losses, 5.0))
    step = 1e-6
    for i in (0, 7):
        moved = losses.copy()
        moved[i] += step
        numeric = (robust_mean(moved, 5.0) - robust_mean(losses, 5.0)) / step
        assert numeric == pytest.approx(tensor.grad[i].item(), abs=1e-5)


def test_copies_of_an_example(losses):
    copies = torch.tensor(losses.reshape(10, 5))
    assert VarianceRobust(0)(copies).item() == pytest.approx(losses.mean())
    assert VarianceRobust(1e3)(copies).item() == pytest.approx(copies.max(1).values.mean().item())


def test_wrong_arguments_are_named():
    with pytest.raises(UsageError, match="expected a rho of at least 0"):
        worst_weights([1.0], -1)
