"""The table of a comparison from its cells: accuracies, paired differences, curves, predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import _moved
from automorph.data import Folds
from automorph.experiments.job import JobResult, Treatment
from automorph.experiments.sequential import Looks
from automorph.experiments.statistics import Difference, Summary, holm, paired_difference, summarise
from automorph.metrics import Scorer
from automorph.policies import Policy
from automorph.training import Units, unpacked

Progress = Callable[["Cell", float], object]
"""Called with a cell and the fraction of its training that is done."""


@_moved.renamed_arguments(arm="treatment")
@_moved.renamed_attributes(arm="treatment")
@dataclass(frozen=True)
class Cell:
    """One training: the index of its policy in the comparison, and its seed."""

    treatment: int
    seed: int


@_moved.renamed_arguments(arm="treatment")
def policy_of(treatment: Treatment) -> Policy:
    """Return the policy; for an in-training method, the policy that it draws from at first."""
    return treatment if isinstance(treatment, Policy) else treatment.policy


@dataclass(frozen=True)
class Measured:
    """One further metric of a policy: its values on the test part and the paired difference."""

    value: Summary
    difference: Difference | None = None


@dataclass(frozen=True)
class Row:
    """One policy: accuracies over the seeds, paired difference from the baseline, cost.

    With another metric than accuracy, ``accuracy`` and ``validation`` are its values; ``also``
    holds further metrics by title.
    ``units`` are summed over the seeds: examples ``forward`` and ``backward`` through the network,
    or, of the user's own training, ``passes`` over the training data, if they are known.
    ``seconds`` are wall times; ``busy`` is the mean of `OtherWork.share` meanwhile (None: not
    measured). ``note`` says why a row has fewer seeds than the table, and no interval.
    """

    policy: str
    accuracy: Summary | None
    validation: Summary | None = None
    difference: Difference | None = None
    units: dict[str, int] = field(default_factory=dict)
    seconds: Summary | None = None
    error: str | None = None
    busy: float | None = field(default=None, compare=False)
    also: dict[str, Measured] = field(default_factory=dict)
    note: str = ""

    @property
    def passes(self) -> float | None:
        """Passes of one training (see `Units.passes`), or over the training data; None: unknown."""
        if not self.units or self.accuracy is None:
            return None
        total = self.units["passes"] if "passes" in self.units else Units(**self.units).passes
        return total / len(self.accuracy.values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; ``busy`` is part of ``seconds`` (not measured by older versions)."""
        plain = asdict(self)
        if (busy := plain.pop("busy")) is not None and self.seconds is not None:
            plain["seconds"]["busy"] = busy
        for name in ("also", "note"):
            if not plain[name]:
                del plain[name]
        return plain


def rows_of(
    names: list[str],
    seeds: tuple[int, ...],
    results: Mapping[Cell, JobResult],
    base: str,
    confidence: float,
    scorers: Sequence[Scorer] = (),
    *,
    overlap: float = 0.0,
    looks: Looks | None = None,
) -> tuple[Row, ...]:
    """Make the rows of the table from finished cells, with differences from ``base``.

    ``scorers`` are the metrics of the task, if it asks for others than accuracy; the first one
    makes the table, and the rest are further ones. ``overlap`` is that of `paired_difference`;
    ``looks`` is the design of a table that may have stopped early.
    """
    compare = partial(paired_difference, overlap=overlap) if looks is None else looks.difference
    rows = []
    base_cells = [results[Cell(names.index(base), seed)] for seed in seeds]
    for treatment, name in enumerate(names):
        cells = [results[Cell(treatment, seed)] for seed in seeds]
        failed = [outcome.error for outcome in cells if outcome.error]
        if failed:
            rows.append(Row(name, None, error=f"{len(failed)} of {len(cells)}: {failed[0]}"))
            continue
        first = scorers[0] if scorers else None
        sign = first.sign if first else 1
        validation = [sign * cell.score for cell in cells]
        paired = name != base and not any(cell.error for cell in base_cells)
        others = base_cells if paired else []
        value, *more = (
            Measured(
                summarise(tested(cells, scorer), overlap=overlap),
                compare(tested(cells, scorer), tested(others, scorer), confidence=confidence)
                if paired
                else None,
            )
            for scorer in (scorers or (None,))
        )
        rows.append(
            Row(
                name,
                value.value,
                summarise(validation, overlap=overlap)
                if all(map(math.isfinite, validation))
                else None,
                value.difference,
                {
                    way: sum(getattr(cell.units, way) for cell in cells)
                    for way in ("forward", "backward")
                },
                summarise([cell.seconds for cell in cells]),
                busy=_mean_of([cell.facts.get("busy") for cell in cells]),
                also={scorer.title: one for scorer, one in zip(scorers[1:], more, strict=True)},
            )
        )
    return adjusted(rows)


