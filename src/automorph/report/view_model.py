"""The result of a comparison as a report reads it: ordered rows, names, colours, cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from automorph import _moved
from automorph.report import figures, formatting
from automorph.report.metric_words import MetricWords

JsonObject = Mapping[str, Any]
IDLE = 0.1
"""Largest share of other work on a machine whose wall times are compared."""


@dataclass(frozen=True)
class ResultEntry:
    """One policy in one part of a result."""

    policy: str
    label: str
    colour: int
    content: JsonObject


@_moved.renamed_arguments(found="content")
@_moved.renamed_attributes(found="content")
@dataclass(frozen=True)
class Results:
    """A view of the object that ``compare`` returns."""

    content: JsonObject

    @cached_property
    def rows(self) -> list[JsonObject]:
        """The rows that have an accuracy, best first."""
        good = [row for row in self.content["rows"] if not _failed(row)]
        return sorted(good, key=lambda row: row.get("rank") or len(good) + 1)

    @cached_property
    def failed(self) -> list[JsonObject]:
        """The rows that have no accuracy."""
        return [row for row in self.content["rows"] if _failed(row)]

    @cached_property
    def baseline(self) -> JsonObject | None:
        """The row that differences are taken from."""
        return self._row(self.content.get("baseline"))

    @cached_property
    def winner(self) -> JsonObject | None:
        """The row of the winner."""
        return self._row(self.content.get("winner"))

    @property
    def chosen(self) -> JsonObject | None:
        """The winner, or the best row if there is no winner."""
        return self.winner or (self.rows[0] if self.rows else None)

    @cached_property
    def colours(self) -> dict[str, int]:
        """One colour per policy for the whole page."""
        names = [row["policy"] for row in [*self.rows, *self.failed]]
        for part in ("curves", "previews", "policies"):
            names += self.content.get(part) or {}
        ends = {end: self.content.get(end) for end in ("baseline", "winner")}
        return figures.colours(names, **ends)

    @property
    def external(self) -> bool:
        """True if the user's own command or function trained."""
        return self.content.get("trained_by") is not None

    @cached_property
    def metric(self) -> MetricWords:
        """What the rows measure, in the words of the page."""
        return MetricWords(self.content.get("metric"))

    @property
    def seeds(self) -> int:
        """The number of seeds."""
        return len(self.content["seeds"])

    @property
    def pair(self) -> str:
        """What the trainings of a policy differ by: ``seed``, or ``fold``."""
        return "fold" if self.content.get("folds") else "seed"

    @property
    def validated(self) -> bool:
        """True if the rows have validation values of their own, which choose the winner."""
        return self.metric.part != "validation" and any(row.get("validation") for row in self.rows)

    @property
    def level(self) -> str:
        """The confidence level of the intervals.

        >>> Results({"confidence": 0.95}).level
        '95%'
        """
        return f"{100 * self.content.get('confidence', 0.95):g}%"

    def label(self, row: JsonObject | str | None) -> str:
        """Return the name to show for a row or a policy."""
        policy = row if isinstance(row, str) or row is None else row["policy"]
        named = (one.get("label") for one in self.content["rows"] if one["policy"] == policy)
        return str(next(named, None) or policy)

    def entries(self, part: str) -> list[ResultEntry]:
        """Return a part (``curves``, ``previews``, ``policies``) in the order of the table."""
        place = {row["policy"]: number for number, row in enumerate([*self.rows, *self.failed])}
        part_content = self.content.get(part) or {}
        return [
            ResultEntry(policy, self.label(policy), self.colours[policy], part_content[policy])
            for policy in sorted(part_content, key=lambda policy: place.get(policy, len(place)))
        ]

    def standing(self, row: JsonObject) -> float:
        """Rank a row by its mean validation value, never by the test part; higher is better."""
        mean = (row.get("validation") or {}).get("mean")
        return -math.inf if mean is None else float(self.metric.sign * mean)

    def passes(self, row: JsonObject | None) -> float | None:
        """Return the passes of one training; of the user's own, those over the training data.

        >>> Results({"seeds": [0, 1]}).passes({"units": {"forward": 900, "backward": 300}})
        250.0
        """
        units = (row or {}).get("units") or {}  # Summed over the seeds.
        stopped = (row or {}).get("note")  # Then it has fewer seeds than the others.
        runs = len((row or {})["accuracy"]["values"]) if stopped else self.seeds
        if "passes" in units:
            return float(units["passes"]) / runs
        # As `Units.passes`: a backward pass takes twice the arithmetic of a forward pass.
        return (units["forward"] + 2 * units["backward"]) / 3 / runs if units else None

    def relative_passes(self, row: JsonObject) -> float | None:
        """Return the passes of a row's training relative to the baseline."""
        mine, theirs = self.passes(row), self.passes(self.baseline)
        return mine / theirs if mine and theirs else None

    def relative_time(self, row: JsonObject) -> float | None:
        """Return a row's wall time relative to the baseline, if the machine was idle for both."""
        mine, theirs = seconds(row), seconds(self.baseline)
        idle = all(_idle(one) for one in (row, self.baseline))
        return mine / theirs if mine and theirs and idle else None

    @property
    def about_times(self) -> str:
        """Why wall times have no ratio; empty if they have one."""
        others = [row for row in self.rows if row is not self.baseline]
        if self.baseline is None or None not in map(self.relative_time, others):
            return ""
        shares: list[Any] = [_busy(row) for row in self.rows]
        if None in shares:
            return "without a ratio, because it is not known whether the machine was idle"
        busiest = formatting.percent(max(shares), 0)
        return f"without a ratio, because other work used up to {busiest} of the machine"

    def _row(self, policy: str | None) -> JsonObject | None:
        return next((row for row in self.rows if row["policy"] == policy), None)


def seconds(row: JsonObject | None) -> float | None:
    """Return the mean seconds of one training."""
    return ((row or {}).get("seconds") or {}).get("mean")


def _busy(row: JsonObject | None) -> float | None:
    """Return how busy the machine was with other work; None in results of older versions."""
    return ((row or {}).get("seconds") or {}).get("busy")


def _idle(row: JsonObject | None) -> bool:
    busy = _busy(row)
    return busy is not None and busy <= IDLE


def difference(row: JsonObject | None) -> JsonObject:
    """Return a row's difference from the baseline, or an empty mapping."""
    gap: JsonObject = (row or {}).get("difference") or {}
    return gap


def p_value(row: JsonObject | None) -> float | None:
    """Return the p-value of a row's difference, corrected for multiple comparisons if known."""
    gap = difference(row)
    adjusted: float | None = gap.get("p_adjusted")
    return gap.get("p") if formatting.absent(adjusted) else adjusted


def _failed(row: JsonObject) -> bool:
    return bool(row.get("error")) or formatting.absent((row.get("accuracy") or {}).get("mean"))
