"""Metrics of an audited model, with intervals over the audited examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.metrics import interval, load_metric
from automorph.robustness.predictions import Subject


@dataclass(frozen=True)
class MetricEstimate:
    """A metric of the audited part with its bootstrap interval; ``share`` means percent."""

    name: str
    title: str
    value: float
    low: float
    high: float
    share: bool
    higher_is_better: bool


def metrics_of(
    names: Sequence[str], subject: Subject, labels: NDArray[np.int64], classes: tuple[str, ...]
) -> tuple[MetricEstimate, ...]:
    """Return metrics of a subject; those of its operating point come first.

    Raises `UsageError` for a metric with an operating point that the training did not fix: a
    threshold chosen on the audited examples would make the metric too good.
    """
    point = subject.point
    own = () if point is None else (point.metric, f"specificity:{point.label}")
    found = []
    for name in dict.fromkeys([*own, *names]):
        scorer = load_metric(name, classes)
        at = point.threshold if point is not None and scorer.name == point.metric else None
        if scorer.point is not None and at is None:
            raise UsageError(
                f"{scorer.title} needs a threshold that the training fixed on its validation part, "
                f"and {subject.name} has none for it; expected a run of automorph train --metric "
                f"{scorer.name!r}, or another metric, such as auroc"
            )
        answers: Any = subject.predictions
        if scorer.uses == "probabilities" or scorer.point is not None:
            if subject.probabilities is None:
                scorer.of_decisions(labels, answers)  # Raises, with the reason.
            answers = subject.probabilities
        value = (
            scorer.of_decisions(labels, answers)
            if answers.ndim == 1
            else scorer.value(labels, answers, threshold=at)
        )
        ends = interval(scorer, labels, answers, threshold=at)
        found.append(
            MetricEstimate(
                scorer.name, scorer.title, value, ends.low, ends.high, scorer.share,
                scorer.higher_is_better,
            )
        )  # fmt: skip
    return tuple(found)
