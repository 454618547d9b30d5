"""Which candidates are trained on, given their scores: pure functions on arrays.

Losses are ``(n, c)``: c candidates for each of n examples. The result is int64 ``(n, s)``: the
indices of the chosen candidates of each example. Random numbers are passed in as ``uniform``, so
the choice is a pure function of seed, epoch and example.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.float64]
Uniform = NDArray[np.float32]
Chosen = NDArray[np.int64]


def highest(losses: Losses, count: int) -> Chosen:
    """Return the candidates of highest loss (Wu et al. 2020, algorithm 1); ties go to the first.

    >>> highest(np.array([[0.1, 0.7, 0.4]]), 2).tolist()
    [[1, 2]]
    """
    return np.argsort(-losses, axis=1, kind="stable")[:, :count]


def lowest(losses: Losses, count: int) -> Chosen:
    """Return the candidates of lowest loss: a control, which should not win."""
    return np.argsort(losses, axis=1, kind="stable")[:, :count]


def in_proportion(weights: Losses, uniform: Uniform) -> Chosen:
    """Return one candidate for every number of ``uniform`` ``(n, s)``, with repetition.

    P(c) = w_c / sum w (Wu et al. 2020, released code, where w is the loss); if all weights are 0,
    all candidates are equally likely.

    >>> weights = np.array([[1.0, 3.0], [0.0, 0.0]])
    >>> in_proportion(weights, np.array([[0.2, 0.3], [0.2, 0.6]])).tolist()
    [[0, 1], [0, 1]]
    """
    edges = np.cumsum(_usable(weights), axis=1)
    edges /= edges[:, -1:]
    passed = (uniform[:, :, None] >= edges[:, None, :]).sum(axis=2)
    return np.asarray(np.minimum(passed, weights.shape[1] - 1), np.int64)


def without_repetition(weights: Losses, uniform: Uniform, count: int) -> Chosen:
    """Return ``count`` different candidates, each drawn in proportion to the remaining weights.

    Takes the largest u^(1/w) (Efraimidis and Spirakis 2006), with one number of ``uniform``
    ``(n, c)`` for each candidate.

    >>> without_repetition(np.array([[0.0, 5.0, 1.0]]), np.array([[0.9, 0.9, 0.1]]), 2).tolist()
    [[1, 2]]
    """
    # Numbers are multiples of 2^-24: adding half a step keeps the logarithm finite.
    middle = uniform.astype(np.float64) + 2.0**-25
    with np.errstate(divide="ignore"):
        keys = np.log(middle) / _usable(weights)
    return np.argsort(-keys, axis=1, kind="stable")[:, :count]


def _usable(weights: Losses) -> Losses:
    """Return weights that are finite, not negative and not all 0 in a row."""
    clean = np.nan_to_num(np.maximum(weights, 0.0), nan=0.0, posinf=1e30)
    return np.asarray(np.where(clean.sum(axis=1, keepdims=True) > 0, clean, 1.0), np.float64)
