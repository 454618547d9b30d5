"""The rules of selection on fixed losses: frequencies, ties, zeros."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from automorph.augmenters import selection
from automorph.operations import Stream

LOSSES = np.array([0.1, 0.4, 0.2, 0.3])


def uniform(n, draws):
    return Stream(seed=1, index=np.arange(n)).uniform("selection", draws)


def chi_square(chosen, expected):
    counts = np.bincount(np.ravel(chosen), minlength=len(expected))
    return stats.chisquare(counts, expected * counts.sum()).pvalue


def test_all_that_are_selected_from_are_returned_once():
    losses = np.random.default_rng(0).random((50, 6))

    for rule in (selection.highest, selection.lowest):
        assert (np.sort(rule(losses, 6), axis=1) == np.arange(6)).all()
    chosen = selection.without_repetition(losses, uniform(50, 6), 6)
    assert (np.sort(chosen, axis=1) == np.arange(6)).all()


def test_highest_and_lowest_come_in_order():
    assert selection.highest(LOSSES[None], 3).tolist() == [[1, 3, 2]]
    assert selection.lowest(LOSSES[None], 3).tolist() == [[0, 2, 3]]


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_frequencies_are_in_proportion_to_the_weights(scale):
    weights = np.tile(scale * LOSSES, (100_000, 1))

    chosen = selection.in_proportion(weights, uniform(100_000, 1))
    assert chi_square(chosen, LOSSES / LOSSES.sum()) > 1e-3


def test_draws_with_repetition_do_not_depend_on_one_another():
    chosen = selection.in_proportion(np.tile(LOSSES, (100_000, 1)), uniform(100_000, 2))

    p = LOSSES / LOSSES.sum()
    assert chi_square(4 * chosen[:, 0] + chosen[:, 1], np.outer(p, p).ravel()) > 1e-3


def test_draws_without_repetition_are_in_proportion_to_what_is_left():
    weights = np.tile(LOSSES, (100_000, 1))
    chosen = selection.without_repetition(weights, uniform(100_000, 4), 2)

    p = LOSSES / LOSSES.sum()
    pairs = np.outer(p, p) / (1 - p[:, None])
    np.fill_diagonal(pairs, 0)
    counts = np.bincount(4 * chosen[:, 0] + chosen[:, 1], minlength=16).reshape(4, 4)
    assert (np.diag(counts) == 0).all()
    off = ~np.eye(4, dtype=bool)
    assert stats.chisquare(counts[off], pairs[off] * 100_000).pvalue > 1e-3


@pytest.mark.parametrize("nothing", [0.0, np.nan, -1.0])
def test_without_any_weight_all_are_alike(nothing):
    weights = np.full((40_000, 4), nothing)

    for chosen in (
        selection.in_proportion(weights, uniform(40_000, 1)),
        selection.without_repetition(weights, uniform(40_000, 4), 1),
    ):
        assert chi_square(chosen, np.full(4, 0.25)) > 1e-3


def test_an_endless_loss_is_chosen_and_breaks_nothing():
    weights = np.array([[1.0, np.inf, 2.0]])

    assert selection.in_proportion(weights, np.array([[0.5]], np.float32)).tolist() == [[1]]
    assert selection.highest(weights, 1).tolist() == [[1]]


def test_the_largest_number_chooses_the_last_candidate():
    almost_one = np.array([[1 - 2.0**-24]], np.float32)

    assert selection.in_proportion(LOSSES[None], almost_one).tolist() == [[3]]
