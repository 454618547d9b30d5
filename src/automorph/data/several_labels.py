"""Several labels of one example: columns of 0 and 1, lists, or words with a separator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotated import Annotated, is_missing
from automorph.data.annotation import Annotation
from automorph.data.label_cells import lists_of, vector_width
from automorph.data.labels import MISSING, encode, listed
from automorph.data.notes import Notes
from automorph.data.rarest_label import strata_of
from automorph.data.readers.raw import RawData
from automorph.errors import DataError

_BINARY = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
Matrices = dict[str, NDArray[np.int8]]
"""Labels by part, int8 ``(n, k)``: 1, 0, or -1 in rows whose labels are missing."""


def read_several_labels(raw: RawData, notes: Notes) -> Annotated:
    """Read the labels of every example, and check that each can be learned.

    A row without a label cell is missing; a row whose list or text is empty has no label. Raises
    `DataError` for entries that are no labels, and for labels that no training example has.
    """
    matrices, names = label_matrices(raw, notes)
    if len(names) < 2:
        raise DataError(
            f"{raw.name}: {len(names)} label ({listed(names)}); expected at least two. With one "
            "label, each example is of one of two classes: use target='classes' (--target classes)"
        )
    known = matrices["train"][matrices["train"][:, 0] != MISSING]
    if not len(known):
        raise DataError(f"{raw.name}: the train split has no labelled examples.")
    absent = [name for name, any_ in zip(names, known.any(axis=0), strict=True) if not any_]
    if absent:
        raise DataError(
            f"{raw.name}: no training example has the label{'s' * (len(absent) > 1)} "
            f"{listed(absent, 10)}. Expected at least one of each, since it cannot be learned "
            "otherwise: leave out its column (--label), correct the spelling, or add examples."
        )
    if everywhere := [n for n, all_ in zip(names, known.all(axis=0), strict=True) if all_]:
        notes.add(
            f"all training examples have {listed(everywhere)}: nothing can be learned about "
            f"{'it' if len(everywhere) == 1 else 'them'}"
        )
    strata, of_strata = strata_of(matrices, names)
    return Annotated(
        Annotation("labels", names), strata, of_strata,
        lambda part, rows, shape: matrices[part][rows].astype(np.uint8), bad=_unusable(raw),
    )  # fmt: skip


def label_matrices(
    raw: RawData, notes: Notes, known: Sequence[str] | None = None
) -> tuple[Matrices, tuple[str, ...]]:
    """Return the labels of every row, and their names.

    ``known`` are the names of a trained network: others are then ignored, with a note.
    """
    cells = {part: list(rows.labels) for part, rows in raw.parts.items()}
    if len(raw.label_columns) > 1:
        found, names = columns_of(raw), raw.label_columns
    else:
        lists = lists_of(cells, raw, notes, known)
        width = vector_width(lists)
        if width and len(raw.classes or range(width)) == width:
            names = _vector_names(width, raw, notes, known)
            found = {part: _stacked(column, width) for part, column in lists.items()}
        else:
            found, names = _from_lists(lists, raw, notes)
    return (found, names) if known is None else _like(found, names, known, notes)


def columns_of(raw: RawData) -> Matrices:
    """Return the labels of every row whose cells are tuples, one entry for each label column."""
    width = len(raw.label_columns)
    return {
        part: _stacked([_entries(c, raw, part, row) for row, c in enumerate(rows.labels)], width)
        for part, rows in raw.parts.items()
    }


def _vector_names(
    width: int, raw: RawData, notes: Notes, known: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the names of the labels where each cell is a vector of 0 and 1."""
    if known is not None and raw.classes is None:
        if len(known) != width:
            raise DataError(
                f"{raw.name}: labels are vectors of {width} entries, but the network has "
                f"{len(known)} labels; expected as many"
            )
        return tuple(known)
    if raw.classes is not None:
        return raw.classes
    notes.add(
        f"the label cells are vectors of {width} entries 0 or 1, so the labels are named by their "
        f"places, 0 to {width - 1}"
    )
    return tuple(map(str, range(width)))


