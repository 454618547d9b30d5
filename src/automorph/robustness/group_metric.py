"""A metric subgroup by subgroup: what a patch chooses by if that is not accuracy.

Accuracy is judged by groups of one class and one subgroup. Most other metrics need several classes
(a group of one class has no AUROC, and its balanced accuracy is its accuracy), so they are computed
over all examples of a subgroup. A subgroup that the metric has no value in is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import open_part
from automorph.errors import UsageError
from automorph.metrics import Scorer
from automorph.robustness.groups import Grouper
from automorph.training import Task


@dataclass(frozen=True)
class SubgroupValues:
    """A metric of a whole part and of each subgroup that it has a value in, by name.

    ``worst`` and ``mean`` are over these subgroups; None if there is none.
    """

    whole: float
    worst: float | None
    mean: float | None
    subgroups: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def by_subgroup(
    scorer: Scorer,
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    subgroups: NDArray[np.int64],
    names: Sequence[str],
    *,
    threshold: float | None = None,
) -> SubgroupValues:
    """Compute a metric on a part and on each of its subgroups ``(n,)``, which have ``names``.

    ``threshold`` is that of an operating point, the same for all subgroups.

    >>> from automorph.metrics import load_metric
    >>> labels, said = np.array([0, 1, 1, 1, 0]), np.array([0, 1, 0, 1, 0])
    >>> recall = load_metric("recall:ill", ("well", "ill"))
    >>> where = np.array([0, 0, 1, 1, 2])
    >>> by_subgroup(recall, labels, np.eye(2)[said], where, ("a", "b", "c")).subgroups
    {'a': 1.0, 'b': 0.5}
    """
    values = {}
    for number, name in enumerate(names):
        mine = subgroups == number
        if not scorer.undefined(labels[mine]):
            values[name] = scorer.value(labels[mine], probabilities[mine], threshold=threshold)
    known = list(values.values())
    return SubgroupValues(
        scorer.value(labels, probabilities, threshold=threshold),
        worst_of(scorer, known) if known else None,
        fmean(known) if known else None,
        values,
    )


def worst_of(scorer: Scorer, values: Sequence[float]) -> float:
    """Return the worst value: the lowest, or the highest if lower is better."""
    return scorer.sign * min(scorer.sign * value for value in values)


def check_choosing(task: Task, grouper: Grouper, objectives: Sequence[str] = ()) -> tuple[str, ...]:
    """Return notes on subgroups that the metric of a task has no value in.

    Raises `UsageError` if robust trainings cannot be chosen by it.
    """
    if task.metric == "accuracy":
        return ()
    scorer = task.scorer
    if scorer.point is not None:
        raise UsageError(
            f"got the metric {scorer.name!r} to choose a patch by; expected one without a "
            "threshold, because a threshold fixed on all subgroups together gives each another "
            f"{scorer.name.partition('@')[2].partition('=')[0]}, and the worst subgroup can gain "
            "by false alarms alone. Choose by auroc, balanced-accuracy or recall:CLASS, and show "
            "this one with --also (also=[..])"
        )
    if scorer.name.startswith("calibration-error"):
        raise UsageError(
            f"got the metric {scorer.name!r} to choose a patch by; expected one that small "
            "subgroups do not bias: the calibration error is the higher the fewer examples a "
            "subgroup has. Choose by log-loss or brier, and show this one with --also (also=[..])"
        )
    if any(name.startswith("dfr") for name in objectives):
        raise UsageError(
            f"got the objective dfr with the metric {scorer.name!r}; expected accuracy: dfr fits "
            "its last layer to validation examples, and holds half of them out for the robust "
            "accuracy only. Leave out --metric (metric), or choose another objective"
        )
    notes = []
    for name in task.data.parts:
        part = open_part(task.data, name)
        if name == "train" or part.subgroups is None:
            continue
        reasons = {
            subgroup: reason
            for number, subgroup in enumerate(grouper.subgroups)
            if (reason := scorer.undefined(part.labels[part.subgroups == number]))
        }
        known = len(grouper.subgroups) - len(reasons)
        words = "; ".join(f"{subgroup}: {reason}" for subgroup, reason in reasons.items())
        if known < 2:
            raise UsageError(
                f"{scorer.title} has a value in {known} of {len(grouper.subgroups)} subgroups of "
                f"the {name} part ({words}); expected at least 2, of which the worst chooses. "
                "Choose by accuracy, which needs one class only, or by another metric"
            )
        if reasons:
            notes.append(
                f"{scorer.title} has no value in some subgroups of the {name} part, which are left "
                f"out of its worst value and its mean ({words})."
            )
    return tuple(notes)
