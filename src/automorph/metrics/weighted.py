"""Metrics under many weights of the same examples at once, for a bootstrap.

A resample weighs each example by how often it was drawn. scikit-learn takes one set of weights in a
call, which is too slow for hundreds of resamples of every label and subgroup. Tests hold these
functions to its values. Weights are ``(r, n)`` and results ``(r,)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def average_precision(labels: NDArray[Any], scores: Floats, weights: Floats) -> Floats:
    """Sum over the distinct scores of precision times the rise of recall.

    >>> average_precision(np.array([0, 1]), np.array([0.2, 0.7]), np.ones((1, 2))).tolist()
    [1.0]
    """
    found, called = _curve(labels, scores, weights)
    precision = _shares(found, called)
    return np.asarray((np.diff(found, prepend=0.0) * precision).sum(axis=1) / found[:, -1])


def auroc(labels: NDArray[Any], scores: Floats, weights: Floats) -> Floats:
    """Area under the ROC curve, by trapezia.

    >>> auroc(np.array([0, 1, 0]), np.array([0.2, 0.7, 0.7]), np.ones((1, 3))).tolist()
    [0.75]
    """
    found, called = _curve(labels, scores, weights)
    alarms = called - found
    heights = found - np.diff(found, prepend=0.0) / 2
    areas = (np.diff(alarms, prepend=0.0) * heights).sum(axis=1)
    return np.asarray(areas / (found[:, -1] * alarms[:, -1]))


def f1(labels: NDArray[Any], decisions: NDArray[Any], weights: Floats) -> Floats:
    """F1 of decisions ``(n,)`` or of all columns ``(n, k)`` together; 0 where none is right."""
    hits, either = _summed(labels * decisions), _summed(labels) + _summed(decisions)
    return _shares(2 * (weights @ hits), weights @ either)


def recall(labels: NDArray[Any], decisions: NDArray[Any], weights: Floats) -> Floats:
    """The share of examples with the label that are found."""
    return _shares(weights @ (labels * decisions).astype(float), weights @ labels.astype(float))


def precision(labels: NDArray[Any], decisions: NDArray[Any], weights: Floats) -> Floats:
    """The share of calls that are right; 0 without calls."""
    return recall(decisions, labels, weights)


def exact_match(labels: NDArray[Any], decisions: NDArray[Any], weights: Floats) -> Floats:
    """The share of examples whose columns are all right."""
    return mean((labels == decisions).all(axis=1), weights)


def hamming(labels: NDArray[Any], decisions: NDArray[Any], weights: Floats) -> Floats:
    """The share of wrong decisions."""
    return mean((labels != decisions).mean(axis=1), weights)


def absolute_error(values: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Mean absolute error."""
    return mean(np.abs(values - predicted), weights)


def root_squared_error(values: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Root of the mean squared error."""
    return np.sqrt(mean((values - predicted) ** 2, weights))


def r2(values: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Coefficient of determination; where all values are equal, 1 if exact and otherwise 0."""
    error = mean((values - predicted) ** 2, weights)
    centred = values - values.mean()
    variance = mean(centred**2, weights) - mean(centred, weights) ** 2
    # Of values that are all equal, rounding may leave a rest.
    constant = variance <= 1e-12 * mean(centred**2, weights)
    found = 1 - np.divide(error, variance, out=np.zeros(len(error)), where=~constant)
    return np.where(constant, error == 0, found).astype(np.float64)


def mean(numbers: NDArray[Any], weights: Floats) -> Floats:
    """Weighted means of numbers ``(n,)``."""
    return np.asarray(weights @ numbers.astype(np.float64) / weights.sum(axis=1))


def _curve(labels: NDArray[Any], scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of examples found and called from each distinct score on, highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    called = weights[:, order]
    found = np.cumsum(called * labels[order], axis=1)[:, ends]
    return found, np.cumsum(called, axis=1)[:, ends]


def _summed(numbers: NDArray[Any]) -> Floats:
    return np.asarray(numbers.astype(np.float64).reshape(len(numbers), -1).sum(axis=1))


def _shares(parts: Floats, wholes: Floats) -> Floats:
    return np.divide(parts, wholes, out=np.zeros(wholes.shape), where=wholes > 0)