def _entries(cell: Any, raw: RawData, part: str, row: int) -> list[int] | None:
    """Return the entries of a row of label columns; None if any is missing."""
    if _lacking(cell, raw.label_columns):
        return None
    found = []
    for value, name in zip(cell, raw.label_columns, strict=True):
        number = _BINARY.get(str(value).strip().lower())
        if number is None:
            raise DataError(
                f"{raw.name}: {raw.parts[part].ids[row]} has {str(value)!r:.40} for the label "
                f"{name!r}; expected 0 or 1 (or false, true). If it means that the label is "
                "unknown, leave the cell empty or decide which it is; if the column is no label, "
                "leave it out of --label (label=..)."
            )
        found.append(number)
    return found


def _lacking(cell: Any, names: Sequence[str]) -> list[str]:
    """Return the label columns in which a row has no entry."""
    if not isinstance(cell, Sequence) or len(cell) != len(names):
        return list(names)
    return [name for value, name in zip(cell, names, strict=True) if is_missing(value)]


def _unusable(raw: RawData) -> dict[str, dict[int, str]]:
    """Return the rows that have an entry in some label columns only, and which they lack."""
    names = raw.label_columns
    found: dict[str, dict[int, str]] = {part: {} for part in raw.parts}
    if len(names) > 1:
        for part, rows in raw.parts.items():
            for row, cell in enumerate(rows.labels):
                if 0 < len(lacking := _lacking(cell, names)) < len(names):
                    found[part][row] = f"no entry for the label {listed(lacking, 3)}"
    return found


def _stacked(rows: Sequence[Sequence[Any] | None], width: int) -> NDArray[np.int8]:
    """Return vectors as rows of an array; those of missing cells are -1."""
    missing = [MISSING] * width
    cells = [missing if row is None else row for row in rows]
    return np.array(cells, np.int8).reshape(len(cells), width)


def _from_lists(
    lists: Mapping[str, Sequence[Sequence[Any] | None]], raw: RawData, notes: Notes
) -> tuple[Matrices, tuple[str, ...]]:
    """Number the labels that lists name, and mark those of every row."""
    flat: dict[str, list[Any]] = {}
    for part, column in lists.items():
        flat[part] = []
        for row, cell in enumerate(column):
            for value in cell or ():
                if is_missing(value) or (not isinstance(value, str) and np.ndim(value)):
                    raise DataError(
                        f"{raw.name}: {raw.parts[part].ids[row]} has the label {value!r:.40}; "
                        "expected a name or a number: correct the list"
                    )
                if not isinstance(value, str | bool) and value < 0:
                    raise DataError(
                        f"{raw.name}: {raw.parts[part].ids[row]} has the label {value}; expected "
                        "numbers from 0 on or names: leave out what marks an unknown label"
                    )
                flat[part].append(value)
    numbers, names = encode(flat, names=raw.classes, notes=notes)
    found, twice = {}, 0
    for part, column in lists.items():
        counts = [0 if cell is None else len(cell) for cell in column]
        rows = np.repeat(np.arange(len(column)), counts)
        matrix = np.zeros((len(column), len(names)), np.int8)
        matrix[rows, numbers[part]] = 1
        twice += int((np.array(counts) != matrix.sum(axis=1)).sum())
        matrix[[cell is None for cell in column]] = MISSING
        found[part] = matrix
    if twice:
        notes.add(f"{twice:,} examples name a label more than once, which counts once")
    return found, names


def _like(
    found: Matrices, names: Sequence[str], known: Sequence[str], notes: Notes
) -> tuple[Matrices, tuple[str, ...]]:
    """Return the labels in the order of a network's own; those that it has not are ignored."""
    place = {name: number for number, name in enumerate(names)}
    if strange := [name for name in names if name not in known]:
        notes.ignored("labels that the network does not know", [listed(strange, 3)])
    made = {}
    for part, matrix in found.items():
        columns = [
            matrix[:, place[name]] if name in place
            else np.where(matrix[:, 0] == MISSING, MISSING, 0).astype(np.int8)
            for name in known
        ]  # fmt: skip
        made[part] = np.stack(columns, axis=1)
    return made, tuple(known)
