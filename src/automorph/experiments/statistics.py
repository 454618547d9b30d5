"""Paired statistics: is a difference beyond chance?

A seed fixes the first weights, the order of the examples and the draws, so two policies under
one seed differ by the policy alone. Differences are therefore taken seed by seed, which removes
what the seeds have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Summary:
    """Mean and standard error of the mean (``None`` for a single value) of some values."""

    mean: float
    se: float | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """Mean paired difference with its interval and the p-value of the paired t-test.

    With one pair only the mean is known; pairs that all differ by the same have no interval.
    ``p_adjusted`` counts the other comparisons of the same table in (Holm 1979).
    """

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None


def summarise(values: Sequence[float]) -> Summary:
    """Mean and standard error.

    >>> summarise([0.8, 0.9]).mean, round(summarise([0.8, 0.9]).se, 3)
    (0.85, 0.05)
    """
    array = np.asarray(values, np.float64)
    se = float(array.std(ddof=1) / np.sqrt(len(array))) if len(array) > 1 else None
    return Summary(round(float(array.mean()), 12), se, tuple(float(v) for v in array))


def paired_difference(
    values: Sequence[float], baseline: Sequence[float], *, confidence: float = 0.95
) -> Difference:
    """``values - baseline`` pair by pair, with Student's interval and test.

    >>> d = paired_difference([0.82, 0.85, 0.84], [0.80, 0.81, 0.81])
    >>> round(d.mean, 3), round(d.low, 3), round(d.high, 3), round(d.p, 3)
    (0.03, 0.005, 0.055, 0.035)
    """
    differences = np.asarray(values, np.float64) - np.asarray(baseline, np.float64)
    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Difference(mean)
    se = float(differences.std(ddof=1)) / np.sqrt(n)
    if se < 1e-12:
        # All differences are equal, which small test parts bring about by chance. Student's test
        # has no spread to work with; the sign test (all n signs alike) still has an answer.
        return Difference(mean, p=1.0 if abs(mean) < 1e-12 else 0.5 ** (n - 1))
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1) * se)
    p = 2 * float(stats.t.sf(abs(mean / se), n - 1))
    return Difference(mean, mean - half, mean + half, p)


def mean_difference(
    values: Sequence[float], others: Sequence[float], *, confidence: float = 0.95
) -> Difference:
    """The mean of ``values`` less that of ``others``, unpaired, with Welch's interval and test.

    >>> d = mean_difference([0.9, 0.8, 0.85], [0.7, 0.75, 0.72])
    >>> round(d.mean, 3), round(d.low, 3), round(d.high, 3)
    (0.127, 0.023, 0.23)
    """
    a, b = np.asarray(values, np.float64), np.asarray(others, np.float64)
    mean = float(a.mean() - b.mean())
    if len(a) < 2 or len(b) < 2 or a.std() + b.std() < 1e-12:
        return Difference(mean)
    found = stats.ttest_ind(a, b, equal_var=False)
    low, high = found.confidence_interval(confidence)
    return Difference(mean, float(low), float(high), float(found.pvalue))


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """p-values adjusted for being several (Holm 1979): keeps the family-wise error.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    scaled = p[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
