"""The metrics of several labels per example: scikit-learn's, over the labels that occur."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.metrics.builtin import class_number
from automorph.metrics.scorer import Floats, Labels, Scorer
from automorph.registry import Entry, Registry

Compute = Callable[[Labels, Any, Floats | None], float]


@dataclass(frozen=True)
class LabelScorer(Scorer):
    """A metric of labels and predictions uint8 ``(n, k)``, or probabilities ``(n, k)``.

    ``classes`` are the names of the labels and ``positive`` the one that the metric is about.
    ``both``: a label needs examples with and without it. Decisions are made by one threshold for
    each label, which are fixed on the validation part; 0.5 where there are none.
    """

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
            at = 0.5 if threshold is None else np.asarray(threshold)
            decided = (probabilities >= at).astype(np.int64)
            return self.of_decisions(labels, decided, weights=weights)
        self._check(labels)
        return float(self.function(self._kept(labels, labels), self._kept(labels, probabilities),
                                   weights))  # fmt: skip

    def of_decisions(
        self, labels: Labels, decisions: Labels, *, weights: Floats | None = None
    ) -> float:
        """Compute a metric of decided labels ``(n, k)``. Raises `DataError` if it has no value."""
        if self.uses != "decisions":
            return super().of_decisions(labels, decisions, weights=weights)
        self._check(labels)
        return float(self.function(self._kept(labels, labels), self._kept(labels, decisions),
                                   weights))  # fmt: skip

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

    def _kept(self, labels: Labels, values: Any) -> Any:
        """Return the columns that the metric is computed on."""
        if self.positive is not None:
            return values[:, [self.positive]]
        return values[:, self._usable(labels)] if self.averages else values


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


def _of_columns(labels: Labels, values: Any, weights: Floats | None, *, score: str) -> float:
    """The mean over the labels of a metric of scikit-learn."""
    from sklearn import metrics

    options = (
        {"zero_division": 0} if score in ("f1_score", "recall_score", "precision_score") else {}
    )
    found = getattr(metrics, score)
    if labels.shape[1] == 1:  # scikit-learn takes a single column for classes.
        return float(found(labels[:, 0], values[:, 0], sample_weight=weights, **options))
    return float(found(labels, values, average="macro", sample_weight=weights, **options))


def _micro_f1(labels: Labels, decisions: Labels, weights: Floats | None) -> float:
    from sklearn.metrics import f1_score

    return float(
        f1_score(labels, decisions, average="micro", sample_weight=weights, zero_division=0)
    )


def _exact_match(labels: Labels, decisions: Labels, weights: Floats | None) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(labels, decisions, sample_weight=weights))


def _hamming(labels: Labels, decisions: Labels, weights: Floats | None) -> float:
    from sklearn.metrics import hamming_loss

    return float(hamming_loss(labels, decisions, sample_weight=weights))


def _ranked(names: Sequence[str], label: str, name: str, title: str, score: str) -> LabelScorer:
    """Make the mean over all labels of a metric of probabilities, or that of one label."""
    compute: Compute = partial(_of_columns, score=score)
    both = score == "roc_auc_score"
    if not label:
        return LabelScorer(
            name, title, tuple(names), compute, uses="probabilities", share=not both,
            averages=True, both=both,
        )  # fmt: skip
    number = class_number(label, names)
    word = "AUROC" if both else "average precision"
    stem = "auroc" if both else "average-precision"
    return LabelScorer(
        f"{stem}:{names[number]}", f"{word} of {names[number]}", tuple(names), compute,
        uses="probabilities", share=not both, positive=number, both=both,
    )  # fmt: skip


def mean_average_precision(names: Sequence[str]) -> LabelScorer:
    """Mean of the average precisions of all labels (mAP)."""
    return _ranked(names, "", "mean-average-precision", "mAP", "average_precision_score")


def average_precision(names: Sequence[str], label: str) -> LabelScorer:
    """Average precision of a label: average-precision:LABEL."""
    return _ranked(names, label, "", "", "average_precision_score")


def auroc(names: Sequence[str], label: str = "") -> LabelScorer:
    """Area under the ROC curve, the mean over all labels; auroc:LABEL: of one."""
    return _ranked(names, label, "auroc", "AUROC", "roc_auc_score")


def macro_f1(names: Sequence[str]) -> LabelScorer:
    """Mean of the F1 scores of all labels."""
    return LabelScorer(
        "macro-f1", "macro F1", tuple(names), partial(_of_columns, score="f1_score"),
        averages=True,
    )  # fmt: skip


def micro_f1(names: Sequence[str]) -> LabelScorer:
    """F1 of all decisions about all labels together."""
    return LabelScorer("micro-f1", "micro F1", tuple(names), _micro_f1)


def exact_match(names: Sequence[str]) -> LabelScorer:
    """Share of examples all of whose labels are predicted, and no other."""
    return LabelScorer("exact-match", "exact match", tuple(names), _exact_match)


def hamming(names: Sequence[str]) -> LabelScorer:
    """Share of wrong decisions about single labels; lower is better."""
    return LabelScorer(
        "hamming-loss", "Hamming loss", tuple(names), _hamming, higher_is_better=False
    )


def _of_label(names: Sequence[str], label: str, score: str) -> LabelScorer:
    number = class_number(label, names)
    title = "F1" if score == "f1" else score
    return LabelScorer(
        f"{score}:{names[number]}", f"{title} of {names[number]}", tuple(names),
        partial(_of_columns, score=f"{score}_score"), positive=number,
    )  # fmt: skip


def f1(names: Sequence[str], label: str) -> LabelScorer:
    """F1 of a label: f1:LABEL."""
    return _of_label(names, label, "f1")


def recall(names: Sequence[str], label: str) -> LabelScorer:
    """Recall (sensitivity) of a label: recall:LABEL."""
    return _of_label(names, label, "recall")


def precision(names: Sequence[str], label: str) -> LabelScorer:
    """Precision of a label: precision:LABEL."""
    return _of_label(names, label, "precision")


LABEL_METRICS: Registry[Entry[Scorer]] = Registry(
    "metric",
    Entry("mean-average-precision", mean_average_precision, given=1),
    Entry("average-precision", average_precision, given=1),
    Entry("macro-f1", macro_f1, given=1),
    Entry("micro-f1", micro_f1, given=1),
    Entry("auroc", auroc, given=1),
    Entry("exact-match", exact_match, given=1),
    Entry("hamming-loss", hamming, given=1),
    Entry("f1", f1, given=1),
    Entry("recall", recall, given=1),
    Entry("precision", precision, given=1),
    example="mean-average-precision or recall:LABEL",
    listing="metrics",
    aliases={
        "map": "mean-average-precision", "sensitivity": "recall", "f1-macro": "macro-f1",
        "f1-micro": "micro-f1", "auc": "auroc", "roc-auc": "auroc", "accuracy": "exact-match",
        "subset-accuracy": "exact-match", "hamming": "hamming-loss",
    },
)  # fmt: skip
