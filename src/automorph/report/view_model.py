"""A comparison's result as a report reads it: rows in order, names, colours, cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from automorph.report import figures, formatting

Found = Mapping[str, Any]


@dataclass(frozen=True)
class ResultEntry:
    """What a result says about one policy in one of its parts."""

    policy: str
    label: str
    colour: int
    found: Found


@dataclass(frozen=True)
class Results:
    """The object that ``compare`` returns, read; nothing in it is computed anew."""

    found: Found

    @cached_property
    def rows(self) -> list[Found]:
        """The rows that have an accuracy, best first."""
        good = [row for row in self.found["rows"] if not _failed(row)]
        return sorted(good, key=lambda row: row.get("rank") or len(good) + 1)

    @cached_property
    def failed(self) -> list[Found]:
        """The rows that have none."""
        return [row for row in self.found["rows"] if _failed(row)]

    @cached_property
    def baseline(self) -> Found | None:
        """The row that all others are held against."""
        return self._row(self.found.get("baseline"))

    @cached_property
    def winner(self) -> Found | None:
        """The row that came first."""
        return self._row(self.found.get("winner"))

    @property
    def chosen(self) -> Found | None:
        """The winner; the best row where none was chosen."""
        return self.winner or (self.rows[0] if self.rows else None)

    @cached_property
    def colours(self) -> dict[str, int]:
        """One colour a policy, for everything on the page."""
        names = [row["policy"] for row in [*self.rows, *self.failed]]
        for part in ("curves", "previews", "policies"):
            names += self.found.get(part) or {}
        ends = {end: self.found.get(end) for end in ("baseline", "winner")}
        return figures.colours(names, **ends)

    @property
    def seeds(self) -> int:
        """How many seeds there are."""
        return len(self.found["seeds"])

    @property
    def validated(self) -> bool:
        """Whether there are validation accuracies, by which the winner was chosen."""
        return any(row.get("validation") for row in self.rows)

    @property
    def level(self) -> str:
        """The confidence of the intervals.

        >>> Results({"confidence": 0.95}).level
        '95%'
        """
        return f"{100 * self.found.get('confidence', 0.95):g}%"

    def label(self, row: Found | str | None) -> str:
        """The name to show for a row or a policy."""
        policy = row if isinstance(row, str) or row is None else row["policy"]
        named = (one.get("label") for one in self.found["rows"] if one["policy"] == policy)
        return str(next(named, None) or policy)

    def entries(self, part: str) -> list[ResultEntry]:
        """A part of the result (``curves``, ``previews``, ``policies``), in the table's order."""
        place = {row["policy"]: number for number, row in enumerate([*self.rows, *self.failed])}
        found = self.found.get(part) or {}
        return [
            ResultEntry(policy, self.label(policy), self.colours[policy], found[policy])
            for policy in sorted(found, key=lambda policy: place.get(policy, len(place)))
        ]

    def slower(self, row: Found) -> float | None:
        """How many times the baseline's seconds a row took."""
        mine, theirs = seconds(row), seconds(self.baseline)
        return mine / theirs if mine and theirs else None

    def _row(self, policy: str | None) -> Found | None:
        return next((row for row in self.rows if row["policy"] == policy), None)


def seconds(row: Found | None) -> float | None:
    """The mean seconds of one training."""
    return ((row or {}).get("seconds") or {}).get("mean")


def difference(row: Found | None) -> Found:
    """A row's difference from the baseline; empty where there is none."""
    found: Found = (row or {}).get("difference") or {}
    return found


def p_value(row: Found | None) -> float | None:
    """The p-value of a row's difference, corrected for the number of policies where it is known."""
    gap = difference(row)
    adjusted: float | None = gap.get("p_adjusted")
    return gap.get("p") if formatting.absent(adjusted) else adjusted


def _failed(row: Found) -> bool:
    return bool(row.get("error")) or formatting.absent((row.get("accuracy") or {}).get("mean"))