def tested(cells: Sequence[JobResult], scorer: Scorer | None) -> list[float]:
    """Return the values of a metric on the test part (None: accuracy)."""
    if scorer is None:
        return [cell.facts["test_accuracy"] for cell in cells]
    return [cell.facts["metrics"]["test"][scorer.name] for cell in cells]


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def adjusted(rows: list[Row]) -> tuple[Row, ...]:
    """Return the rows with their p-values corrected for one another (Holm 1979)."""
    tested = [i for i, row in enumerate(rows) if row.difference and row.difference.p is not None]
    adjusted = holm([rows[i].difference.p or 0.0 for i in tested])  # type: ignore[union-attr]
    for i, p in zip(tested, adjusted, strict=True):
        row = rows[i]
        assert row.difference is not None
        known = asdict(row.difference) | {"p_adjusted": float(p)}
        rows[i] = replace(row, difference=Difference(**known))
    return tuple(rows)


def curves_of(
    names: Sequence[str], seeds: Sequence[int], results: Mapping[Cell, JobResult]
) -> dict[str, dict[str, Any]]:
    """Return curves, ``{policy: {name: (seeds, epochs)}}``, without policies that failed.

    The curves of trainings that ended earlier than others of the policy are filled up with None.
    """
    found = {}
    for name, cells in _whole(names, seeds, results):
        curves = [cell.facts["curves"] for cell in cells]
        longest = max(curves, key=lambda one: len(one["epoch"]))
        found[name] = {key: [_filled(one[key], longest[key], key) for one in curves]
                       for key in longest}  # fmt: skip
    return found


def _filled(values: list[Any], longest: list[Any], key: str) -> list[Any]:
    rest = len(longest) - len(values)
    return [*values, *(longest[len(values) :] if key == "epoch" else [None] * rest)]


def epochs_of(outcome: JobResult) -> int:
    """Return the number of epochs that a finished training took."""
    return len(outcome.facts["curves"]["epoch"])


def predictions_of(
    names: Sequence[str],
    seeds: Sequence[int],
    results: Mapping[Cell, JobResult],
    folds: Folds | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Predicted classes of the test examples by policy, int64 ``(seeds, n)``.

    With ``folds``, those of all examples, each predicted by the training of every repeat that has
    not seen it, ``(repeats, n)``. Policies with a failed training, or with cells of older versions,
    are left out.
    """
    joined = np.stack if folds is None else folds.pooled
    return {
        name: joined([unpacked(cell.facts["predictions"]) for cell in cells])
        for name, cells in _whole(names, seeds, results)
        if all(cell.facts.get("predictions") for cell in cells)
    }


def _whole(
    names: Sequence[str], seeds: Sequence[int], results: Mapping[Cell, JobResult]
) -> list[tuple[str, list[JobResult]]]:
    """Return the policies whose trainings all finished, with their cells."""
    found = []
    for treatment, name in enumerate(names):
        cells = [results[Cell(treatment, seed)] for seed in seeds]
        if not any(cell.error for cell in cells):
            found.append((name, cells))
    return found
