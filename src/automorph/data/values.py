"""Values: one or several numbers for each example, read from the label cells of a source."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotated import Annotated
from automorph.data.annotation import Annotation
from automorph.data.class_values import is_like_missing
from automorph.data.labels import MISSING
from automorph.data.notes import Notes, shortened
from automorph.data.readers.raw import RawData
from automorph.errors import DataError

Floats = NDArray[np.float64]
STRATA, FEWEST = 5, 10
"""The most strata of values, and the fewest training examples of each."""
FEW = 10
"""So many different whole numbers, or fewer, may be meant as classes."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]+,([0-9]+)")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_CLASSES = (
    "If it names classes, use target='classes' (--target classes); otherwise choose another column "
    "with label=... (--label)"
)


def read_values(raw: RawData, notes: Notes) -> Annotated:
    """Return the values of every row: float64 (n, k), and their strata.

    Missing values are NaN, and their rows have no stratum. Raises DataError for words, infinite
    values, rows of different lengths, and values that are the same in all training rows.
    """
    names, values = value_matrices(raw, notes)
    known = {part: found[~np.isnan(found).any(axis=1)] for part, found in values.items()}
    _check_train(raw.name, names, known["train"])
    notes.add(*_doubts(names, known["train"]))
    edges = strata_edges(known["train"][:, 0])
    return Annotated(
        Annotation("values", names),
        {
            part: np.where(
                np.isnan(found).any(axis=1), MISSING, np.searchsorted(edges, found[:, 0])
            ).astype(np.int64)
            for part, found in values.items()
        },
        strata_names(names[0], edges),
        lambda part, rows, shape: values[part][rows],
    )


def value_matrices(raw: RawData, notes: Notes) -> tuple[tuple[str, ...], dict[str, Floats]]:
    """Return the names of the values, and the values by part: NaN where they are missing."""
    cells = {part: [_entries(cell) for cell in rows.labels] for part, rows in raw.parts.items()}
    names = _names(raw, cells)
    comma = {k for k, name in enumerate(names) if _has_decimal_comma(raw.name, name, k, cells)}
    notes.add(*(
        f"the comma in values of {names[k]!r} is a decimal comma, as in "
        f"{next(one for one in _column(cells, k) if isinstance(one, str) and ',' in one)!r}"
        for k in sorted(comma)
    ))  # fmt: skip
    values: dict[str, Floats] = {}
    for part, rows in cells.items():
        found = np.full((len(rows), len(names)), np.nan)
        for row, entries in enumerate(rows):
            for k, entry in enumerate(entries):
                found[row, k] = _number(entry, comma=k in comma)
        values[part] = found
    _check_numbers(raw, names, cells, values)
    return names, values


