"""How good predictions are: by class or label, and by every metric that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from automorph.data import Split
    from automorph.experiments import Comparison
    from automorph.training import RunResult, Task

Numbers = NDArray[np.int64]


def by_class(task: Task, predictions: Mapping[str, Numbers]) -> dict[str, list[float | None]]:
    """Return test accuracy by policy and class, or F1 by label; None for one without examples."""
    if task.data.target not in ("classes", "labels"):
        return {}
    part = tested_part(task)
    found = {}
    for name, predicted in predictions.items():
        scores = task.target.scores(predicted, part.expected)
        found[name] = [None if np.isnan(score) else float(score) for score in scores]
    return found


def base_rate_of(task: Task) -> dict[str, Any] | None:
    """Return the most frequent class of the test part, and the accuracy of always answering it."""
    from automorph.experiments import base_rate

    if task.data.target != "classes":
        return None
    name, accuracy = base_rate(tested_part(task).labels, task.data.classes)
    return {"class": name, "accuracy": accuracy}


def further_scores(task: Task, predictions: Numbers) -> dict[str, float]:
    """Return the target's further metrics on the test part, by name; of repeats, their means.

    ``predictions`` are ``(n,)`` or ``(repeats, n)``.
    """
    labels = tested_part(task).labels
    scores = [task.target.further_scores(one, labels) for one in np.atleast_2d(predictions)]
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}


def tested_part(task: Task) -> Split:
    """Open the test part of a finished training or comparison."""
    from automorph.data import open_test

    return open_test(task.data)


def measured_metrics(
    task: Task, result: RunResult, measured: Comparison | None
) -> list[dict[str, Any]]:
    """Return the metrics of a training that were asked for, for its page.

    On the test part with a bootstrap interval over its examples; of a cross-validation, on the
    examples left out, with standard errors.
    """
    from automorph.metrics import interval

    if not task.asks_metrics:
        return []
    if measured is not None:
        row = measured.rows[0]
        values = [row.accuracy, *(row.also[one.name].value for one in measured.also)]
        return [
            {"title": one.name, "share": one.share, "higher_is_better": one.higher_is_better,
             "value": found.mean, "se": found.se}
            for one, found in zip((measured.metric, *measured.also), values, strict=True)
            if found is not None
        ]  # fmt: skip
    labels, lines = tested_part(task).expected, []
    for scorer in task.scorers:
        at = scorer.fixed(result.thresholds)
        line: dict[str, Any] = {
            "title": scorer.title, "share": scorer.share,
            "higher_is_better": scorer.higher_is_better,
            "threshold": None if scorer.point is None else at,
            "value": result.metrics["test"][scorer.name],
            "validation": result.metrics.get("validation", {}).get(scorer.name),
        }  # fmt: skip
        answers = _answers(task, result)
        if answers is not None:
            ends = interval(scorer, labels, answers, threshold=at)
            line |= {"low": ends.low, "high": ends.high}
        lines.append(line)
    return lines


def _answers(task: Task, result: RunResult) -> NDArray[Any] | None:
    """Return what metrics of the test part are computed from, if the run has kept it."""
    if task.data.target == "masks":
        return result.predictions.get("test")
    logits = result.logits.get("test")
    return None if logits is None else task.target.probabilities(logits)
