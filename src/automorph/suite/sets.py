"""The development sets, where they lie, and how they are read.

`docs/suite.md` says where each can be had. Their parts are fixed: train and test come with the set,
the validation part is split off by the hash of its examples.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.data import list_sources
from automorph.errors import UsageError
from automorph.registry import unknown
from automorph.training import Task, as_task

LIMIT = 2000
"""Labelled examples, with those of the validation part; the test part is whole."""
SIZE = 32
"""Pixels of a side, where a set does not have a size of its own."""
PAGE = "docs/suite.md"


@dataclass(frozen=True)
class DevelopmentSet:
    """A development set: its name, and the hash of its data in the standard setting.

    One that is ``named`` is a data set of `automorph.data`; the others are folders of Parquet
    files with the columns image and label, ``suite/NAME`` in the folder of data sets.
    """

    name: str
    hash: str
    named: bool = False

    @property
    def source(self) -> str:
        """What ``DATA`` is for this set."""
        return self.name if self.named else f"parquet:{_root() / 'suite' / self.name}"

    @property
    def is_there(self) -> bool:
        """Whether its files are there."""
        if self.named:
            return any(one.name == self.name and one.found for one in list_sources())
        return any((_root() / "suite" / self.name).glob("*.parquet"))

    def task(self, *, limit: int | None = None, epochs: int | None = None) -> Task:
        """Return its task with the default network and recipe; None: the standard setting."""
        options: dict[str, Any] = (
            {} if self.named else {"image": "image", "label": "label", "size": SIZE}
        )
        recipe = {} if epochs is None else {"epochs": epochs}
        return as_task(self.source, limit=limit or LIMIT, recipe=recipe, **options)


SETS = {
    one.name: one
    for one in (
        DevelopmentSet("satellite_rsscn7", "921750bcc1bd5b3fb771c1a3b0673085"),
        DevelopmentSet("traffic_signs", "cce4746b392e4a279d7e62ed8f613158"),
        DevelopmentSet("red_cells", "f46318bc8c72dd43afe3ee25bbb62810"),
        DevelopmentSet("textures_dtd10", "8c89f93e119943abfddacfc5be39fe9e"),
        DevelopmentSet("steel_defects", "0fb26c9d361766cad491d9c61829505e"),
        DevelopmentSet("apple_leaves", "23a008c7fc2ac84d911cfc8f3ba54542"),
        DevelopmentSet("spoken_digits", "ed8263020d56488e8ffcb9a586a64fbf"),
        DevelopmentSet("cifar10", "2b966cf53d572bba5a187240017f07f6", named=True),
        DevelopmentSet("fashion-mnist", "e040eaf5930c314cfa623ecca8a69131", named=True),
        DevelopmentSet("mnist", "5693ef4080132a94dea72edb52f6d123", named=True),
    )
}
"""The development sets by name, in the order of the table."""


def sets_of(names: Iterable[str]) -> list[DevelopmentSet]:
    """Return the sets of these names; raises `UsageError` for an unknown one.

    >>> [one.name for one in sets_of(["mnist", "red_cells"])]
    ['mnist', 'red_cells']
    """
    found = []
    for name in dict.fromkeys(names):
        if name not in SETS:
            raise UsageError(unknown("development set", name, SETS))
        found.append(SETS[name])
    return found


def available(names: Sequence[str]) -> tuple[list[DevelopmentSet], list[str]]:
    """Return the sets to run and the names of missing ones; without names, those that are there.

    Raises `UsageError` if a named set is missing, or if none is there.
    """
    wanted = sets_of(names or SETS)
    there = [one for one in wanted if one.is_there]
    missing = [one.name for one in wanted if one not in there]
    if missing and (names or not there):
        raise UsageError(
            f"{', '.join(missing)}: not found in {_root()}; expected the development sets, each in "
            f"suite/NAME/*.parquet: set AUTOMORPH_DATA to their folder. {PAGE} says where each can "
            "be had"
        )
    return there, missing


def _root() -> Path:
    return Path(os.environ.get("AUTOMORPH_DATA") or "data")
