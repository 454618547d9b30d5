"""The metrics of a task: which one chooses, what it needs, and its values after a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from automorph.data import class_counts, expected_by_part
from automorph.errors import UsageError
from automorph.metrics import DEFAULTS, default_metric, load_metric
from automorph.targets import SeveralLabels
from automorph.training.evaluation import Evaluation
from automorph.training.run_defaults import metric_begun
from automorph.training.task import Task


@dataclass(frozen=True)
class Judged:
    """``metrics`` by part and name, and the ``thresholds`` of those with an operating point."""

    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)


def with_metrics(
    task: Task,
    metric: str | None,
    also: Sequence[str] = (),
    *,
    run_folder: Path | None = None,
    defaults: str = "",
) -> Task:
    """Return the task with its metric and the further ones, under their full names.

    Without a ``metric``, it is accuracy, or balanced accuracy for classes of very unequal sizes,
    with a note. Runs that were begun with accuracy, and the ``defaults`` of version 0.1, keep it.
    Raises `UsageError` for unknown metrics and for those that a part of the data has no value of.
    """
    also = [also] if isinstance(also, str) else also
    if task.data.target != "classes":
        return _with_metrics_of(task, metric, also)
    classes = task.data.classes
    counts = class_counts(task.data)
    note = ""
    if metric is None:
        begun = None if run_folder is None else metric_begun(run_folder)
        metric, note = default_metric(counts["train"], classes)
        if defaults == "0.1" or begun == "accuracy":
            metric, note = "accuracy", ""
    names = [load_metric(name, classes).name for name in (metric, *also)]
    data = task.data.noting(note) if note else task.data
    task = replace(
        task, data=data, metric=names[0], also=tuple(n for n in dict.fromkeys(names[1:])
                                                    if n != names[0]),
    )  # fmt: skip
    for scorer in task.scorers:
        noted = False
        for part in counts:
            if part == "train":
                continue
            present = np.flatnonzero(counts[part])
            if reason := scorer.undefined(present):
                raise UsageError(
                    f"{scorer.title} has no value on the {part} part of {task.name}: {reason}. "
                    "Choose another metric, or a larger or stratified part"
                )
            missing = [name for k, name in enumerate(classes) if k not in present]
            if scorer.averages and missing and not noted:
                noted = True  # Folds would repeat it.
                task = replace(task, data=task.data.noting(
                    f"the {part} part has no example of {', '.join(map(repr, missing))}: "
                    f"{scorer.title} there is the mean over the other "
                    f"{len(present)} of {len(classes)} classes"
                ))  # fmt: skip
        if scorer.point is not None and not any(one.startswith("validation") for one in counts):
            raise UsageError(
                f"{scorer.title} needs a validation part, on which its threshold is fixed, and "
                f"{task.name} has none. Create one with automorph.data.split(data, validation=0.2)"
            )
    return task


def _with_metrics_of(task: Task, metric: str | None, also: Sequence[str]) -> Task:
    """Return a task of several labels, values or masks with its metrics."""
    data = task.data
    given = (metric or DEFAULTS[data.target], *also)
    first, *others = dict.fromkeys(
        load_metric(name, data.predicted, data.target).name for name in given
    )
    task = replace(task, metric=first, also=tuple(others))
    known = expected_by_part(data)
    for scorer in task.scorers:
        noted = False
        for part, expected in known.items():
            if why := scorer.undefined(expected):
                raise UsageError(
                    f"{scorer.title} has no value on the {part} part of {task.name}: {why}. "
                    "Choose another metric, or a larger part"
                )
            if (remark := scorer.remark(expected)) and not noted:
                noted = True  # Folds would repeat it.
                task = replace(task, data=task.data.noting(f"the {part} part has {remark}"))
    if data.target == "labels" and data.validation is None and data.folds is None:
        task = replace(task, data=task.data.noting(
            "there is no validation part on which thresholds of labels could be fixed: a label is "
            "predicted from a probability of 0.5 on"
        ))  # fmt: skip
    return task


def judge(
    task: Task, evaluations: Mapping[str, Evaluation], fixed: Mapping[str, float] | None = None
) -> Judged:
    """Compute the metrics of a task on evaluated parts; thresholds come from the validation part.

    ``fixed`` are the thresholds of a training that was evaluated before.
    A task that is judged by accuracy alone has none: results state the accuracy already.
    """
    if not task.asks_metrics:
        return Judged()
    validation = evaluations.get("validation")
    thresholds = dict(fixed or {})
    for scorer in task.scorers:
        if validation is not None and scorer.fixed(thresholds) is None:
            thresholds |= scorer.fix(validation.labels, validation.probabilities)
    metrics = {
        part: {
            scorer.name: scorer.value(
                seen.labels, seen.probabilities, threshold=scorer.fixed(thresholds)
            )
            for scorer in task.scorers
        }
        for part, seen in evaluations.items()
    }
    return Judged(metrics, thresholds)


def by_thresholds(
    evaluations: Mapping[str, Evaluation], thresholds: Mapping[str, float], task: Task
) -> dict[str, Evaluation]:
    """Return evaluations that decide by the thresholds of labels, if there are any."""
    at = task.scorer.fixed(thresholds) if isinstance(task.target, SeveralLabels) else None
    if at is None or not isinstance(task.target, SeveralLabels):
        return dict(evaluations)
    target = task.target.with_thresholds(at.tolist())
    return {part: replace(seen, target=target) for part, seen in evaluations.items()}
