"""The metrics by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from automorph.errors import UsageError
from automorph.metrics import functions
from automorph.metrics.scorer import Scorer, ShareOf
from automorph.registry import Entry, Registry, closest, plain, unknown

_SHOWN = 20
"""Classes that the message about an unknown one lists."""
SHARE_OF: dict[str, ShareOf] = {"recall": "present", "precision": "called", "f1": "either"}
"""Metrics of one class that are shares, or follow from one."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def accuracy(classes: Sequence[str]) -> Scorer:
    """Share of right decisions."""
    return Scorer("accuracy", "accuracy", tuple(classes), functions.accuracy, share_of="all")


def balanced_accuracy(classes: Sequence[str]) -> Scorer:
    """Mean of the recalls of all classes."""
    return Scorer(
        "balanced-accuracy", "balanced accuracy", tuple(classes),
        partial(functions.mean_of_classes, score="recall"),
        averages=True,
    )  # fmt: skip


def macro_f1(classes: Sequence[str]) -> Scorer:
    """Mean of the F1 scores of all classes."""
    return Scorer(
        "macro-f1", "macro F1", tuple(classes), partial(functions.mean_of_classes, score="f1"),
        averages=True,
    )  # fmt: skip


def of_class(classes: Sequence[str], label: str, *, score: str) -> Scorer:
    """Make recall, precision or F1 of one class."""
    number = class_number(label, classes)
    name, title = classes[number], "F1" if score == "f1" else score
    return Scorer(
        f"{score}:{name}", f"{title} of {name}", tuple(classes),
        partial(functions.of_class, score=score, positive=number), positive=number,
        share_of=SHARE_OF.get(score, ""),
    )  # fmt: skip


def f1(classes: Sequence[str], label: str) -> Scorer:
    """F1 of a class: f1:CLASS."""
    return of_class(classes, label, score="f1")


def recall(classes: Sequence[str], label: str) -> Scorer:
    """Recall (sensitivity) of a class: recall:CLASS."""
    return of_class(classes, label, score="recall")


def precision(classes: Sequence[str], label: str) -> Scorer:
    """Precision of a class: precision:CLASS."""
    return of_class(classes, label, score="precision")


def specificity(classes: Sequence[str], label: str) -> Scorer:
    """Share of the other examples that are not called CLASS: specificity:CLASS."""
    number = class_number(label, classes)
    name = classes[number]
    return Scorer(
        f"specificity:{name}", f"specificity of {name}", tuple(classes),
        partial(functions.specificity, positive=number), positive=number, fewest=2,
        share_of="absent",
    )  # fmt: skip


def sensitivity_at_specificity(classes: Sequence[str], label: str, at: float) -> Scorer:
    """Recall of a class at a specificity: sensitivity:CLASS@specificity=0.8."""
    return _recall_at(classes, label, at, "sensitivity", "specificity", functions.at_specificity)


def recall_at_precision(classes: Sequence[str], label: str, at: float) -> Scorer:
    """Recall of a class at a precision: recall:CLASS@precision=0.9."""
    return _recall_at(classes, label, at, "recall", "precision", functions.at_precision)


def _recall_at(
    classes: Sequence[str],
    label: str,
    at: float,
    recall: str,
    other: str,
    point: Callable[..., float],
) -> Scorer:
    """Make a recall at an operating point, under the names of the two that the user types."""
    _check_share(f"{recall}-at-{other}", at)
    found = of_class(classes, label, score="recall")
    assert found.positive is not None
    name = classes[found.positive]
    return replace(
        found, name=f"{recall}:{name}@{other}={at:g}",
        title=f"{recall} of {name} at {other} {at:g}", fewest=2, point=partial(point, at=at),
    )  # fmt: skip


def ranking(classes: Sequence[str], label: str, *, name: str, title: str, score: str) -> Scorer:
    """Make a metric of each class against the rest: their mean, or that of one class."""
    number = class_number(label, classes) if label else None
    found = Scorer(
        name, title, tuple(classes), partial(functions.one_against_rest, score=score),
        uses="probabilities", share=False, fewest=2, averages=True,
    )  # fmt: skip
    if number is None:
        return found
    return replace(
        found, name=f"{name}:{classes[number]}", title=f"{title} of {classes[number]}",
        function=partial(functions.one_against_rest, score=score, positive=number),
        positive=number, averages=False,
    )  # fmt: skip


