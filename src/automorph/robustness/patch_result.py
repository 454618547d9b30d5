"""The result of a patch: the objectives over the seeds, the best one, and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from automorph._moved import renamed_attributes
from automorph.experiments import (
    Difference,
    Kind,
    Summary,
    Verdict,
    interval,
    paired_difference,
    points,
    summarise,
)
from automorph.robustness.audit_result import Audit, one_answer
from automorph.robustness.translators.selection import Choice
from automorph.robustness.treatments import PatchCell
from automorph.training import Units


@dataclass(frozen=True)
class TreatmentRow:
    """One objective over the seeds, on the test part; ``selected`` is the accuracy that chose.

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
    ``looks`` are pictures for the report.
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
        }


def rows_of(
    names: list[str], seeds: tuple[int, ...], numbers: dict[PatchCell, dict[str, Any]]
) -> tuple[TreatmentRow, ...]:
    """Return one row per objective, from the numbers of all cells."""

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
                over(name, "selected"), over(name, "seconds"), difference,
                _units_of([numbers[PatchCell(name, seed)] for seed in seeds]),
            )
        )  # fmt: skip
    return tuple(rows)


def _units_of(cells: Sequence[Mapping[str, Any]]) -> Units | None:
    """Return the cost of the cells, or None if an older version trained one of them."""
    known = [Units(**cell["units"]) for cell in cells if "units" in cell]
    return sum(known, Units()) if len(known) == len(cells) else None


def best(rows: tuple[TreatmentRow, ...]) -> str:
    """Return the objective of best robust validation accuracy.

    One that is more complicated than balanced sampling must beat it by two standard errors.
    """
    by_name = {row.objective: row for row in rows}
    simple = by_name.get("balanced", rows[0])
    ranked = sorted(rows, key=lambda row: -row.selected.mean)
    if ranked[0].objective == "erm":
        return "erm"
    for row in ranked:
        if row is simple:
            break
        values = np.subtract(row.selected.values, simple.selected.values)
        enough = len(values) < 3 or values.mean() > 2 * values.std(ddof=1) / np.sqrt(len(values))
        if enough and row.objective != "erm" and values.mean() > 0:
            return row.objective
    return simple.objective


def judge(
    rows: tuple[TreatmentRow, ...],
    chosen: str,
    before: Audit,
    after: Audit,
    seeds: tuple[int, ...],
) -> Verdict:
    """Return the verdict on the chosen objective, against the old model and balanced sampling."""
    text = (
        f"Robust accuracy goes from {before.robust_accuracy:.1%} to {after.robust_accuracy:.1%} "
        f"with {chosen}; accuracy from {before.accuracy.value:.1%} to {after.accuracy.value:.1%}."
    )
    if before.only is not None:
        text += " " + one_answer("The network before", before.only)
    if after.only is not None:
        return Verdict("unclear", f"{text} {one_answer('The network after', after.only)}")
    row = next(row for row in rows if row.objective == chosen)
    kind = _kind(rows, row, before, after)
    if chosen == "erm":
        return Verdict("unclear", f"{text} No objective beats plain training: keep it.")
    if after.robust_accuracy <= before.robust_accuracy:
        worst = after.worst
        return Verdict(
            "worse" if kind == "worse" else "unclear",
            f"{text} No objective mended it: keep the model you have. More examples of "
            f"({worst.class_name}, {worst.subgroup}) would help most.",
        )
    if row.difference is not None:
        d = row.difference
        beats = d.low is not None and d.low > 0
        words = (
            "so what is added to balanced sampling pays"
            if beats
            else "so it is not shown to beat balanced sampling, which is simpler"
        )
        text += (
            f" Against balanced sampling {chosen} is {points(d.mean)} points ({interval(d)}; "
            f"{len(seeds)} paired seeds), {words}."
        )
    elif chosen == "balanced":
        text += " Balanced sampling suffices: no other objective is better by two standard errors."
    if kind != "better":
        gap = _over_plain(rows, row)
        difference = "" if gap is None else f": {points(gap.mean)} points ({interval(gap)})"
        text += f" Over plain training the gain is within chance{difference}."
    return Verdict(kind, text)


def _kind(rows: tuple[TreatmentRow, ...], row: TreatmentRow, before: Audit, after: Audit) -> Kind:
    """Compare with plain training seed by seed, or with the user's model, beyond chance."""
    d = _over_plain(rows, row)
    if d is None:
        better = after.robust.low > before.robust_accuracy
        return "better" if better else "unclear"
    if d.low is None or d.high is None:
        return "unclear"
    return "better" if d.low > 0 else "worse" if d.high < 0 else "unclear"


def _over_plain(rows: tuple[TreatmentRow, ...], row: TreatmentRow) -> Difference | None:
    """Return the difference from plain training per seed; None without it or with one seed."""
    plain = next((one for one in rows if one.objective == "erm"), None)
    if plain is None or len(row.robust_accuracy.values) < 2:
        return None
    return paired_difference(row.robust_accuracy.values, plain.robust_accuracy.values)
