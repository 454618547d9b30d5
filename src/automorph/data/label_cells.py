"""The label cells of a source as lists: of names, of numbers, or of 0 and 1."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automorph.data.annotated import is_missing
from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData
from automorph.errors import DataError

SEPARATORS = "|;,"


def lists_of(
    cells: Mapping[str, Sequence[Any]], raw: RawData, notes: Notes, known: Sequence[str] | None
) -> dict[str, list[list[Any] | None]]:
    """Return the labels of each row as a list; None where they are missing.

    ``known`` are the names of a trained network, if it is for one.
    """
    given = [cell for column in cells.values() for cell in column]
    words = [cell for cell in given if isinstance(cell, str) and cell.strip()]
    if not words:
        _refuse_single(given, raw)
        return {
            part: [None if is_missing(cell) or isinstance(cell, str) else list(cell)
                   for cell in column]
            for part, column in cells.items()
        }  # fmt: skip
    if all(word.strip().startswith("[") and word.strip().endswith("]") for word in words):
        return {
            part: [_json_list(cell, raw) if isinstance(cell, str) else None for cell in column]
            for part, column in cells.items()
        }
    separator = _separator(words, raw, notes, known)
    empty = sum(isinstance(cell, str) and not cell.strip() for cell in given)
    empty += sum(cell is None for cell in given)
    if empty:
        notes.add(f"{empty:,} examples with an empty label cell count as having none of the labels")
    return {part: [_split(cell, separator) for cell in column] for part, column in cells.items()}


def _split(cell: Any, separator: str) -> list[Any] | None:
    if cell is None:
        return []
    if not isinstance(cell, str):
        return None if is_missing(cell) else [cell]
    return [word.strip() for word in cell.split(separator) if word.strip()]


def _refuse_single(given: Sequence[Any], raw: RawData) -> None:
    """Refuse a column of single numbers: these are classes."""
    single = next(
        (cell for cell in given if not is_missing(cell) and not np.ndim(cell)
         and not isinstance(cell, str)), None,
    )  # fmt: skip
    if single is not None:
        raise DataError(
            f"{raw.name}: a label cell is {single!r:.40}; expected a list of labels, words with a "
            "separator, or several columns of 0 and 1 (--label 'open,short'). If each example has "
            "one class, use target='classes' (--target classes)."
        )


def _json_list(cell: str, raw: RawData) -> list[Any] | None:
    """Read a list that was written as text, as in a CSV file."""
    if not cell.strip():
        return []
    for text in (cell, cell.replace("'", '"')):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        return list(found)
    raise DataError(
        f"{raw.name}: the label cell {cell!r:.60} is no list; expected one such as "
        '["open", "short"] or [0, 1], or words with a separator'
    )


def _separator(
    words: Sequence[str], raw: RawData, notes: Notes, known: Sequence[str] | None
) -> str:
    """Return the character between the labels of one example."""
    found = [one for one in SEPARATORS if any(one in word for word in words)]
    if len(found) == 1:
        notes.guessed(
            "separator of labels", found[0], because="the only one of | ; , in the label column",
            choose="a list column, or columns of 0 and 1",
        )  # fmt: skip
        return found[0]
    if len(found) > 1:
        examples = ", ".join(
            repr(next(word for word in words if one in word)[:40]) for one in found
        )
        raise DataError(
            f"{raw.name}: the label column contains {' and '.join(found)} ({examples}), and each "
            "may separate labels; expected one of them: replace the others in the names of labels, "
            "or use a list column (parquet, jsonl) or columns of 0 and 1"
        )
    if known is not None:  # Of a few new examples, none may have two labels.
        return SEPARATORS[0]
    raise DataError(
        f"{raw.name}: no label cell holds several labels, such as {words[0]!r:.40}; expected some "
        f"with a separator ({' '.join(SEPARATORS)}). If each example has one class, use "
        "target='classes' (--target classes)."
    )


def vector_width(lists: Mapping[str, Sequence[Sequence[Any] | None]]) -> int:
    """Return the length of the vectors if all cells are vectors of 0 and 1, else 0."""
    cells = [cell for column in lists.values() for cell in column if cell is not None]
    widths = {len(cell) for cell in cells}
    if len(widths) != 1 or (width := widths.pop()) < 2:
        return 0
    numbers = all(
        isinstance(value, int | float | bool | np.number | np.bool_) and value in (0, 1)
        for cell in cells for value in cell
    )  # fmt: skip
    return width if numbers else 0
