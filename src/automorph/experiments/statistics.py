"""Paired statistics: is a difference beyond chance?

A seed fixes the initial weights, the order of the examples and the draws, so two trainings under
one seed differ by their policy alone. Differences are therefore taken seed by seed, which removes
the variation that all policies share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Summary:
    """The mean of some values and its standard error (``None`` for a single value)."""

    mean: float
    se: float | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """Mean paired difference with its interval and the p-value of the paired t-test.

    A single pair has only a mean; pairs with equal differences have no interval.
    ``p_adjusted`` is corrected for the other comparisons in the table (Holm 1979).
    """

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None


def summarise(values: Sequence[float], *, overlap: float = 0.0) -> Summary:
    """Mean and standard error; ``overlap`` is that of `paired_difference`.

    >>> summarise([0.8, 0.9]).mean, round(summarise([0.8, 0.9]).se, 3)
    (0.85, 0.05)
    """
    array = np.asarray(values, np.float64)
    n = len(array)
    se = float(array.std(ddof=1) / np.sqrt(effective(n, overlap))) if n > 1 else None
    return Summary(round(float(array.mean()), 12), se, tuple(float(v) for v in array))


def effective(n: int, overlap: float) -> float:
    """Return how many independent values are worth ``n`` values of overlapping training sets.

    ``overlap`` is n_test / n_train of each training; the variance of the mean of J of them is
    their variance times (1/J + n_test/n_train): Nadeau and Bengio, "Inference for the
    generalization error", Machine Learning 52 (2003), the corrected resampled t-test; for repeated
    cross-validation: Bouckaert and Frank, PAKDD 2004. Without overlap, it is ``n`` itself.

    >>> effective(10, 0.0), round(effective(10, 1 / 3), 2)
    (10, 2.31)
    """
    return 1 / (1 / n + overlap) if overlap else n


def paired_difference(
    values: Sequence[float],
    baseline: Sequence[float],
    *,
    confidence: float = 0.95,
    overlap: float = 0.0,
) -> Difference:
    """Compare ``values`` with ``baseline`` pair by pair, with Student's interval and test.

    Pairs of a cross-validation share training examples: ``overlap`` is n_test / n_train of each,
    and the interval is that of the corrected resampled t-test (see `effective`).

    >>> d = paired_difference([0.82, 0.85, 0.84], [0.80, 0.81, 0.81])
    >>> round(d.mean, 3), round(d.low, 3), round(d.high, 3), round(d.p, 3)
    (0.03, 0.005, 0.055, 0.035)
    """
    differences = np.asarray(values, np.float64) - np.asarray(baseline, np.float64)
    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Difference(mean)
    independent = effective(n, overlap)
    se = float(differences.std(ddof=1)) / np.sqrt(independent)
    if se < 1e-12:
        # All differences are equal, which can happen by chance on small test parts. Student's test
        # needs a spread; the sign test (all n signs equal) does not.
        return Difference(mean, p=1.0 if abs(mean) < 1e-12 else 0.5 ** (independent - 1))
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1) * se)
    p = 2 * float(stats.t.sf(abs(mean / se), n - 1))
    return Difference(mean, mean - half, mean + half, p)


def noticeable(
    difference: Difference, pairs: int, *, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """Return the true difference that a test of this precision notices with probability ``power``.

    None without an interval. The quantiles of Student's t approximate those of the noncentral t.

    >>> round(noticeable(Difference(0.0, -0.02, 0.02), 10), 3)
    0.028
    """
    if difference.low is None or difference.high is None:
        return None
    half = (difference.high - difference.low) / 2
    needed, reached = stats.t.ppf([0.5 + confidence / 2, power], pairs - 1)
    return float(half * (1 + reached / needed))


def mean_difference(
    values: Sequence[float], others: Sequence[float], *, confidence: float = 0.95
) -> Difference:
    """Compare the means of ``values`` and ``others``, unpaired, with Welch's interval and test.

    >>> d = mean_difference([0.9, 0.8, 0.85], [0.7, 0.75, 0.72])
    >>> round(d.mean, 3), round(d.low, 3), round(d.high, 3)
    (0.127, 0.023, 0.23)
    """
    a, b = np.asarray(values, np.float64), np.asarray(others, np.float64)
    mean = float(a.mean() - b.mean())
    if len(a) < 2 or len(b) < 2 or a.std() + b.std() < 1e-12:
        return Difference(mean)
    with catch_warnings():
        # SciPy warns if one of the samples is constant; Welch's test still holds.
        simplefilter("ignore", RuntimeWarning)
        found = stats.ttest_ind(a, b, equal_var=False)
        low, high = found.confidence_interval(confidence)
    return Difference(mean, float(low), float(high), float(found.pvalue))


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Adjust p-values for multiple comparisons (Holm 1979), controlling the family-wise error.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    scaled = p[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
