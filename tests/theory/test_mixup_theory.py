"""Mixup in the linear setting, and simulations that add transformed points."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.errors import UsageError
from automorph.theory.linear_problem import draw_problem
from automorph.theory.mixup import (
    error_slope,
    mixup_kappa,
    mixup_penalty,
    mixup_rows,
    mixup_shrinkage,
)
from automorph.theory.ridge import fit_ridge, ridge_error


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def rows(rng):
    x = rng.normal(size=(12, 30))
    return x - x.mean(0)


def test_kappa_is_a_mean_over_shares(rng):
    for alpha, expected in [(1.0, 2 / 3), (0.2, 0.857), (4.0, 0.556)]:
        share = rng.beta(alpha, alpha, 200_000)
        assert mixup_kappa(alpha) == pytest.approx(expected, abs=5e-4)
        assert (share**2 + (1 - share) ** 2).mean() == pytest.approx(expected, abs=3e-3)


def test_the_expected_gram_matrix_of_mixup(rows):
    x = rows + 0.5
    mixed = mixup_rows(x, count=100_000, seed=1).rows
    mean = x.mean(0)
    expected = 2 / 3 * x.T @ x / 12 + 1 / 3 * np.outer(mean, mean)
    np.testing.assert_allclose(mixed.T @ mixed / 100_000, expected, atol=0.02)


def test_mixup_is_ridge_with_its_effective_penalty(rows, rng):
    y, added, penalty = rng.normal(size=12), 20_000, 4.0
    mixed = mixup_rows(rows, count=added, seed=2)
    found = fit_ridge(
        np.vstack([rows, mixed.rows]),
        np.r_[y, mixed.mixing @ y],
        penalty=penalty * (12 + added) / 12,
    )
    effective = mixup_penalty(penalty, examples=12, added=added)
    plain, predicted = (fit_ridge(rows, y, penalty=p) for p in (penalty, effective))
    assert penalty < effective < 1.5 * penalty
    distance = np.linalg.norm(found.weights - predicted.weights)
    assert distance < 0.2 * np.linalg.norm(plain.weights - predicted.weights)


def test_the_slope_of_the_error_is_a_derivative(rows, rng):
    beta = rng.normal(size=30)
    ends = [ridge_error(rows, beta, penalty=p, noise=0.7).total for p in (2.001, 1.999)]
    expected = (ends[0] - ends[1]) / 0.002
    assert error_slope(rows, beta, penalty=2.0, noise=0.7) == pytest.approx(expected, rel=1e-6)
    assert error_slope(rows, beta, penalty=1e-3, noise=2.0) < 0
    assert error_slope(rows, beta, penalty=5.0, noise=0.0) > 0


def test_mixed_examples_are_shrunk_examples_with_noise_of_mean_zero(rng):
    alpha = 0.4
    share = rng.beta(alpha, alpha, 400_000)
    share = np.maximum(share, 1 - share)
    assert mixup_shrinkage(alpha) == pytest.approx(share.mean(), abs=1e-3)

    x = rng.normal(size=(7, 3))
    i, j = rng.integers(7, size=(2, 400_000))
    mean, shrunk = x.mean(0), mixup_shrinkage(alpha)
    mixed = share[:, None] * x[i] + (1 - share)[:, None] * x[j]
    noise = mixed - (mean + shrunk * (x[i] - mean))
    assert [np.abs(noise[i == k].mean(0)).max() for k in range(7)] == pytest.approx(
        [0] * 7, abs=0.01
    )


def test_operations_of_a_problem_keep_labels_and_the_wrong_one_does_not():
    problem = draw_problem(seed=0)
    labels = problem.rows @ problem.beta
    for turn in problem.maps:
        np.testing.assert_allclose(turn @ turn.T, np.eye(100), atol=1e-12)
        np.testing.assert_allclose(problem.rows @ turn.T @ problem.beta, labels, atol=1e-12)
    assert np.abs(problem.rows @ problem.wrong.T @ problem.beta - labels).max() > 0.5
    assert np.linalg.matrix_rank(problem.rows) == 20


def test_the_simulated_table():
    """More points, and composed ones, help if noise is small or the penalty large enough."""

    problems = [draw_problem(seed=seed) for seed in range(20)]

    def mean(noise, penalty, added):
        return np.mean([p.error(noise=noise, penalty=penalty, added=added(p)).total
                        for p in problems])  # fmt: skip

    def copies(count):
        return lambda p: [(p.maps[0], count)]

    def composed(p):
        return [(p.maps[0], 40), (p.maps[0] @ p.maps[1], 40)]

    quiet = [mean(0.1, 1, copies(c)) for c in (0, 5, 20, 40)] + [mean(0.1, 1, composed)]
    assert (np.diff(quiet) < 0).all()
    noisy = [mean(0.5, 1, copies(c)) for c in (0, 20, 40)]
    assert noisy[1] > noisy[0]
    assert noisy[1] > noisy[2]
    assert mean(0.5, 4, copies(40)) < mean(0.5, 4, copies(0))
    assert mean(0.5, 1, lambda p: [(p.wrong, 40)]) > 1.3 * noisy[0]


def test_mixup_lowers_a_variance_that_is_too_large():
    problems = [draw_problem(seed=seed).centred() for seed in range(6)]
    base = [p.error(noise=0.5, penalty=1) for p in problems]
    mixed = [p.mixup_error(noise=0.5, penalty=1, count=400) for p in problems]
    assert np.mean([e.variance for e in mixed]) < np.mean([e.variance for e in base])
    assert np.mean([e.bias for e in mixed]) > np.mean([e.bias for e in base])
    assert np.mean([e.total for e in mixed]) < np.mean([e.total for e in base])


def test_wrong_arguments_are_named():
    with pytest.raises(UsageError, match="alpha=0; expected a number above 0"):
        mixup_kappa(0)
