"""Kernels, and linear models trained on exact and approximate objectives."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.errors import UsageError
from automorph.theory.classifier import fit_linear
from automorph.theory.kernels import averaged_kernel, fourier_features, gaussian_kernel
from automorph.theory.objectives import agreement, value_and_slope


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def copies(rng):
    labels = np.arange(60) % 3
    centres = rng.normal(size=(3, 5))[labels] + 0.5 * rng.normal(size=(60, 5))
    return centres[:, None] + 0.6 * rng.normal(size=(60, 8, 5)), labels


def test_random_features_approach_the_kernel_like_one_over_the_root(rng):
    x = rng.normal(size=(40, 6))
    exact = gaussian_kernel(x, x, gamma=0.1)
    sizes, errors = [100, 400, 1600, 6400], []
    for size in sizes:
        draws = [fourier_features(6, gamma=0.1, components=size, seed=s)(x) for s in range(5)]
        errors.append(np.mean([np.sqrt(np.mean((p @ p.T - exact) ** 2)) for p in draws]))
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(-0.5, abs=0.1)


def test_the_averaged_kernel_is_that_of_averaged_features(rng):
    x = rng.normal(size=(15, 4, 6))
    features = fourier_features(6, gamma=0.1, components=40_000)
    psi = features(x).mean(axis=1)
    exact = averaged_kernel(x, x, gamma=0.1)
    np.testing.assert_allclose(psi @ psi.T, exact, atol=0.02)
    assert np.linalg.eigvalsh(exact).min() > -1e-12


def test_the_averaged_kernel_of_a_group_is_invariant(rng):
    x = rng.normal(size=(6, 5))
    turned = np.stack([np.roll(x, s, axis=1) for s in range(5)], axis=1)
    kernel = averaged_kernel(turned, turned, gamma=0.2)
    again = averaged_kernel(np.roll(turned, 2, axis=2), turned, gamma=0.2)
    np.testing.assert_allclose(again, kernel, atol=1e-13)


SMOOTH = ("softmax", "squared", "logistic")


@pytest.mark.parametrize(
    ("order", "loss"),
    [
        *((order, loss) for order in ("exact", "second") for loss in (*SMOOTH, "squared-hinge")),
        # R of the squared hinge jumps where a mean crosses the margin; g1 hides most of the jump.
        *(("variance", loss) for loss in SMOOTH),
    ],
)
def test_training_finds_a_stationary_point(copies, loss, order):
    x, y = copies
    model = fit_linear(x, y, loss=loss, order=order, penalty=0.1, classes=3)
    _, slope = value_and_slope(model(x), y, loss=loss, order=order)
    by_weights = np.einsum("ntd,ntc->dc", x, slope) + 0.1 * model.weights
    np.testing.assert_allclose(by_weights, 0, atol=1e-4)


def test_first_order_is_training_on_averaged_features(copies):
    x, y = copies
    averaged = fit_linear(x.mean(axis=1, keepdims=True), y)
    np.testing.assert_allclose(fit_linear(x, y, order="first").weights, averaged.weights)


def test_second_order_training_is_exact_for_squared_loss(copies):
    x, y = copies
    exact, second, first = (
        fit_linear(x, y, loss="squared", order=o, classes=3) for o in ("exact", "second", "first")
    )
    np.testing.assert_allclose(second.weights, exact.weights, atol=1e-4)
    assert np.abs(first.weights - exact.weights).max() > 0.01


def test_second_order_lies_nearer_to_the_exact_model(copies):
    x, y = copies
    exact, first, second = (
        fit_linear(x, y, order=o, penalty=0.05) for o in ("exact", "first", "second")
    )
    distance = [np.linalg.norm(m.weights - exact.weights) for m in (first, second)]
    assert distance[1] < 0.5 * distance[0]
    assert agreement(exact(x[:, 0]), second(x[:, 0])) >= agreement(exact(x[:, 0]), first(x[:, 0]))
    found = exact.objectives(x, y)
    assert abs(found.second - found.exact) < 0.3 * (found.exact - found.first)


def test_moves_along_directions_that_the_model_ignores_cost_nothing(copies, rng):
    x, y = copies
    model = fit_linear(x, y)
    blind = np.linalg.svd(model.weights.T)[2][3:]
    moved = x[:, :1] + rng.normal(size=(60, 8, len(blind))) @ blind
    assert model.objectives(moved, y).regulariser == pytest.approx(0, abs=1e-20)


def test_the_model_of_a_strongly_convex_objective_is_near_by_as_much_as_the_gap_slopes(copies):
    x, y = copies
    penalty = 0.1
    exact, first = (fit_linear(x, y, order=o, penalty=penalty) for o in ("exact", "first"))
    slopes = [value_and_slope(first(x), y, order=o)[1] for o in ("exact", "first")]
    gap = np.einsum("ntd,ntc->dc", x, slopes[0] - slopes[1])
    by_bias = (slopes[0] - slopes[1]).sum((0, 1))
    bound = np.sqrt(np.square(gap).sum() + np.square(by_bias).sum()) / penalty
    assert np.linalg.norm(exact.weights - first.weights) <= bound


def test_signed_labels_need_one_score(copies):
    x, y = copies
    model = fit_linear(x, np.where(y == 0, 1, -1), loss="hinge", order="second")
    assert model.weights.shape == (5, 1)


def test_wrong_arguments_are_named():
    with pytest.raises(UsageError, match="an even number"):
        fourier_features(3, gamma=1.0, components=3)
