"""Groups with hardly any test examples: measured on test examples translated into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split, open_test
from automorph.experiments import Summary, summarise
from automorph.robustness.audit_result import LEAST
from automorph.robustness.group_metric import by_subgroup
from automorph.robustness.groups import grouper_of
from automorph.robustness.robust import robust_accuracy
from automorph.robustness.translators.base import Translator, known_of
from automorph.robustness.treatments import PatchCell
from automorph.training import Evaluation, Task, evaluate


@dataclass(frozen=True)
class Untested:
    """What real test examples cannot tell: ``groups`` (class, subgroup) have fewer than 10 of them.

    ``before``, ``after`` and the seeds of the ``objectives`` are the robust accuracy, or the metric
    in the worst subgroup, if ``n`` test examples that were translated into these groups count, too.
    """

    groups: tuple[tuple[str, str], ...]
    n: int
    before: float
    after: float
    objectives: dict[str, Summary]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class TranslatedTest:
    """The test part, and test examples translated into the groups that have hardly any.

    ``made`` are these examples, ``groups`` int64 ``(n,)`` those of the whole: real ones first.
    """

    real: Split
    made: Split
    groups: NDArray[np.int64]

    def value(self, task: Task, model: nn.Module, seen: Evaluation | None = None) -> float:
        """Return a model's robust accuracy, or the task's metric in the worst subgroup.

        ``seen`` is its evaluation on the real test part, if there is one already.
        """
        real = self._evaluate(task, model, self.real) if seen is None else seen
        made = self._evaluate(task, model, self.made)
        if task.metric == "accuracy":
            return robust_accuracy(np.concatenate([real.correct, made.correct]), self.groups)
        labels, probabilities = (
            np.concatenate([getattr(one, name) for one in (real, made)])
            for name in ("labels", "probabilities")
        )
        names = task.data.subgroup_names
        subgroups = self.groups % len(names)
        worst = by_subgroup(task.scorer, labels, probabilities, subgroups, names).worst
        assert worst is not None
        return worst

    def _evaluate(self, task: Task, model: nn.Module, part: Split) -> Evaluation:
        return evaluate(model, part, encoder=task.encoder, target=task.target)


def translated_test(task: Task, translator: Translator | None) -> TranslatedTest | None:
    """Translate test examples into groups of their class with fewer than 10 test examples.

    Return None without a translator, or if it reaches no such group.
    """
    if translator is None:
        return None
    test, grouper = open_test(task.data), grouper_of(task.data)
    known, rare = known_of(test), grouper.counts(test) < LEAST
    images, labels, groups = [], [], []
    for source, target in sorted(translator.directions):
        into = grouper(known.labels, np.full_like(known.labels, target))
        rows = np.flatnonzero((known.subgroups == source) & rare[into])
        if len(rows):
            images.append(translator.translate(test.data[rows], target, known.rows(rows)))
            labels.append(test.labels[rows])
            groups.append(into[rows])
    if not images:
        return None
    made = Split(np.concatenate(images), np.concatenate(labels))
    return TranslatedTest(test, made, np.concatenate([grouper.of(test), *groups]))


def untested_groups(
    task: Task,
    translator: Translator | None,
    models: Mapping[str, nn.Module],
    seen: Mapping[str, Evaluation],
    cells: Iterable[PatchCell],
    load: Callable[[PatchCell], nn.Module],
) -> Untested | None:
    """Measure the models ``before`` and ``after``, and all trainings, with translated examples.

    ``seen`` are evaluations of the two models on the test part; ``load`` returns a cell's model.
    Return None if no translator reaches a group with fewer than 10 test examples.
    """
    wider = translated_test(task, translator)
    if wider is None:
        return None
    values: dict[str, list[float]] = {}
    for cell in cells:
        values.setdefault(cell.objective, []).append(wider.value(task, load(cell)))
    before, after = (wider.value(task, models[name], seen[name]) for name in ("before", "after"))
    names = grouper_of(task.data).names
    return Untested(
        tuple(names[group] for group in np.unique(wider.groups[len(wider.real) :])),
        len(wider.made), before, after,
        {name: summarise(own) for name, own in values.items()},
    )  # fmt: skip
