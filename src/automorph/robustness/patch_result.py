"""The result of a patch: the objectives over the seeds, the best one, and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from automorph._moved import renamed_attributes
from automorph.experiments import (
    ACCURACY,
    Difference,
    Kind,
    Metric,
    Summary,
    Verdict,
    paired_difference,
    summarise,
)
from automorph.notebook import table_html
from automorph.robustness.audit_result import LEAST, Audit, one_answer
from automorph.robustness.patch_metrics import PatchedMetric
from automorph.robustness.translators.selection import Choice
from automorph.robustness.treatments import PatchCell
from automorph.robustness.untested import Untested
from automorph.training import Units


@dataclass(frozen=True)
class TreatmentRow:
    """One objective over the seeds, on the test part; ``selected`` is the value that chose.

    It is the robust accuracy on the validation part, or with another metric than accuracy, that of
    the worst subgroup there.
    ``units`` are summed over the seeds (None: trained by an older version).
    """

    objective: str
    robust_accuracy: Summary
    accuracy: Summary
    gap: dict[str, Summary]
    mutual_information: Summary
    selected: Summary
    seconds: Summary
    difference: Difference | None = None
    units: Units | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; shares as fractions, gaps and their values in points."""
        plain = {
            "objective": self.objective,
            "robust_accuracy": vars(self.robust_accuracy),
            "accuracy": vars(self.accuracy),
            "gap": {name: vars(one) for name, one in self.gap.items()},
            "mutual_information": vars(self.mutual_information),
            "validation_robust_accuracy": vars(self.selected),
            "seconds": vars(self.seconds),
            "difference": None if self.difference is None else vars(self.difference),
        }
        return plain if self.units is None else {**plain, "units": vars(self.units)}


@renamed_attributes(arms="treatments")
@dataclass(frozen=True, eq=False)
class Patched:
    """The result of a patch.

    ``before`` and ``after`` are audits of the test part; ``treatments`` are the objectives under
    paired seeds, with differences from balanced sampling; ``objective`` is the one that mended the
    model, ``seed`` the seed of the kept training; ``flips`` is how often a prediction changes with
    the subgroup, before and after; ``on_mark`` is the saliency on the mark relative to its area;
    ``looks`` are pictures for the report. ``metrics`` are those that were asked for, if another one
    than accuracy was; epoch, objective and seed are then chosen by ``metric``. If groups have
    hardly any test examples (``untested``), the verdict counts translated ones, too.
    """

    before: Audit
    after: Audit
    treatments: tuple[TreatmentRow, ...]
    objective: str
    seed: int
    choice: Choice
    verdict: Verdict
    flips: dict[str, float | None]
    on_mark: dict[str, float | None]
    notes: tuple[str, ...]
    seeds: tuple[int, ...]
    checkpoint: Path
    card: Path
    model: nn.Module
    looks: dict[str, Any]
    seconds: float
    metric: str = ACCURACY.name
    metrics: tuple[PatchedMetric, ...] = ()
    untested: Untested | None = None

    def _repr_html_(self) -> str:
        """Return the verdict, the model before and after, and the objectives, for notebooks."""
        audits = [
            [name, f"{found.accuracy.value:.1%}", f"{found.robust_accuracy:.1%}",
             f"{found.worst.class_name}, {found.worst.subgroup}"]
            for name, found in (("before", self.before), ("after", self.after))
        ]  # fmt: skip
        columns = ["model", "accuracy", "robust accuracy", "worst group"]
        rows = [
            [row.objective, f"{row.accuracy.mean:.1%}", f"{row.robust_accuracy.mean:.1%}",
             *_against(row.difference)]
            for row in self.treatments
        ]  # fmt: skip
        heads = [
            "objective",
            "accuracy",
            "robust accuracy",
            "against balanced sampling",
            "interval",
        ]
        note = " ".join((f"{len(self.seeds)} paired seeds.", *self.notes))
        return table_html(columns, audits, title=self.verdict.text) + table_html(
            heads, rows, note=note
        )

    def __getitem__(self, objective: str) -> TreatmentRow:
        return next(row for row in self.treatments if row.objective == objective)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``--json`` prints it."""
        return {
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "arms": [row.to_dict() for row in self.treatments],
            "objective": self.objective,
            "seed": self.seed,
            "seeds": list(self.seeds),
            "translator": self.choice.to_dict(),
            "verdict": vars(self.verdict),
            "flip_rate": self.flips,
            "saliency_on_mark": self.on_mark,
            "notes": list(self.notes),
            "checkpoint": str(self.checkpoint),
            "card": str(self.card),
            "seconds": self.seconds,
            **(
                {"metric": self.metric, "metrics": [one.to_dict() for one in self.metrics]}
                if self.metrics else {}
            ),
            **({} if self.untested is None else {"untested": self.untested.to_dict()}),
        }  # fmt: skip


def _against(difference: Difference | None) -> tuple[str, str]:
    """Return a difference in points and its interval, in words; empty without one."""
    if difference is None:
        return "", ""
    return ACCURACY.difference(difference.mean), ACCURACY.interval(difference)


def rows_of(
    names: list[str],
    seeds: tuple[int, ...],
    numbers: dict[PatchCell, dict[str, Any]],
    *,
    sign: int = 1,
) -> tuple[TreatmentRow, ...]:
    """Return one row per objective, from the numbers of all cells; ``sign`` is the metric's."""

    def over(name: str, *keys: str) -> Summary:
        values = []
        for seed in seeds:
            value: Any = numbers[PatchCell(name, seed)]
            for key in keys:
                value = value[key]
            values.append(float(value))
        return summarise(values)

    rows = []
    for name in names:
        gaps = numbers[PatchCell(name, seeds[0])]["test"]["gap"]
        robust = over(name, "test", "robust_accuracy")
        difference = None
        if "balanced" in names and name != "balanced":
            base = over("balanced", "test", "robust_accuracy")
            difference = paired_difference(robust.values, base.values)
        rows.append(
            TreatmentRow(
                name, robust, over(name, "test", "accuracy"),
                {y: over(name, "test", "gap", y) for y in gaps},
                over(name, "test", "mutual_information"),
                _signed(over(name, "selected"), sign), over(name, "seconds"), difference,
                _units_of([numbers[PatchCell(name, seed)] for seed in seeds]),
            )
        )  # fmt: skip
    return tuple(rows)