def strata_edges(values: Floats) -> Floats:
    """Return the upper ends of the strata but the last: rounded quantiles of training values.

    No stratum is empty.

    >>> strata_edges(np.arange(100.0)).tolist(), strata_edges(np.arange(12.0)).tolist()
    ([19.8, 39.6, 59.4, 79.2], [])
    """
    count = min(STRATA, len(values) // FEWEST)
    if count < 2:
        return np.empty(0)
    spread = float(np.ptp(values))
    digits = 2 - math.floor(math.log10(spread))
    edges = np.unique(np.round(np.quantile(values, np.arange(1, count) / count), digits))
    edges = edges[(edges >= values.min()) & (edges < values.max())]
    filled = np.isin(np.arange(len(edges)), np.searchsorted(edges, values))
    return np.asarray(edges[filled], np.float64)


def strata_names(name: str, edges: Floats) -> tuple[str, ...]:
    """Return readable names of the strata.

    >>> strata_names("weight", np.array([40.0, 80.5]))
    ('weight up to 40', 'weight over 40 to 80.5', 'weight over 80.5')
    """
    ends = [f"{edge:.10g}" for edge in edges.tolist()]
    if not ends:
        return (f"any {name}",)
    between = [f"{name} over {low} to {high}" for low, high in pairwise(ends)]
    return (f"{name} up to {ends[0]}", *between, f"{name} over {ends[-1]}")


def _entries(cell: Any) -> tuple[Any, ...]:
    """Return the entries of a label cell: of several columns, or of a list."""
    if isinstance(cell, np.ndarray) and cell.ndim:
        cell = cell.tolist()
    return tuple(cell) if isinstance(cell, tuple | list) else (cell,)


def _names(raw: RawData, cells: Mapping[str, list[tuple[Any, ...]]]) -> tuple[str, ...]:
    """Return the names of the values: the columns, those declared, or numbers."""
    # A missing cell of a list column has one empty entry.
    every = [row for rows in cells.values() for row in rows]
    lengths = sorted({len(row) for row in every if len(row) != 1 or not _is_missing(row[0])} or {1})
    if len(lengths) > 1 or lengths[0] == 0:
        raise DataError(
            f"{raw.name}: the labels have {shortened([str(one) for one in lengths])} entries; "
            "expected the same number of values for each example"
        )
    (k,) = lengths
    if len(raw.label_columns) == k and not raw.classes:
        return raw.label_columns
    if raw.classes is not None and len(raw.classes) == k and not raw.label_columns:
        return raw.classes
    if raw.classes is not None:
        raise DataError(
            f"{raw.name}: the labels are classes that the source names, such as "
            f"{', '.join(map(repr, raw.classes[:3]))}; expected numbers. {_CLASSES}"
        )
    base = raw.label_columns[0] if raw.label_columns else "value"
    return (base,) if k == 1 else tuple(f"{base}{number}" for number in range(1, k + 1))


def _column(cells: Mapping[str, list[tuple[Any, ...]]], k: int) -> Iterable[Any]:
    """Yield the entries of one value in all parts."""
    return (row[k] for rows in cells.values() for row in rows if k < len(row))


def _has_decimal_comma(
    source: str, name: str, k: int, cells: Mapping[str, list[tuple[Any, ...]]]
) -> bool:
    """Return whether a comma separates the decimals. Raises DataError if it may mean thousands."""
    words = [one.strip() for one in _column(cells, k) if isinstance(one, str) and "," in one]
    matches = [_COMMA.fullmatch(word) for word in words]
    if not words or not all(matches):
        return False  # What is no number is reported with its row.
    points = any(isinstance(one, str) and "." in one for one in _column(cells, k))
    if points or all(match is not None and len(match[1]) == 3 for match in matches):
        raise DataError(
            f"{source}: values of {name!r} have commas, such as {words[0]!r}, which may separate "
            "decimals or thousands; expected a decimal point: write 1.234 or 1234"
        )
    return True


def _is_missing(entry: Any) -> bool:
    if entry is None or type(entry).__name__ in ("NAType", "NaTType"):  # pandas
        return True
    if isinstance(entry, str):
        word = entry.strip()
        return word.lower() in ("", "nan") or is_like_missing(word)
    return isinstance(entry, float | np.floating | Decimal) and bool(entry != entry)


def _number(entry: Any, *, comma: bool) -> float:
    """Return an entry as a number: NaN if it is missing; infinity for what is no number."""
    if _is_missing(entry):
        return math.nan
    if isinstance(entry, bytes):
        entry = entry.decode("utf-8", "replace")
    if isinstance(entry, str):
        word = entry.strip().replace(",", ".") if comma else entry.strip()
        return float(word) if _NUMBER.fullmatch(word) else math.inf
    if isinstance(entry, bool | np.bool_) or not isinstance(
        entry, int | float | Decimal | np.integer | np.floating
    ):
        return math.inf
    return float(entry)


def _check_numbers(
    raw: RawData,
    names: Sequence[str],
    cells: Mapping[str, list[tuple[Any, ...]]],
    values: Mapping[str, Floats],
) -> None:
    """Refuse words and infinite values, by name and row."""
    for part, found in values.items():
        rows, columns = np.nonzero(np.isinf(found))
        if not len(rows):
            continue
        where = [
            (cells[part][row][k], names[k], raw.parts[part].ids[row])
            for row, k in zip(rows.tolist(), columns.tolist(), strict=True)
        ]
        words = [one for one in where if not _is_infinite(one[0])]
        entry, name, row = (words or where)[0]
        if words:
            raise DataError(
                f"{raw.name}: {len(words):,} values of the {part} part are no numbers, such as "
                f"{entry!r:.60} as {name!r} of {row}; expected numbers. {_CLASSES}"
            )
        raise DataError(
            f"{raw.name}: {len(where):,} values of the {part} part are infinite or too large, such "
            f"as {name!r} of {row}; expected finite numbers: correct them, or leave the cells empty"
        )


def _is_infinite(entry: Any) -> bool:
    if isinstance(entry, str):
        word = entry.strip()
        return bool(_INFINITE.fullmatch(word) or _NUMBER.fullmatch(word.replace(",", ".")))
    number = isinstance(entry, int | float | Decimal | np.integer | np.floating)
    return number and not isinstance(entry, bool)


def _check_train(source: str, names: Sequence[str], train: Floats) -> None:
    """Refuse values of which nothing can be learned."""
    if not len(train):
        raise DataError(
            f"{source}: the train split has no example with values of {', '.join(names)}; expected "
            "numbers: choose another column with label=... (--label)"
        )
    for k, name in enumerate(names):
        if np.ptp(train[:, k]) == 0:
            raise DataError(
                f"{source}: all {len(train):,} training values of {name!r} are {train[0, k]:g}; "
                "expected different ones: choose another column with label=... (--label)"
            )


def _doubts(names: Sequence[str], train: Floats) -> Iterable[str]:
    """Yield notes on values that may be meant as classes."""
    for k, name in enumerate(names):
        different = np.unique(train[:, k])
        if len(different) <= FEW and (different == np.round(different)).all():
            shown = ", ".join(f"{one:g}" for one in different)
            yield (
                f"values of {name!r} are only {len(different)} different whole numbers ({shown}): "
                "if they name classes, use target='classes' (--target classes)"
            )
