"""Rows of JSON files: one object per line, or one array of objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from automorph.data.labels import listed
from automorph.errors import DataError

Row = dict[str, Any]


def read_rows(file: Path) -> tuple[list[Row], dict[int, str]]:
    """Return the objects of a file, and why some rows are none; those are empty.

    Raises DataError for a file that is neither JSON lines nor an array.
    """
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 ({error}). Save it as UTF-8.") from error
    start = text.lstrip()[:1]
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    if start == "[" and (array := _whole(text)) is not None:
        if len(lines) == 1 and len(array) < 2 and not all(isinstance(one, dict) for one in array):
            array = [array]  # a line that is a list, like any other line that is no object
        items = [(f"item {i} of {file.name}", item) for i, item in enumerate(array, 1)]
    elif start == "{" and len(lines) > 1 and isinstance(whole := _whole(text), dict):
        raise _one_object(file, whole)
    else:
        items = [(f"line {i} of {file.name}", _parsed(line)) for i, line in lines]
        if len(items) == 1 and _is_columns(items[0][1]):
            raise _one_object(file, items[0][1])
    rows: list[Row] = []
    bad: dict[int, str] = {}
    for where, item in items:
        if isinstance(item, _Bad):
            bad[len(rows)] = f"{where}: {item}"
        elif not isinstance(item, dict):
            bad[len(rows)] = f"{where}: a {type(item).__name__}, not an object"
        rows.append(item if isinstance(item, dict) else {})
    return rows, bad


class _Bad(str):
    """Why a text or an object cannot be used."""


def _object(pairs: list[tuple[str, Any]]) -> Any:
    """Return an object; JSON keeps the last of two equal keys in silence."""
    if len(found := dict(pairs)) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return _Bad(f"the key {next(k for k in keys if keys.count(k) > 1)!r} appears twice")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        return _Bad(f"not JSON ({error.msg})")


def _whole(text: str) -> Any:
    found = _parsed(text)
    return None if isinstance(found, _Bad) else found


def _is_columns(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and bool(row)
        and all(isinstance(value, dict | list) for value in row.values())
    )


def _one_object(file: Path, found: Row) -> DataError:
    return DataError(
        f"{file}: one JSON object with the keys {listed(found)}. Expected one object per line, or "
        "an array of objects, one for each example: write the rows as such (in pandas: "
        "to_json(.., orient='records', lines=True))."
    )