def _signed(selected: Summary, sign: int) -> Summary:
    """Return what chose, higher is better, as values of the metric."""
    return selected if sign > 0 else summarise([-value for value in selected.values])


def _units_of(cells: Sequence[Mapping[str, Any]]) -> Units | None:
    """Return the cost of the cells, or None if an older version trained one of them."""
    known = [Units(**cell["units"]) for cell in cells if "units" in cell]
    return sum(known, Units()) if len(known) == len(cells) else None


def best(rows: tuple[TreatmentRow, ...], *, sign: int = 1) -> str:
    """Return the objective that is best by what chooses; ``sign`` is -1 if lower is better.

    One that is more complicated than balanced sampling must beat it by two standard errors.
    """
    by_name = {row.objective: row for row in rows}
    simple = by_name.get("balanced", rows[0])
    ranked = sorted(rows, key=lambda row: -sign * row.selected.mean)
    if ranked[0].objective == "erm":
        return "erm"
    for row in ranked:
        if row is simple:
            break
        values = sign * np.subtract(row.selected.values, simple.selected.values)
        enough = len(values) < 3 or values.mean() > 2 * values.std(ddof=1) / np.sqrt(len(values))
        if enough and row.objective != "erm" and values.mean() > 0:
            return row.objective
    return simple.objective


@dataclass(frozen=True)
class _Measure:
    """What the verdict is about: robust accuracy, or a metric in the worst subgroup."""

    metric: Metric
    before: float
    after: float
    lead: str
    worst: str
    values: dict[str, Summary]
    differences: dict[str, Difference | None]
    surely_better: bool

    @property
    def improved(self) -> bool:
        """Whether the value after is better than before."""
        return self.metric.sign * (self.after - self.before) > 0


def _of_accuracy(
    rows: tuple[TreatmentRow, ...], chosen: str, before: Audit, after: Audit
) -> _Measure:
    worst = after.worst
    return _Measure(
        ACCURACY, before.robust_accuracy, after.robust_accuracy,
        f"Robust accuracy goes from {before.robust_accuracy:.1%} to {after.robust_accuracy:.1%} "
        f"with {chosen}; accuracy from {before.accuracy.value:.1%} to {after.accuracy.value:.1%}.",
        f"({worst.class_name}, {worst.subgroup})",
        {row.objective: row.robust_accuracy for row in rows},
        {row.objective: row.difference for row in rows},
        after.robust.low > before.robust_accuracy,
    )  # fmt: skip


