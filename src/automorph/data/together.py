"""Rows of one lesion, person or drive: they stay on one side of every split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from automorph.data.class_values import is_like_missing
from automorph.data.dataset import Dataset, Split

_EXACT = 2**53  # above it, floats skip whole numbers


def canonical(value: str) -> str:
    """Return the key of a value: numbers that are equal have one key, however they are written.

    Joining two groups costs a little freedom in splitting; separating the rows of one group leaks.

    >>> canonical(" 17.0 "), canonical("017"), canonical("1.2.840"), canonical("P017")
    ('17', '17', '1.2.840', 'P017')
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return str(int(value)) if len(value) < 4000 else value
    try:
        number = float(value)
    except ValueError:
        return value
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else value


def keys_of(dataset: Dataset, part: Split) -> NDArray[np.bytes_]:
    """Return the key of every row's value in the column ``keep_together``: bytes ``(n,)``."""
    assert dataset.keep_together is not None
    values = part.metadata[dataset.keep_together]
    return np.array([canonical(str(value)).encode() for value in values], dtype=bytes)


def units_of(dataset: Dataset) -> NDArray[np.intp]:
    """Number the units of the training part: rows that must stay in one part, ``(n,)``.

    Rows are in one unit if they share a value of ``keep_together``, or a content, directly or
    through other rows. Units are numbered by their first row.
    """
    train = dataset.train
    return joined([keys_of(dataset, train), train.digests])


def joined(columns: Sequence[NDArray[np.bytes_]]) -> NDArray[np.intp]:
    """Number rows so that rows that share a value of any column have one number.

    >>> joined([np.array([b"a", b"b", b"b", b"c"]), np.array([b"x", b"x", b"y", b"z"])])
    array([0, 0, 0, 1])
    """
    inverse = [np.unique(column, return_inverse=True)[1] for column in columns]
    unit = np.arange(len(columns[0]))
    while True:
        before = unit.copy()
        for values in inverse:
            least = np.full(values.max(initial=-1) + 1, len(unit))
            np.minimum.at(least, values, unit)
            unit = least[values]
        if (unit == before).all():
            break
    return np.unique(unit, return_inverse=True)[1]


def representatives(units: NDArray[np.intp], strata: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the row that stands for every unit, in the order of the units.

    It is the first of the rows whose stratum is the rarest, counted in units: with several labels
    in one unit, the rare label decides, so that it reaches every part.

    >>> representatives(np.array([0, 0, 1, 2]), np.array([0, 1, 0, 0]))
    array([1, 2, 3])
    """
    pairs = np.unique(np.stack([units, strata]), axis=1)
    rarity = np.bincount(pairs[1])[strata]
    order = np.lexsort((np.arange(len(units)), strata, rarity, units))
    return order[np.unique(units[order], return_index=True)[1]]


def like_missing_notes(column: str, parts: Iterable[Iterable[object]]) -> list[str]:
    """Return a note if many rows are kept together only because their value is unknown.

    >>> like_missing_notes("patient", [["p1", "unknown", "unknown", "p2"]])[0][:51]
    "patient 'unknown' (2 rows) is kept together like an"
    """
    counts = Counter(str(value).strip() for part in parts for value in part)
    return [
        f"{column} {value!r} ({n:,} rows) is kept together like any other value; if it means that "
        "the value is missing, remove those rows or give each a value of its own"
        for value, n in sorted(counts.items())
        if n > 1 and (is_like_missing(value) or value.lower() in ("nan", "unknown"))
    ]


def shares_note(dataset: Dataset, parts: Iterable[tuple[str, NDArray[np.bytes_]]]) -> str:
    """Describe how many values of the column each part has."""
    counts = {name: (len(np.unique(keys)), len(keys)) for name, keys in parts}
    shown = ", ".join(f"{name} {n:,} ({rows:,} rows)" for name, (n, rows) in counts.items())
    return f"rows with the same {dataset.keep_together} stay in one part; values: {shown}"
