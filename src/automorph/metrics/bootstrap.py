"""Intervals over the examples of a part, by a stratified bootstrap.

Every resample has as many examples of each class as the part, so that a metric that is defined for
the part is defined for all of them. All networks are scored on the same resamples, so that their
differences are paired.

A share of 0 or 1 is the same in every resample, which says nothing of its uncertainty. Its interval
is Wilson's (1927), from the number of examples that it is a share of. F1 follows from a share J of
the examples that are of the class or called so: F1 = 2 J / (1 + J). A mean over classes that is 1,
such as AUROC or mAP, has the interval of a share of its smallest group of examples, which is at
least as wide as its own: values from 0 to 1 with the mean m are all 1 with at most the probability
with which as many draws of a share m are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.metrics.of_masks import MaskScorer
from automorph.metrics.scorer import Floats, Labels, Scorer

RESAMPLES = 500
"""With ten classes, an AUROC takes about a hundredth of a second."""
_NUMBERS = 1 << 22
"""Weights of examples that are held at a time, 32 MiB."""


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
    if answers and answers[0].shape == labels.shape and labels.ndim == 2:
        made = [
            _at_once(scorer, labels, one, at, resamples)
            for one, at in zip(answers, fixed, strict=True)
        ]
        if all(one is not None for one in made):
            return np.array(made)
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


def _at_once(
    scorer: Scorer, labels: Labels, answers: Floats, threshold: Any, resamples: int
) -> Floats | None:
    """Return the values on all resamples, some at a time; None for a metric that cannot."""
    found = []
    rows = _rows(scorer.groups(labels), resamples)
    while some := list(islice(rows, max(1, _NUMBERS // len(labels)))):
        weights = np.array([np.bincount(one, minlength=len(labels)) for one in some], np.float64)
        values = scorer.of_weights(labels, answers, weights, threshold=threshold)
        if values is None:
            return None
        found.append(values)
    return np.concatenate(found)


def spread(values: Floats, *, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of values or differences ``(r,)``."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def interval(
    scorer: Scorer,
    labels: Labels,
    answers: NDArray[np.float64],
    *,
    threshold: Any = None,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Return the interval of a metric of one network's answers, as `resampled` takes them.

    >>> from automorph.metrics import load_metric
    >>> labels, decisions = np.repeat([0, 1], [50, 10]), np.zeros(60)
    >>> interval(load_metric("recall:dog", ("cat", "dog")), labels, decisions)
    Interval(low=0.0, high=0.277...)
    """
    values = resampled(
        scorer, labels, [answers], thresholds=[threshold], resamples=resamples
    )[0]  # fmt: skip
    edge = float(values[0])
    if edge in (0.0, 1.0) and (values == edge).all():
        if scorer.share_of:
            n = _trials(scorer, labels, answers, threshold)
            found = at_edge(n, all_right=edge == 1, confidence=confidence)
            return _of_f1(found) if scorer.share_of == "either" else found
        if edge == 1 and scorer.higher_is_better and (n := scorer.fewest_examples(labels)):
            return at_edge(n, all_right=True, confidence=confidence)
    return spread(values, confidence=confidence)


def _of_f1(share: Interval) -> Interval:
    """Return the interval of F1 from that of the share J of right ones among those concerned."""
    return Interval(2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))


def _trials(scorer: Scorer, labels: Labels, answers: NDArray[np.float64], threshold: Any) -> int:
    """Return of how many examples a metric of these answers is the share."""
    if answers.ndim == 1:
        return scorer.trials(labels, answers.astype(np.int64))
    if scorer.point is not None and threshold is None:
        threshold = scorer.threshold(labels, answers)
    return scorer.trials(labels, scorer.decided(answers, threshold))


def at_edge(n: int, *, all_right: bool, confidence: float = 0.95) -> Interval:
    """Return Wilson's interval of n of n examples, or of 0 of n; 0 to 1 without examples.

    >>> at_edge(103, all_right=False)
    Interval(low=0.0, high=0.035...)
    """
    from scipy.stats import binomtest

    if not n:
        return Interval(0.0, 1.0)
    tested = binomtest(n if all_right else 0, n)
    found = tested.proportion_ci(confidence, method="wilson")
    return Interval(max(0.0, float(found.low)), min(1.0, float(found.high)))


def _rows(strata: NDArray[np.int64], resamples: int) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each resample."""
    random = np.random.default_rng(0)
    groups = [np.flatnonzero(strata == k) for k in np.unique(strata)]
    for _ in range(resamples):
        yield np.concatenate([group[random.integers(len(group), size=len(group))]
                              for group in groups])  # fmt: skip
