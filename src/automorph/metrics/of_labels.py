"""The metrics of several labels per example: scikit-learn's, over the labels that occur."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from automorph.metrics import weighted
from automorph.metrics.builtin import SHARE_OF, class_number
from automorph.metrics.label_scorer import LabelScorer
from automorph.metrics.scorer import Floats, Labels, Scorer
from automorph.registry import Entry, Registry

Compute = Callable[[Labels, Any, Floats | None], float]


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
    many = weighted.auroc if both else weighted.average_precision
    if not label:
        return LabelScorer(
            name, title, tuple(names), compute, uses="probabilities", share=not both,
            averages=True, both=both, many=many,
        )  # fmt: skip
    number = class_number(label, names)
    word = "AUROC" if both else "average precision"
    stem = "auroc" if both else "average-precision"
    return LabelScorer(
        f"{stem}:{names[number]}", f"{word} of {names[number]}", tuple(names), compute,
        uses="probabilities", share=not both, positive=number, both=both, many=many,
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
        averages=True, many=weighted.f1,
    )  # fmt: skip


def micro_f1(names: Sequence[str]) -> LabelScorer:
    """F1 of all decisions about all labels together."""
    return LabelScorer("micro-f1", "micro F1", tuple(names), _micro_f1, many=weighted.f1)


def exact_match(names: Sequence[str]) -> LabelScorer:
    """Share of examples all of whose labels are predicted, and no other."""
    return LabelScorer(
        "exact-match", "exact match", tuple(names), _exact_match, many=weighted.exact_match,
        share_of="all",
    )  # fmt: skip


def hamming(names: Sequence[str]) -> LabelScorer:
    """Share of wrong decisions about single labels; lower is better."""
    return LabelScorer(
        "hamming-loss", "Hamming loss", tuple(names), _hamming, higher_is_better=False,
        many=weighted.hamming,
    )  # fmt: skip


def _of_label(names: Sequence[str], label: str, score: str) -> LabelScorer:
    number = class_number(label, names)
    title = "F1" if score == "f1" else score
    return LabelScorer(
        f"{score}:{names[number]}", f"{title} of {names[number]}", tuple(names),
        partial(_of_columns, score=f"{score}_score"), positive=number,
        many=getattr(weighted, score), share_of=SHARE_OF.get(score, ""),
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
