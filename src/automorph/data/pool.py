"""The guard of unlabelled examples: none of them may also be in the validation or test part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.data.cache import take_part
from automorph.data.dataset import Dataset, Split
from automorph.data.notes import Notes
from automorph.data.together import canonical, keys_of
from automorph.errors import DataError

HELD_OUT = ("validation", "test")


def guard_unlabelled(dataset: Dataset) -> Dataset:
    """Drop the unlabelled examples whose content is in the validation or test part, with a note.

    Examples that share a value of ``keep_together`` with those parts are dropped, too. Those that
    are also in the training part stay, with a note. Raises DataError if none is left.
    """
    pool = dataset.unlabelled
    if pool is None:
        return dataset
    notes = Notes(dataset.notes)
    held_out = {name: dataset.parts[name] for name in HELD_OUT if name in dataset.parts}
    if not held_out:
        return dataset
    same = {name: np.isin(pool.digests, part.digests) for name, part in held_out.items()}
    dropped = _noted(same, "are also in", notes)
    column = dataset.keep_together
    if column is not None and column in pool.metadata:
        keys = np.array([canonical(str(value)).encode() for value in pool.metadata[column]])
        shared = {name: np.isin(keys, keys_of(dataset, part)) for name, part in held_out.items()}
        dropped |= _noted(shared, f"share their {column} with", notes)
    elif column is not None:
        notes.add(
            f"unlabelled examples have no column {column!r}: some may show what validation or test "
            "examples show"
        )
    if dropped.any():
        pool = _kept(pool, dropped, data=dataset.name)
    if common := int(np.isin(pool.digests, dataset.train.digests).sum()):
        notes.add(f"unlabelled examples that are also in the training part: {common:,}")
    if pool is dataset.unlabelled and notes.lines == dataset.notes:
        return dataset
    return dataset.replace(unlabelled=pool, notes=notes.lines)


def _noted(found: dict[str, NDArray[np.bool_]], what: str, notes: Notes) -> NDArray[np.bool_]:
    """Note the examples to drop, by part, and return which they are."""
    for name, rows in found.items():
        if rows.any():
            notes.add(
                f"unlabelled examples dropped because they {what} the {name} part: {rows.sum():,}"
            )
    dropped: NDArray[np.bool_] = np.any([*found.values()], axis=0)
    return dropped


def _kept(pool: Split, dropped: NDArray[np.bool_], *, data: str) -> Split:
    if dropped.all():
        raise DataError(
            f"all {len(pool):,} unlabelled examples are also in the validation or test part of "
            f"{data}; expected other ones: give the examples that are in neither"
        )
    return take_part(pool, np.flatnonzero(~dropped))
