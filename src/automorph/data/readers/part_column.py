"""A column that assigns the rows of a table to parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from automorph.data.class_values import class_value
from automorph.data.labels import listed
from automorph.data.notes import Notes
from automorph.data.readers.layout import names_a_part
from automorph.data.readers.raw import part_of
from automorph.errors import DataError

_NAMES = ("split", "part", "partition", "subset", "dataset_split", "data_split", "set", "fold")
_FLAGS = {
    "is_train": "train", "is_valid": "validation", "is_val": "validation", "is_test": "test",
}  # fmt: skip
_MOST_PARTS = 20
"""A column with more different values names no parts."""
_NUMBERED = ("split", "partition")
_NUMBERS: dict[Any, str] = {0: "train", 1: "validation", 2: "test"}


def rows_of_parts(
    name: str, tables: Mapping[str, Any], used: Collection[str], notes: Notes
) -> dict[str, tuple[str, list[int] | None]]:
    """Return for every part its table, by the name of the file, and its rows; None for all rows.

    A column named ``split``, ``part`` or similar whose values name parts (or are 0, 1 and 2, as in
    WILDS), or one named ``is_valid`` or ``is_test``, divides a table that is the train part alone;
    so does a column of any name of which every value names a part, ``train`` among them.
    Raises DataError where it names parts only in some rows or among other words, no train part,
    another part than the file, or another part than a second such column.
    """
    for part, table in tables.items():
        found = {
            column: parts
            for column in table.names
            if column not in used
            and (parts := _parts_in(name, table, column, notes)) is not None
        }  # fmt: skip
        if len({tuple(parts) for parts in found.values()}) > 1:
            raise DataError(
                f"{name}: the columns {listed(found)} name different parts for some rows. Expected "
                "one column of parts: remove or rename the others."
            )
        for column, parts in found.items():
            if set(parts) == {part}:
                break
            if len(tables) > 1:
                raise DataError(
                    f"{name}: the column {column!r} of the {part} files names the parts "
                    f"{listed(sorted(set(parts)))}. Expected {part!r} in every row: rename the "
                    "files or the column."
                )
            return _divided(name, column, parts, notes)
    return {part: (part, None) for part in tables}


def _parts_in(name: str, table: Any, column: str, notes: Notes) -> list[str] | None:
    """Return the part of every row if the column divides the table, by its name or its values."""
    known = column.lower() in (*_NAMES, *_FLAGS) or column.lower().endswith("fold")
    if known:
        return _parts(name, column, _values(table, column), notes)
    if table.words is not None and column not in table.words:
        return None
    values = _values(table, column)
    parts = {word: part_of(word) for word in _few_words(values)}
    distinct = set(parts.values())
    if None in distinct or "train" not in distinct or len(distinct) < 2:
        return None
    if odd := [word for word in parts if names_a_part(word) is None]:
        raise DataError(
            f"{name}: the values of the column {column!r} contain the names of parts among other "
            f"words: {listed(odd)}. Expected train, validation or test in every row: write the "
            "parts like that, or remove the column if it does not divide the rows."
        )
    return _parts(name, column, values, notes)


def _few_words(values: Iterable[Any]) -> list[str]:
    """Return the different words of a column but for gaps; none if they are many, or no words."""
    distinct: dict[str, None] = {}
    for value in values:
        if value is None or value == "":
            continue
        if not isinstance(value, str) or len(distinct) > _MOST_PARTS:
            return []
        distinct[value.strip()] = None
    return list(distinct)


def _values(table: Any, column: str) -> Sequence[Any]:
    """Return the values of a column; those of a ClassLabel by name."""
    feature = table.features.get(column)
    values: Sequence[Any] = table.column(column)
    if not isinstance(feature, Mapping) or feature.get("_type") != "ClassLabel":
        return values
    names = feature["names"]
    return [names[one] if isinstance(one, int) and 0 <= one < len(names) else one for one in values]


def _parts(name: str, column: str, values: Sequence[Any], notes: Notes) -> list[str] | None:
    """Return the part of every row; None, with a note, if the values do not name parts."""
    keys = [class_value(value, column) for value in values]
    distinct = sorted(set(keys), key=str)
    read = {key: names_a_part(key) if isinstance(key, str) else None for key in distinct}
    if column.lower() in _NUMBERED and set(distinct) == set(_NUMBERS):
        notes.guessed(
            f"parts in the column {column!r}", "0 train, 1 validation, 2 test",
            because="by its name and values", choose="another name of the column",
        )  # fmt: skip
        read = {key: _NUMBERS[key] for key in distinct}
    if column.lower() in _FLAGS and set(map(str, distinct)) <= {"True", "False", "0", "1"}:
        return _flagged(name, column, [str(key) in ("True", "1") for key in keys])
    unread = [key for key, part in read.items() if part is None]
    if len(unread) == len(read):
        if read:
            notes.ignored(f"column {column!r}: its values are no parts", map(str, distinct))
        return None
    if unread:
        known = listed(key for key, part in read.items() if part)
        raise DataError(
            f"{name}: the column {column!r} names parts ({known}) but also holds "
            f"{listed('nothing' if key is None else key for key in unread)}. Expected train, "
            "validation or test in every row: correct those rows, or rename the column if it does "
            "not name parts."
        )
    return [str(read[key]) for key in keys]


def _flagged(name: str, column: str, flags: Sequence[bool]) -> list[str] | None:
    """Return the part of every row from a column such as ``is_valid``."""
    part = _FLAGS[column.lower()]
    if part == "train" and not all(flags):
        raise DataError(
            f"{name}: rows with {column}=False can be read as validation or as test rows. Expected "
            "a column 'split' that names the part of each row: add one, or rename this column if "
            "it means something else."
        )
    return [part if flag else "train" for flag in flags] if any(flags) else None


def _divided(
    name: str, column: str, found: Sequence[str], notes: Notes
) -> dict[str, tuple[str, list[int] | None]]:
    order = [part for part in ("train", "validation", "test") if part in set(found)]
    if "train" not in order:
        raise DataError(
            f"{name}: the column {column!r} names the parts {', '.join(order)} but no train part. "
            "Expected rows of the train part: add them, or rename the column if it does not name "
            "parts."
        )
    rows = {part: [i for i, one in enumerate(found) if one == part] for part in order}
    sizes = ", ".join(f"{part} {len(some):,}" for part, some in rows.items())
    notes.add(f"parts read from the column {column!r}: {sizes} rows")
    return {part: ("train", some) for part, some in rows.items()}
