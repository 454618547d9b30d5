"""What computes a metric of several labels per example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.metrics import weighted
from automorph.metrics.scorer import Floats, Labels, Scorer

Many = Callable[[NDArray[Any], Any, Floats], Floats]


@dataclass(frozen=True)
class LabelScorer(Scorer):
    """A metric of labels and predictions uint8 ``(n, k)``, or probabilities ``(n, k)``.

    ``classes`` are the names of the labels and ``positive`` the one that the metric is about.
    ``both``: a label needs examples with and without it. Decisions are made by one threshold for
    each label, which are fixed on the validation part; 0.5 where there are none. ``many`` computes
    the metric of one label (or of all together, if it is no mean) under many weights.
    """

    many: Many = weighted.exact_match
    both: bool = False

    def undefined(self, labels: Labels) -> str:
        """Return why the metric has no value for these labels; empty if it has one."""
        if not len(labels):
            return "there are no examples"
        if not self.averages and self.positive is None:
            return ""
        usable = self._usable(labels)
        if self.positive is None:
            return "" if len(usable) else "no label is on some of the examples"
        if self.positive in usable:
            return ""
        which = "all examples have" if labels[:, self.positive].any() else "no example has"
        return f"{which} the label {self.classes[self.positive]!r}"

    def remark(self, labels: Labels) -> str:
        """Return which labels a mean leaves out; empty if none."""
        if not self.averages:
            return ""
        usable = self._usable(labels)
        out = [name for k, name in enumerate(self.classes) if k not in usable]
        if not out:
            return ""
        why = "no example, or all examples, of" if self.both else "no example of"
        return (
            f"{why} {', '.join(map(repr, out))}: {self.title} there is the mean over the other "
            f"{len(usable)} of {len(self.classes)} labels"
        )

    def value(
        self,
        labels: Labels,
        probabilities: Floats,
        *,
        threshold: Any = None,
        weights: Floats | None = None,
    ) -> float:
        """Compute the metric from labels and probabilities ``(n, k)``.

        ``threshold``: those of the labels ``(k,)``, fixed on other examples (None: 0.5).
        """
        if self.uses == "decisions":
            decisions = self.decided(probabilities, threshold)
            return self.of_decisions(labels, decisions, weights=weights)
        self._check(labels)
        return float(self.function(self._kept(labels, labels), self._kept(labels, probabilities),
                                   weights))  # fmt: skip

    def decided(self, probabilities: Floats, threshold: Any = None) -> Labels:
        """Return the decided labels ``(n, k)``."""
        at = 0.5 if threshold is None else np.asarray(threshold)
        return (probabilities >= at).astype(np.int64)

    def _counts(self, labels: Labels) -> list[int]:
        """Return how many examples have each label that the metric is computed on."""
        return [int(n) for n in labels[:, self._columns(labels)].sum(axis=0, dtype=np.int64)]

    def _has(self, labels: Labels) -> NDArray[np.bool_]:
        return np.asarray(labels[:, self.positive] == 1)

    def of_decisions(
        self, labels: Labels, decisions: Labels, *, weights: Floats | None = None
    ) -> float:
        """Compute a metric of decided labels ``(n, k)``. Raises `DataError` if it has no value."""
        if self.uses != "decisions":
            return super().of_decisions(labels, decisions, weights=weights)
        self._check(labels)
        return float(self.function(self._kept(labels, labels), self._kept(labels, decisions),
                                   weights))  # fmt: skip

    def of_weights(
        self, labels: NDArray[Any], answers: Floats, weights: Floats, *, threshold: Any = None
    ) -> Floats:
        """Compute the metric under many weights ``(r, n)`` at once."""
        given: Any = self.decided(answers, threshold) if self.uses == "decisions" else answers
        if not self.averages and self.positive is None:
            return self.many(labels, given, weights)
        columns = [
            self._of_label(labels[:, k], given[:, k], weights) for k in self._columns(labels)
        ]
        return np.asarray(np.nanmean(columns, axis=0))

    def _of_label(self, labels: Labels, answers: Floats, weights: Floats) -> Floats:
        """Compute the metric of one label; NaN under weights that leave it no example."""
        present = weights @ labels.astype(np.float64)
        usable = present > 0
        if self.both:
            usable &= present < weights.sum(axis=1)
        found = np.full(len(weights), np.nan)
        found[usable] = self.many(labels, answers, weights[usable])
        return found

    def fix(self, labels: Labels, probabilities: Floats) -> dict[str, float]:
        """Return the threshold of each label that has the highest F1 on these examples."""
        return {
            name: best_threshold(labels[:, k], probabilities[:, k])
            for k, name in enumerate(self.classes)
        }

    def fixed(self, thresholds: Mapping[str, float]) -> Any:
        """Return the thresholds of the labels among those fixed in a training; None without."""
        known = all(name in thresholds for name in self.classes)
        return np.array([thresholds[name] for name in self.classes]) if known else None

    def groups(self, labels: Labels) -> NDArray[np.int64]:
        """Return the stratum of each example in a bootstrap: whether it has the label, or its
        rarest label."""
        if self.positive is not None:
            return labels[:, self.positive].astype(np.int64)
        counts = labels.sum(axis=0, dtype=np.int64)
        found = np.full(len(labels), -1)
        for k in np.argsort(-counts, kind="stable"):
            found[labels[:, k] == 1] = k
        return found

    def _usable(self, labels: Labels) -> NDArray[np.intp]:
        found = labels.any(axis=0)
        return np.flatnonzero(found & ~labels.all(axis=0) if self.both else found)

    def _columns(self, labels: Labels) -> NDArray[np.intp]:
        """Return the labels that the metric is computed on."""
        return self._usable(labels) if self.positive is None else np.array([self.positive])

    def _kept(self, labels: Labels, values: Any) -> Any:
        """Return the columns that the metric is computed on."""
        if not self.averages and self.positive is None:
            return values
        return values[:, self._columns(labels)]


def best_threshold(labels: NDArray[Any], probabilities: Floats) -> float:
    """Return the threshold with the highest F1, the highest of equal ones.

    It lies in the middle between two probabilities. 0.5 without examples of the label.
    (Lipton et al. 2014, "Optimal thresholding of classifiers to maximize F1 measure".)

    >>> best_threshold(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.4]))
    0.3...
    """
    from sklearn.metrics import precision_recall_curve

    if not labels.any():
        return 0.5
    precision, recall, at = precision_recall_curve(labels, probabilities)
    sums = precision[:-1] + recall[:-1]
    f1 = np.divide(2 * precision[:-1] * recall[:-1], sums, out=np.zeros(len(at)), where=sums > 0)
    threshold = at[len(f1) - 1 - int(np.argmax(f1[::-1]))]
    lower = probabilities[probabilities < threshold]
    return float((threshold + (lower.max() if len(lower) else 0.0)) / 2)
