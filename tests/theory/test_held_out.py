"""Leaving out an example and its copies in closed form, against refitting without them."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.diagnostics import Bench
from automorph.theory import held_out_residuals


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.25, 0.25), (0.0, 0.5, 0.5)])
def test_it_is_the_same_as_fitting_again(weights: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    n, d, w = 12, 5, np.array(weights)
    blocks = rng.normal(size=(n, len(w), d))
    targets = rng.normal(size=(n, 3))
    found = held_out_residuals(blocks, targets, weights=w, penalties=[0.3, 2.0])
    for k, penalty in enumerate((0.3, 2.0)):
        for i in range(n):
            rest = np.delete(np.arange(n), i)
            rows, left = blocks[rest].reshape(-1, d), np.repeat(targets[rest], len(w), axis=0)
            each = np.tile(w, n - 1)[:, None]
            gram = rows.T @ (each * rows) + penalty * np.eye(d)
            fit = np.linalg.solve(gram, rows.T @ (each * left))
            np.testing.assert_allclose(found[k, i], targets[i] - blocks[i] @ fit, atol=1e-4)


def test_copies_that_change_nothing_are_worth_their_weight() -> None:
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(20, 1, 4)), rng.normal(size=(20, 2))
    once = held_out_residuals(rows, targets, weights=[1.0], penalties=[1.0])
    copies = np.repeat(rows, 3, axis=1)
    twice = held_out_residuals(copies, targets, weights=[0.5, 0.25, 0.25], penalties=[1.0])
    np.testing.assert_allclose(twice, np.repeat(once, 3, axis=2), atol=1e-5)


@pytest.mark.parametrize(("n", "d"), [(60, 200), (60, 59), (300, 40)])
def test_labels_of_chance_are_not_known_beforehand(n, d):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, d)).astype(np.float32)
    bench = Bench(rows, rng.permutation(n) % 3, lambda x: np.asarray(x, np.float32))
    assert bench.accuracy < 0.5
    assert bench.error > 0.6, "the variance of the targets is 2/3"


def test_groups_are_left_out_as_if_refitted_without_them():
    """Small groups take the closed form, and a group of more rows than features the other one."""
    random = np.random.default_rng(3)
    blocks = random.normal(size=(40, 2, 6))
    targets = random.normal(size=(40, 2))
    w, penalty = np.array([0.5, 0.5]), 1.5
    groups = np.array([0] * 10 + list(np.arange(1, 11)) * 3)
    found = held_out_residuals(blocks, targets, weights=w, penalties=[penalty], groups=groups)[0]
    for number in range(11):
        kept, own = groups != number, groups == number
        rows = blocks[kept].reshape(-1, 6)
        weight = np.tile(w, int(kept.sum()))[:, None]
        system = rows.T @ (weight * rows) + penalty * np.eye(6)
        beta = np.linalg.solve(system, rows.T @ (weight * np.repeat(targets[kept], 2, axis=0)))
        expected = targets[own][:, None] - blocks[own] @ beta
        np.testing.assert_allclose(found[own], expected, atol=1e-3)


def test_groups_of_one_example_change_nothing():
    random = np.random.default_rng(4)
    blocks, targets = random.normal(size=(30, 1, 5)), random.normal(size=(30, 3))
    alone = held_out_residuals(blocks, targets, weights=[1.0], penalties=[0.5])
    grouped = held_out_residuals(
        blocks, targets, weights=[1.0], penalties=[0.5], groups=np.arange(30)
    )
    np.testing.assert_allclose(alone, grouped, atol=1e-4)
