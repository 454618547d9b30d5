"""Small and overlapping groups: recall by class and value, pulled towards the whole class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln
from scipy.stats import beta

from automorph.robustness.intersections import coded_columns

ALL = "(all)"
"""The value that stands for a whole class."""
_SHARES = np.linspace(0, 1, 401)
LEAKS = 0.95
"""Columns of at least this association with the class give it away."""


@dataclass(frozen=True)
class Pooled:
    """The recall of a class among the examples with a value of a column.

    ``recall`` is what was counted (None without examples); ``pooled`` is the estimate that is
    pulled towards the recall of the whole class, the more the fewer examples there are, and ``low``
    to ``high`` its 95 % interval. An example counts in one value of each column.
    """

    class_name: str
    column: str
    value: str
    n: int
    recall: float | None
    pooled: float
    low: float
    high: float


def pooled_recalls(
    correct: NDArray[np.bool_],
    labels: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.str_]],
    classes: Sequence[str],
) -> tuple[Pooled, ...]:
    """Return the recall of every class, and of every class and value of each column.

    ``columns`` are strings ``(n,)``, coded as in `intersections`. In a class, the recalls of the
    values of a column are taken as drawn from Beta(m s, (1 - m) s): the larger s, the more alike
    they are. s has the prior of uniform shrinkage, s / (s + mean n), and m a flat one (Christiansen
    and Morris 1997); both are summed over. The posterior is a mixture of
    Beta(k + m s, n - k + (1 - m) s); a value without examples has that of the others.
    """
    found = []
    whole = _counts(correct, labels, np.zeros(len(labels), np.int64), len(classes), 1)
    for y, name in enumerate(classes):
        k, n = (int(one[y, 0]) for one in whole)
        if n:
            # Jeffreys' interval: nothing is above a class.
            found.append(Pooled(name, "class", ALL, n, k / n, *_summary(k, n, [0.5], [0.5], [1.0])))
    for column, (codes, values) in coded_columns(columns).items():
        right, sizes = _counts(correct, labels, codes, len(classes), len(values))
        for y, name in enumerate(classes):
            if not sizes[y].any():
                continue
            prior = _prior(right[y], sizes[y])
            for value, k, n in zip(values, right[y].tolist(), sizes[y].tolist(), strict=True):
                numbers = _summary(k, n, *prior)
                recall = k / n if n else None
                found.append(Pooled(name, column, value, int(n), recall, *numbers))
    return tuple(found)


def leaking(labels: NDArray[np.int64], columns: Mapping[str, NDArray[np.str_]]) -> dict[str, float]:
    """Return the columns that give the class away, with Cramér's V (Bergsma 2013: unbiased).

    >>> labels = np.tile([0, 1], 50)
    >>> leaking(labels, {"copy": labels.astype(str), "half": np.repeat(["a", "b"], 50)})
    {'copy': 1.0}
    """
    found = {}
    for name, (codes, values) in coded_columns(columns).items():
        table = np.zeros((len(np.unique(labels)), len(values)))
        np.add.at(table, (np.unique(labels, return_inverse=True)[1], codes), 1)
        if (value := association(table)) >= LEAKS:
            found[name] = round(value, 3)
    return found


def association(table: NDArray[np.float64]) -> float:
    """Return Cramér's V of a table of counts ``(rows, columns)``, corrected for its bias."""
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    n, (rows, columns) = table.sum(), table.shape
    if min(rows, columns) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    phi = ((table - expected) ** 2 / expected).sum() / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    sides = [one - (one - 1) ** 2 / (n - 1) for one in (rows, columns)]
    return float(min(1.0, np.sqrt(phi / max(min(sides) - 1, 1e-9))))


def _counts(
    correct: NDArray[np.bool_],
    labels: NDArray[np.int64],
    codes: NDArray[np.int64],
    classes: int,
    values: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return correct predictions and examples ``(classes, values)``."""
    cell = labels * values + codes
    n = np.bincount(cell, minlength=classes * values).astype(np.float64)
    k = np.asarray(np.bincount(cell, correct, minlength=classes * values), np.float64)
    return k.reshape(classes, values), n.reshape(classes, values)


def _prior(
    k: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a grid of the two parameters of the prior, and the weight of each given the counts.

    For every s, m lies around the recall of the class, up to three standard errors away.
    """
    mean, usual = (k.sum() + 0.5) / (n.sum() + 1), n[n > 0].mean()
    s = np.geomspace(2, 10 * n.sum() + 10, 16)[:, None]
    error = np.sqrt(mean * (1 - mean) * (1 / n.sum() + 1 / ((n > 0).sum() * (s + 1))))
    m = (mean + error * np.linspace(-3, 3, 9)).clip(1e-3, 1 - 1e-3)
    a, b = (m * s)[..., None], ((1 - m) * s)[..., None]
    likelihood = (betaln(k + a, n - k + b) - betaln(a, b)).sum(axis=-1)
    spacing = error * s * usual / (s + usual) ** 2
    weights = np.exp(likelihood - likelihood.max()) * spacing
    return a.ravel(), b.ravel(), (weights / weights.sum()).ravel()


def _summary(k: float, n: float, a: Any, b: Any, weights: Any) -> tuple[float, float, float]:
    """Return mean and 95 % interval of the mixture of posteriors."""
    a, b, weights = np.asarray(a) + k, np.asarray(b) + n - k, np.asarray(weights)
    below = (weights[:, None] * beta.cdf(_SHARES, a[:, None], b[:, None])).sum(axis=0)
    low, high = np.interp([0.025, 0.975], below, _SHARES)
    return float((weights * a / (a + b)).sum()), float(low), float(high)
