"""Intervals over the examples of a part, by a stratified bootstrap.

Every resample has as many examples of each class as the part, so that a metric that is defined for
the part is defined for all of them. All networks are scored on the same resamples, so that their
differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.metrics.of_masks import MaskScorer
from automorph.metrics.scorer import Floats, Labels, Scorer

RESAMPLES = 500
"""With ten classes, an AUROC takes about a hundredth of a second."""


@dataclass(frozen=True)
class Interval:
    """The ends of an interval."""

    low: float
    high: float


def resampled(
    scorer: Scorer,
    labels: Labels,
    answers: Sequence[NDArray[np.float64]],
    *,
    thresholds: Sequence[Any] | None = None,
    resamples: int = RESAMPLES,
) -> Floats:
    """Return the values of several networks on resamples of the examples, ``(networks, r)``.

    ``answers`` are probabilities ``(n, k)`` of each network, decided classes ``(n,)`` or masks;
    ``thresholds`` are those of its operating point. The resamples are the same in every call.
    """
    if isinstance(scorer, MaskScorer):
        counts = [scorer.counted(labels, one) for one in answers]
        draws = list(_rows(scorer.groups(labels), resamples))
        return np.array(
            [[scorer.of_counts(one[rows].sum(axis=0)) for rows in draws] for one in counts]
        )
    fixed: list[Any] = list(thresholds) if thresholds is not None else [None] * len(answers)
    if scorer.point is not None:
        # A threshold is never fixed anew on a resample.
        fixed = [
            scorer.threshold(labels, one) if at is None else at
            for one, at in zip(answers, fixed, strict=True)
        ]
    values = np.empty((len(answers), resamples))
    for number, rows in enumerate(_rows(scorer.groups(labels), resamples)):
        for network, one in enumerate(answers):
            seen = labels[rows]
            values[network, number] = (
                scorer.of_decisions(seen, one[rows].astype(np.int64))
                if one.ndim == 1
                else scorer.value(seen, one[rows], threshold=fixed[network])
            )
    return values


def spread(values: Floats, *, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of values or differences ``(r,)``."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def _rows(strata: NDArray[np.int64], resamples: int) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each resample."""
    random = np.random.default_rng(0)
    groups = [np.flatnonzero(strata == k) for k in np.unique(strata)]
    for _ in range(resamples):
        yield np.concatenate([group[random.integers(len(group), size=len(group))]
                              for group in groups])  # fmt: skip
