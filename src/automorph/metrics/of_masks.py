"""The metrics of masks: computed from the confusion matrix over all pixels of a part.

A mean is over the classes that occur among the labels or the predictions; a class that is in
neither is left out, as torchmetrics' `JaccardIndex` does. Ignored pixels count nowhere. The counts
are those of a part, not means over images: one image of many is a weight in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.metrics.builtin import class_number
from automorph.metrics.scorer import Floats, Labels, Scorer
from automorph.registry import Entry, Registry

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class MaskScorer(Scorer):
    """A metric of masks: labels and answers are class numbers uint8 ``(n, H, W)``.

    Pixels whose label is beyond the classes are ignored. ``function`` gets the labels, decisions
    and numbers of pixels of each pair of classes. Both may also be counted before, as `counted`
    does, in place of the answers.
    """

    def undefined(self, labels: NDArray[Any]) -> str:
        """Return why the metric has no value for these labels; empty if it has one."""
        if not len(labels):
            return "there are no examples"
        if self.positive is not None and not (labels == self.positive).any():
            return f"no pixel is of the class {self.classes[self.positive]!r}"
        if not (labels < len(self.classes)).any():
            return "all pixels are ignored"
        return ""

    def remark(self, labels: NDArray[Any]) -> str:
        """Return which classes the mean leaves out on these labels, if any."""
        missing = [name for k, name in enumerate(self.classes) if not (labels == k).any()]
        if not (self.averages and missing):
            return ""
        return (
            f"no pixel of {', '.join(map(repr, missing))}: {self.title} there counts such classes "
            "only where they are predicted"
        )

    def fewest_examples(self, labels: NDArray[Any]) -> int:
        """Return 0: the pixels of an image are not independent."""
        return 0

    def groups(self, labels: NDArray[Any]) -> Labels:
        """Return one group: images are resampled whatever is in them."""
        return np.zeros(len(labels), np.int64)

    def value(
        self,
        labels: NDArray[Any],
        probabilities: NDArray[Any],
        *,
        threshold: float | None = None,
        weights: Floats | None = None,
    ) -> float:
        """Compute the metric from masks and predicted masks; ``weights`` are those of examples."""
        return self.of_decisions(labels, probabilities, weights=weights)

    def of_decisions(
        self, labels: NDArray[Any], decisions: NDArray[Any], *, weights: Floats | None = None
    ) -> float:
        """Compute the metric from masks and predicted masks."""
        self._check(labels)
        counts = self.counted(labels, decisions)
        return self.of_counts(counts.sum(axis=0) if weights is None else weights @ counts)

    def counted(self, labels: NDArray[Any], decisions: NDArray[Any]) -> Counts:
        """Return the confusion matrix of each example, int64 ``(n, k k)``."""
        k = len(self.classes)
        counts = np.empty((len(labels), k * k), np.int64)
        for number, (label, decided) in enumerate(zip(labels, decisions, strict=True)):
            known = label < k
            pairs = label[known].astype(np.intp) * k + decided[known]
            counts[number] = np.bincount(pairs, minlength=k * k)
        return counts

    def of_counts(self, counts: NDArray[Any]) -> float:
        """Compute the metric from one confusion matrix ``(k k,)``, labels first."""
        labels, decisions = np.divmod(np.arange(len(counts)), len(self.classes))
        seen = counts > 0
        return float(self.function(labels[seen], decisions[seen], counts[seen].astype(np.float64)))


def _of_classes(
    labels: NDArray[Any], decisions: NDArray[Any], weights: Floats | None, *, score: str
) -> float:
    """The mean over the classes that occur among the labels or the decisions."""
    from sklearn import metrics

    found = getattr(metrics, f"{score}_score")
    occurring = np.union1d(labels, decisions)
    return float(found(labels, decisions, labels=occurring, average="macro", sample_weight=weights))


def _of_class(
    labels: NDArray[Any],
    decisions: NDArray[Any],
    weights: Floats | None,
    *,
    score: str,
    positive: int,
) -> float:
    from sklearn import metrics

    found = getattr(metrics, f"{score}_score")
    return float(
        found(labels == positive, decisions == positive, sample_weight=weights, zero_division=0)
    )


def _accuracy(labels: NDArray[Any], decisions: NDArray[Any], weights: Floats | None) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(labels, decisions, sample_weight=weights))


def mean_iou(classes: Sequence[str]) -> MaskScorer:
    """Mean over the classes of the intersection over union of all pixels."""
    function = partial(_of_classes, score="jaccard")
    return MaskScorer("mean-iou", "mean IoU", tuple(classes), function, averages=True)


def dice(classes: Sequence[str], label: str = "") -> MaskScorer:
    """Dice score (F1) of all pixels, the mean over the classes; dice:CLASS: of one."""
    if label:
        return _named(classes, label, name="dice", title="Dice", score="f1")
    function = partial(_of_classes, score="f1")
    return MaskScorer("dice", "Dice", tuple(classes), function, averages=True)


def iou(classes: Sequence[str], label: str) -> MaskScorer:
    """Intersection over union of one class: iou:CLASS."""
    return _named(classes, label, name="iou", title="IoU", score="jaccard")


def _named(classes: Sequence[str], label: str, *, name: str, title: str, score: str) -> MaskScorer:
    number = class_number(label, classes)
    return MaskScorer(
        f"{name}:{classes[number]}", f"{title} of {classes[number]}", tuple(classes),
        partial(_of_class, score=score, positive=number), positive=number,
    )  # fmt: skip


def pixel_accuracy(classes: Sequence[str]) -> MaskScorer:
    """Share of pixels whose class is right."""
    return MaskScorer("pixel-accuracy", "pixel accuracy", tuple(classes), _accuracy)


MASK_METRICS: Registry[Entry[Scorer]] = Registry(
    "metric of masks",
    Entry("mean-iou", mean_iou, given=1),
    Entry("dice", dice, given=1),
    Entry("iou", iou, given=1),
    Entry("pixel-accuracy", pixel_accuracy, given=1),
    example="mean-iou or iou:CLASS",
    listing="metrics",
    aliases={"miou": "mean-iou", "jaccard": "mean-iou", "mean-dice": "dice"},
)
