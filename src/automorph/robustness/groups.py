"""Groups: a class and a subgroup. Robust accuracy is that of the worst group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset, Split, open_part
from automorph.errors import DataError, UsageError
from automorph.targets import Classes

MOST = 500
"""More subgroups than this are probably names or measurements."""
FEW = 10
"""Required mean number of examples per subgroup."""


@dataclass(frozen=True)
class Grouper:
    """Group indices: class * subgroups + subgroup, including groups without examples.

    >>> grouper = Grouper(("even", "odd"), ("clean", "marked"))
    >>> grouper(np.array([0, 1, 1]), np.array([1, 0, 1]))
    array([1, 2, 3])
    >>> grouper.names[1], grouper.class_of
    (('even', 'marked'), array([0, 0, 1, 1]))
    """

    classes: tuple[str, ...]
    subgroups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.classes) * len(self.subgroups)

    def __call__(
        self, labels: NDArray[np.int64], subgroups: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the group of every example: int64 ``(n,)`` from classes and subgroups ``(n,)``."""
        return np.asarray(labels * len(self.subgroups) + subgroups, np.int64)

    def of(self, part: Split) -> NDArray[np.int64]:
        """Return the group of every example of a part; raise `DataError` without subgroups."""
        if part.subgroups is None:
            raise DataError(
                "a part of the data has no subgroups; expected one for every example. Select "
                "their column with subgroup=... (--subgroup)"
            )
        return self(part.labels, part.subgroups)

    def counts(self, part: Split) -> NDArray[np.int64]:
        """Return the number of examples of every group in a part."""
        return np.bincount(self.of(part), minlength=len(self)).astype(np.int64)

    @property
    def target(self) -> Classes:
        """What is predicted: the class."""
        return Classes(len(self.classes))

    @property
    def class_of(self) -> NDArray[np.int64]:
        """The class of every group."""
        return np.repeat(np.arange(len(self.classes)), len(self.subgroups))

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Class and subgroup of every group."""
        return tuple((name, subgroup) for name in self.classes for subgroup in self.subgroups)

    def listed(self, groups: NDArray[np.bool_]) -> str:
        """Return the groups of a mask in words."""
        return ", ".join(
            f"({name}, {subgroup})"
            for (name, subgroup), wanted in zip(self.names, groups, strict=True)
            if wanted
        )


def grouper_of(data: Dataset) -> Grouper:
    """Return the groups of a data set.

    Raises `UsageError` if it has no subgroups, and `DataError` if there are too many for any
    statement about them.
    """
    if data.train.subgroups is None:
        raise UsageError(
            f"{data.name} has no subgroups; expected one for every example. Select their column "
            "with subgroup=... (--subgroup), pass (images, labels, subgroups), or discover "
            "unknown ones (discover=True, automorph audit --discover)"
        )
    n, k = sum(data.sizes.values()), len(data.subgroup_names)
    if k > MOST or n < FEW * k:
        raise DataError(
            f"{data.name}: {k:,} subgroups in {n:,} examples, such as "
            f"{', '.join(map(repr, data.subgroup_names[:3]))}: this looks like an identifier or a "
            f"measurement. Expected at most {MOST}, with at least {FEW} examples on average: "
            "choose another column with subgroup=... (--subgroup), or bin the values first"
        )
    return Grouper(data.classes, data.subgroup_names)


def notes_on(data: Dataset, grouper: Grouper) -> tuple[str, ...]:
    """Return what a reader must know about the groups of a data set, in sentences."""
    notes = []
    counts = {name: grouper.counts(open_part(data, name)) for name in data.parts}
    known = np.sum(list(counts.values()), axis=0) > 0
    for name, count in counts.items():
        if (empty := known & (count == 0)).any():
            notes.append(f"The {name} part has no example of {grouper.listed(empty)}.")
    if (never := ~known).any():
        notes.append(f"No part has an example of {grouper.listed(never)}.")
    per_class = np.bincount(grouper.class_of[known], minlength=len(grouper.classes))
    for number in np.flatnonzero(per_class == 1):
        notes.append(
            f"Class {grouper.classes[number]!r} has only one subgroup, so there is no gap to "
            "measure."
        )
    return tuple(notes)
