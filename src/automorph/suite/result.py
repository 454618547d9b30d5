"""The row of an entrant, and the row of Automorph's own search that stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from automorph._version import __version__
from automorph.errors import DamagedError
from automorph.files import read_json
from automorph.suite.controls import CONTROLS, ENTRANT, Setting
from automorph.suite.statistics import interval, pairs

OURS = Path(__file__).parent / "ours.json"
"""Automorph's own row, which ``benchmarks/suite.py`` writes."""
OUR_NAME = "Automorph's search"
FEW_SETS = 5
"""Between fewer sets, the spread is hardly known."""


@dataclass(frozen=True)
class SetResult:
    """The result on one set: test accuracies by arm and seed.

    ``picks`` names what the entrant trained with, ``search`` is the cost of finding it in plain
    trainings (None: nothing was searched), ``hash`` that of the data, ``notes`` what was changed in
    them, ``errors`` the reasons of failed trainings.
    """

    tests: Mapping[str, tuple[float, ...]]
    picks: str
    search: float | None
    hash: str
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gap:
    """The entrant minus another arm in accuracy, with its 95 % interval, over ``sets`` sets."""

    mean: float
    interval: tuple[float, float] | None
    sets: int


@dataclass(frozen=True)
class SuiteResult:
    """What the suite found about an entrant; ``other_data`` names sets that differ from ours."""

    entrant: str
    kind: str
    code: str
    setting: Setting
    sets: Mapping[str, SetResult]
    versions: Mapping[str, str]
    other_data: tuple[str, ...] = ()
    ours: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Automorph's own test accuracies by set; only of sets with the same data and setting."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of the table; the entrant is the last one that was trained here."""
        return (*CONTROLS, ENTRANT, *((OUR_NAME,) if self.ours else ()))

    def tests(self) -> dict[str, dict[str, tuple[float, ...]]]:
        """Return the test accuracies by set and arm, with our own where they are comparable."""
        return {
            name: {**one.tests, **({OUR_NAME: self.ours[name]} if name in self.ours else {})}
            for name, one in self.sets.items()
        }

    def means(self) -> dict[str, dict[str, float]]:
        """Return the mean test accuracies by set and arm."""
        return {
            name: {arm: fmean(values) for arm, values in arms.items() if values}
            for name, arms in self.tests().items()
        }

    def gaps(self) -> dict[str, Gap]:
        """Return the entrant minus each other arm, over the sets that have both."""
        tests = self.tests()
        found = {}
        for arm in self.arms:
            values = pairs(tests, ENTRANT, arm)
            if arm != ENTRANT and values.size:
                found[arm] = Gap(float(values.mean()), interval(values), len(values))
        return found

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the row must know."""
        found = []
        if not self.setting.is_standard:
            found.append(
                "This is not the standard setting: the row is not comparable with other rows."
            )
        elif self.other_data:
            found.append(
                f"The data of {', '.join(self.other_data)} differ from those of published rows "
                "(docs/suite.md has their hashes)."
            )
        if self.setting.is_standard and not self.ours:
            found.append(f"The row of {OUR_NAME} on these sets is missing.")
        if len(self.sets) < FEW_SETS:
            found.append(
                f"With fewer than {FEW_SETS} sets, the intervals say little about other data."
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data: what is submitted."""
        return {
            "entrant": self.entrant,
            "kind": self.kind,
            "code": self.code,
            "automorph": __version__,
            "versions": dict(self.versions),
            "setting": self.setting.to_dict(),
            "remarks": list(self.remarks),
            "standard": self.setting.is_standard and not self.other_data,
            "sets": {
                name: {
                    "data": one.hash, "policy": one.picks, "search": one.search,
                    "test": {arm: list(values) for arm, values in one.tests.items()},
                    "notes": list(one.notes), "errors": list(one.errors),
                }
                for name, one in self.sets.items()
            },
            "minus": {
                arm: {"mean": gap.mean, "interval": gap.interval, "sets": gap.sets}
                for arm, gap in self.gaps().items()
            },
        }  # fmt: skip


def our_row(path: Path = OURS) -> dict[str, tuple[float, ...]]:
    """Return the test accuracies of Automorph's default search by set; empty if not measured.

    Raises `DamagedError` for a file that is not such a row.
    """
    if not path.exists():
        return {}
    content = read_json(path)
    rows = content.get("sets") if isinstance(content, dict) else None
    if not isinstance(rows, dict) or not all(map(_is_numbers, rows.values())):
        raise DamagedError(
            f"{path} is not a row of the suite; expected accuracies by set: install automorph again"
        )
    return {name: tuple(values) for name, values in rows.items()}


def _is_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, (int, float)) for one in values)
