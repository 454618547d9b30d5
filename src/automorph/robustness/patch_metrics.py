"""The metrics of a patch: before and after, and of each objective over the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from automorph.experiments import (
    Difference,
    Metric,
    Summary,
    metric_for,
    paired_difference,
    summarise,
)
from automorph.robustness.group_metric import SubgroupValues, by_subgroup
from automorph.robustness.treatments import PatchCell
from automorph.training import Evaluation, Task, evaluate


@dataclass(frozen=True)
class ObjectiveMetric:
    """A metric of one objective on the test part: over all examples, and of the worst subgroup.

    ``difference`` is that of the worst subgroup from balanced sampling, or of all examples if the
    metric has no value in any subgroup.
    """

    objective: str
    whole: Summary
    worst: Summary | None
    mean: Summary | None
    difference: Difference | None = None

    @property
    def compared(self) -> Summary:
        """The values that are compared."""
        return self.whole if self.worst is None else self.worst


@dataclass(frozen=True)
class PatchedMetric:
    """A metric of the model before and after, and of the objectives."""

    metric: Metric
    before: SubgroupValues
    after: SubgroupValues
    objectives: tuple[ObjectiveMetric, ...]

    def __getitem__(self, objective: str) -> ObjectiveMetric:
        return next(one for one in self.objectives if one.objective == objective)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **self.metric.to_dict(),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "objectives": [asdict(one) for one in self.objectives],
        }


def patched_metrics(
    task: Task,
    models: Mapping[str, nn.Module],
    seen: Mapping[str, Evaluation],
    subgroups: Any,
    names: Sequence[str],
    seeds: Sequence[int],
    numbers: Mapping[PatchCell, Mapping[str, Any]],
) -> tuple[PatchedMetric, ...]:
    """Return the metrics that a task asks for besides accuracy; ``names`` are the objectives.

    ``models`` and their evaluations ``seen`` on the test part are those before and after,
    ``subgroups`` ``(n,)`` those of the test part. A threshold is that of the validation part.
    """
    found, validation = [], task.data.parts["validation"]
    for scorer in task.scorers:
        if scorer.name == "accuracy":
            continue  # The audits have it.
        sides = {}
        for side, model in models.items():
            at = None
            if scorer.point is not None:
                known = evaluate(model, validation, encoder=task.encoder, target=task.target)
                at = scorer.threshold(known.labels, known.probabilities)
            one = seen[side]
            sides[side] = by_subgroup(
                scorer, one.labels, one.probabilities, subgroups, task.data.subgroup_names,
                threshold=at,
            )  # fmt: skip
        values = {name: [numbers[PatchCell(name, seed)] for seed in seeds] for name in names}
        rows = {name: _over_seeds(scorer.name, name, cells) for name, cells in values.items()}
        base = rows.get("balanced")
        found.append(
            PatchedMetric(
                metric_for(scorer), sides["before"], sides["after"],
                tuple(
                    row if base is None or row is base
                    else ObjectiveMetric(
                        row.objective, row.whole, row.worst, row.mean,
                        paired_difference(row.compared.values, base.compared.values),
                    )
                    for row in rows.values()
                ),
            )
        )  # fmt: skip
    return tuple(found)


def _over_seeds(metric: str, objective: str, cells: Sequence[Mapping[str, Any]]) -> ObjectiveMetric:
    """Return the values of a metric on the test part over the seeds of an objective."""
    kept = [cell["metrics"]["test"][metric] for cell in cells]

    def over(key: str) -> Summary | None:
        values = [one[key] for one in kept]
        return None if None in values else summarise(values)

    whole = over("whole")
    assert whole is not None
    return ObjectiveMetric(objective, whole, over("worst"), over("mean"))