def auroc(classes: Sequence[str], label: str = "") -> Scorer:
    """Area under the ROC curve, the mean of each class against the rest; auroc:CLASS: of one."""
    return ranking(classes, label, name="auroc", title="AUROC", score="roc_auc_score")


def average_precision(classes: Sequence[str], label: str = "") -> Scorer:
    """Average precision, the mean of each class against the rest; average-precision:CLASS."""
    return ranking(
        classes, label, name="average-precision", title="average precision",
        score="average_precision_score",
    )  # fmt: skip


def _of_probabilities(name: str, title: str, classes: Sequence[str], function: Any) -> Scorer:
    return Scorer(
        name, title, tuple(classes), function, uses="probabilities", higher_is_better=False,
        share=False,
    )  # fmt: skip


def log_loss(classes: Sequence[str]) -> Scorer:
    """Mean cross-entropy in nats; lower is better."""
    return _of_probabilities("log-loss", "log-loss", classes, functions.log_loss)


def brier(classes: Sequence[str]) -> Scorer:
    """Brier score: mean squared error of the probabilities; lower is better."""
    return _of_probabilities("brier", "Brier score", classes, functions.brier)


def calibration_error(classes: Sequence[str], bins: int = functions.BINS) -> Scorer:
    """Expected calibration error over bins of equal width; lower is better."""
    if not 1 <= bins <= 1000:
        raise UsageError(
            f"the metric 'calibration-error' got bins={bins}; expected 1 to 1000, such as 15"
        )
    name = "calibration-error" + ("" if bins == functions.BINS else f"(bins={bins})")
    function = partial(functions.calibration_error, bins=bins)
    return _of_probabilities(name, "expected calibration error", classes, function)


def quadratic_kappa(classes: Sequence[str]) -> Scorer:
    """Cohen's kappa with quadratic weights, for classes that are grades: numbers in their order."""
    odd = [name for name in classes if not _NUMBER.fullmatch(name)]
    if odd:
        raise UsageError(
            f"the metric 'quadratic-kappa' is for ordered classes, which their names show; "
            f"expected numbers, got {odd[0]!r}. Name the classes by their grades, or choose "
            "another metric, such as balanced-accuracy"
        )
    order = tuple(sorted(range(len(classes)), key=lambda k: float(classes[k])))
    return Scorer(
        "quadratic-kappa", "quadratic kappa", tuple(classes),
        partial(functions.quadratic_kappa, order=order), share=False, fewest=2,
    )  # fmt: skip


METRICS: Registry[Entry[Scorer]] = Registry(
    "metric",
    Entry("accuracy", accuracy, given=1),
    Entry("balanced-accuracy", balanced_accuracy, given=1),
    Entry("macro-f1", macro_f1, given=1),
    Entry("f1", f1, given=1),
    Entry("recall", recall, given=1),
    Entry("precision", precision, given=1),
    Entry("specificity", specificity, given=1),
    Entry("sensitivity-at-specificity", sensitivity_at_specificity, given=1),
    Entry("recall-at-precision", recall_at_precision, given=1),
    Entry("auroc", auroc, given=1),
    Entry("average-precision", average_precision, given=1),
    Entry("log-loss", log_loss, given=1),
    Entry("brier", brier, given=1),
    Entry("calibration-error", calibration_error, given=1),
    Entry("quadratic-kappa", quadratic_kappa, given=1),
    example="recall:CLASS or sensitivity:CLASS@specificity=0.8",
    listing="metrics",
    aliases={
        "sensitivity": "recall", "recall-at-specificity": "sensitivity-at-specificity",
        "sensitivity-at-precision": "recall-at-precision", "f1-macro": "macro-f1",
        "auc": "auroc", "roc-auc": "auroc", "ece": "calibration-error",
        "cross-entropy": "log-loss", "brier-score": "brier",
    },
)  # fmt: skip


def _check_share(name: str, at: float) -> None:
    if not 0 < at <= 1:
        raise UsageError(f"the metric {name!r} got {at:g}; expected above 0 to 1, such as 0.8")


def class_number(label: str, classes: Sequence[str]) -> int:
    """Return the number of a class by its name; case and separators may differ if that is clear."""
    if label in classes:
        return list(classes).index(label)
    alike = [k for k, name in enumerate(classes) if plain(name) == plain(label)]
    if len(alike) == 1:
        return alike[0]
    close = closest(label, classes, most=3)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    more = ", .." if len(classes) > _SHOWN else ""
    raise UsageError(
        unknown("class", label, classes[:_SHOWN], where="of the metric", hint=hint, advice=more)
    )