def _of_metric(found: PatchedMetric, chosen: str) -> _Measure:
    metric, before, after = found.metric, found.before, found.after
    assert before.worst is not None
    assert after.worst is not None
    better = "" if metric.higher_is_better else " (lower is better)"
    worst = next(name for name, value in after.subgroups.items() if value == after.worst)
    return _Measure(
        metric, before.worst, after.worst,
        f"In the worst subgroup, {metric.name}{better} goes from {metric.value(before.worst)} to "
        f"{metric.value(after.worst)} with {chosen}; on all examples from "
        f"{metric.value(before.whole)} to {metric.value(after.whole)}.",
        f"the subgroup {worst!r}",
        {row.objective: row.compared for row in found.objectives},
        {row.objective: row.difference for row in found.objectives},
        False,
    )  # fmt: skip


def _with_translated(measure: _Measure, untested: Untested, chosen: str) -> _Measure:
    """Return the same with the test examples that were translated into groups without any."""
    metric, values = measure.metric, untested.objectives
    groups = ", ".join(f"({name}, {subgroup})" for name, subgroup in untested.groups)
    what, form = f"{metric.name} in the worst subgroup", metric.value
    if metric is ACCURACY:
        what, form = "robust accuracy", "{:.1%}".format
    base = values.get("balanced")
    return replace(
        measure, before=untested.before, after=untested.after, worst=groups, values=values,
        lead=f"With test examples translated into {groups} (fewer than {LEAST} real ones), {what} "
        f"goes from {form(untested.before)} to {form(untested.after)} with {chosen}. On real ones "
        f"alone, {measure.lead[0].lower()}{measure.lead[1:]}",
        differences={
            name: None if base is None or name == "balanced"
            else paired_difference(own.values, base.values)
            for name, own in values.items()
        },
        surely_better=False,
    )  # fmt: skip


def judge(
    rows: tuple[TreatmentRow, ...],
    chosen: str,
    before: Audit,
    after: Audit,
    seeds: tuple[int, ...],
    by: PatchedMetric | None = None,
    untested: Untested | None = None,
) -> Verdict:
    """Return the verdict on the chosen objective, against the old model and balanced sampling.

    ``by`` is the metric that chose, if it is not accuracy. If groups have hardly any test examples
    (``untested``), test examples that were translated into them count, too.
    """
    measure = _of_accuracy(rows, chosen, before, after) if by is None else _of_metric(by, chosen)
    if untested is not None:
        measure = _with_translated(measure, untested, chosen)
    metric, text = measure.metric, measure.lead
    if before.only is not None:
        text += " " + one_answer("The network before", before.only)
    if after.only is not None:
        return Verdict("unclear", f"{text} {one_answer('The network after', after.only)}")
    kind = _kind(measure, chosen)
    if chosen == "erm":
        return Verdict("unclear", f"{text} No objective beats plain training: go on with it.")
    if not measure.improved:
        return Verdict(
            "worse" if kind == "worse" else "unclear",
            f"{text} No objective mended it: keep the model you have. More examples of "
            f"{measure.worst} would help most.",
        )
    if (d := measure.differences[chosen]) is not None:
        lowest = metric.gain(d).low
        words = (
            "so what is added to balanced sampling pays"
            if lowest is not None and lowest > 0
            else "so it is not shown to beat balanced sampling, which is simpler"
        )
        text += (
            f" Against balanced sampling {chosen} is {metric.difference(d.mean)}{metric.unit} "
            f"({metric.interval(d)}; {len(seeds)} paired seeds), {words}."
        )
    elif chosen == "balanced":
        text += " Balanced sampling suffices: no other objective is better by two standard errors."
    if kind != "better":
        gap = _over_plain(measure, chosen)
        difference = (
            ""
            if gap is None
            else f": {metric.difference(gap.mean)}{metric.unit} ({metric.interval(gap)})"
        )
        text += f" Over plain training the gain is within chance{difference}."
    return Verdict(kind, text)


def _kind(measure: _Measure, chosen: str) -> Kind:
    """Compare with plain training seed by seed, or with the user's model, beyond chance."""
    d = _over_plain(measure, chosen)
    if d is None:
        return "better" if measure.surely_better else "unclear"
    gain = measure.metric.gain(d)
    if gain.low is None or gain.high is None:
        return "unclear"
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "unclear"


def _over_plain(measure: _Measure, chosen: str) -> Difference | None:
    """Return the difference from plain training per seed; None without it or with one seed."""
    plain, own = measure.values.get("erm"), measure.values[chosen]
    if plain is None or len(own.values) < 2:
        return None
    return paired_difference(own.values, plain.values)
