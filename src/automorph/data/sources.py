"""Every kind of source by name, and whether it is on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass

from automorph.data.readers.catalog import GIVEN, KNOWN, candidate_folders
from automorph.data.spurious import CORRELATED


@dataclass(frozen=True)
class SourceInfo:
    """A line of ``automorph list data``; ``found`` is None where the user gives the path."""

    name: str
    about: str
    where: tuple[str, ...]
    found: bool | None


def list_sources(*, root: str | os.PathLike[str] | None = None) -> tuple[SourceInfo, ...]:
    """List every kind of source: its name, what it is, where it is looked for, found or not.

    >>> [source.name for source in list_sources()][:4]
    ['digits', 'mnist', 'fashion-mnist', 'cifar10']
    """
    digits = SourceInfo("digits", "1,797 grey digits, 8x8, 10 classes", ("scikit-learn",), True)
    known = []
    for entry in KNOWN.values():
        folders = candidate_folders(entry, root)
        where = tuple(str(folder) for folder in folders)
        found = any(folder.is_dir() for folder in folders)
        known.append(SourceInfo(entry.name, entry.about, where, found))
    named = {source.name: source for source in (digits, *known)}
    planted = (
        SourceInfo(entry.name, entry.about, named[entry.base].where, named[entry.base].found)
        for entry in CORRELATED.values()
    )
    given = (SourceInfo(name, about, (), None) for name, about in GIVEN.items())
    return (*named.values(), *planted, *given)
