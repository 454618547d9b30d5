"""The computations: scikit-learn's, over the classes that occur among the labels.

scikit-learn is imported when a metric is first computed: it takes a second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.metrics.scorer import Floats, Labels

NEVER = 2.0
"""A threshold that no probability reaches: nothing is called positive."""
BINS = 15
"""Bins of the calibration error (Guo et al. 2017, "On calibration of modern neural networks")."""


def accuracy(labels: Labels, decisions: Labels, weights: Floats | None) -> float:
    """The share of right decisions."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(labels, decisions, sample_weight=weights))


def mean_of_classes(
    labels: Labels, decisions: Labels, weights: Floats | None, *, score: str
) -> float:
    """The mean recall (balanced accuracy) or F1 of the classes that occur."""
    from sklearn import metrics

    found = getattr(metrics, f"{score}_score")
    return float(
        found(
            labels, decisions, labels=np.unique(labels), average="macro", sample_weight=weights,
            zero_division=0,
        )
    )  # fmt: skip


def of_class(
    labels: Labels, decisions: Labels, weights: Floats | None, *, score: str, positive: int
) -> float:
    """Recall, precision or F1 of one class. The precision of a class that is never called is 0."""
    from sklearn import metrics

    found = getattr(metrics, f"{score}_score")
    return float(
        found(labels == positive, decisions == positive, sample_weight=weights, zero_division=0)
    )


def specificity(
    labels: Labels, decisions: Labels, weights: Floats | None, *, positive: int
) -> float:
    """The share of the other examples that are not called positive."""
    from sklearn.metrics import recall_score

    return float(recall_score(labels != positive, decisions != positive, sample_weight=weights))


def one_against_rest(
    labels: Labels,
    probabilities: Floats,
    weights: Floats | None,
    *,
    score: str,
    positive: int | None = None,
) -> float:
    """The mean over the classes that occur of a ranking metric of each against the rest."""
    from sklearn import metrics

    found = getattr(metrics, score)
    classes = np.unique(labels) if positive is None else np.array([positive])
    if len(classes) == 1:
        (k,) = classes
        return float(found(labels == k, probabilities[:, k], sample_weight=weights))
    # All classes in one call take half the time, which counts in a bootstrap.
    rest = (labels[:, None] == classes).astype(np.int64)
    return float(found(rest, probabilities[:, classes], average="macro", sample_weight=weights))


def log_loss(labels: Labels, probabilities: Floats, weights: Floats | None) -> float:
    """The mean negative logarithm of the probability of the label."""
    from sklearn import metrics

    k = probabilities.shape[1]
    return float(metrics.log_loss(labels, probabilities, sample_weight=weights, labels=range(k)))


def brier(labels: Labels, probabilities: Floats, weights: Floats | None) -> float:
    """The mean squared distance to the label; of two classes, that of the second one alone."""
    from sklearn.metrics import brier_score_loss

    k = probabilities.shape[1]
    given = probabilities[:, 1] if k == 2 else probabilities
    return float(brier_score_loss(labels, given, sample_weight=weights, labels=range(k)))


def calibration_error(
    labels: Labels, probabilities: Floats, weights: Floats | None, *, bins: int
) -> float:
    """ECE = sum_b w_b |accuracy_b - confidence_b| over bins of the confidence (Guo et al. 2017).

    A bin holds the confidences in (b / bins, (b + 1) / bins]. Those within 1e-9 of an edge lie on
    it, so that rounding does not move them to another bin. scikit-learn has no such metric.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(np.round(confidence * bins, 8)) - 1, 0, bins - 1).astype(np.int64)
    mass = np.ones(len(labels)) if weights is None else weights
    gaps = np.bincount(place, mass * (right - confidence), bins)
    return float(np.abs(gaps).sum() / mass.sum())


def quadratic_kappa(
    labels: Labels, decisions: Labels, weights: Floats | None, *, order: tuple[int, ...]
) -> float:
    """Cohen's kappa with quadratic weights of the distance in ``order``."""
    from sklearn.metrics import cohen_kappa_score

    return float(
        cohen_kappa_score(
            labels, decisions, labels=list(order), weights="quadratic", sample_weight=weights
        )
    )


def at_specificity(positives: NDArray[np.bool_], scores: Floats, *, at: float) -> float:
    """The threshold of the highest sensitivity at a specificity of at least ``at``."""
    from sklearn.metrics import roc_curve

    others, found, thresholds = roc_curve(positives, scores, drop_intermediate=False)
    # Of several thresholds with the same sensitivity, the first is the highest.
    allowed = 1 - others >= at - 1e-12
    return _between(thresholds[np.argmax(np.where(allowed, found, -1))], scores)


def at_precision(positives: NDArray[np.bool_], scores: Floats, *, at: float) -> float:
    """The threshold of the highest recall at a precision of at least ``at``, or `NEVER`."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(positives, scores)
    allowed = precision[:-1] >= at - 1e-12  # The last point, without a threshold, calls nothing.
    if not (allowed & (recall[:-1] > 0)).any():
        return NEVER
    best = np.where(allowed, recall[:-1], -1)
    return _between(thresholds[len(best) - 1 - np.argmax(best[::-1])], scores)


def _between(threshold: float, scores: Floats) -> float:
    """Move a threshold to the middle between the score that it is and the next lower one.

    A score that differs in its last digit on another processor then stays on its side.
    """
    lower = scores[scores < threshold]
    if not np.isfinite(threshold):
        return NEVER
    if not len(lower):
        return float(threshold)
    return float((threshold + lower.max()) / 2)
