"""Predictions read from files and columns, one for each row of a part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import TABLE_ENDINGS, Split, class_value, read_tables
from automorph.errors import DataError, UsageError

_USUAL = ("prediction", "predictions", "predicted", "pred", "y_pred", "yhat")
_KEYS = ("id", "idx", "index", "row", "image", "image_id", "file", "file_name", "filename", "path")
_ROW = re.compile(r".*\[(\d+)\]")


def read_predictions(source: str, part: Split, notes: list[str]) -> NDArray[Any]:
    """Read ``FILE``, ``FILE:COLUMN`` or a column of the data; ``notes`` receives what was guessed.

    Raises `UsageError` for an unknown file or column, `DataError` for one that cannot be read.
    """
    path, column = Path(source).expanduser(), ""
    if not path.exists() and ":" in source:
        start, _, column = source.rpartition(":")
        path = Path(start).expanduser()
    if path.is_file():
        return (
            _read_array(path, column)
            if path.suffix in (".npy", ".npz")
            else _table(path, column, notes)
        )
    if source in part.metadata:
        return np.asarray(part.metadata[source])
    raise UsageError(
        f"got the predictions {source!r}; expected a file (FILE or FILE:COLUMN) or a column of "
        f"the data (available: {', '.join(part.metadata) or 'none'})"
    )


def _read_array(path: Path, column: str) -> NDArray[Any]:
    try:
        loaded = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path}: cannot read an array ({error}); expected a .npy or .npz file saved by NumPy"
        ) from error
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        return np.asarray(loaded)
    name = column or next((name for name in _USUAL if name in loaded.files), loaded.files[0])
    if name not in loaded.files:
        raise DataError(
            f"{path} has no array {name!r}; expected one of {', '.join(loaded.files)}. Select it "
            f"with --predictions {path}:ARRAY"
        )
    return np.asarray(loaded[name])


def _table(path: Path, column: str, notes: list[str]) -> NDArray[Any]:
    kind = TABLE_ENDINGS.get(path.suffix)
    if kind is None:
        raise UsageError(
            f"got the predictions {path}; expected a file ending in "
            f"{', '.join(TABLE_ENDINGS)}, .npy or .npz: convert it"
        )
    table = read_tables(kind, str(path))["train"]
    name = column or next((name for name in _USUAL if name in table.names), "")
    if name not in table.names:
        raise UsageError(
            f"{path} has no column {column or 'of predictions'!r}; it has {list(table.names)}. "
            f"Select one with --predictions {path}:COLUMN"
        )
    for other in table.names:
        if other != name and other.lower() in _KEYS:
            _check_order(path, other, list(table.column(other)), notes)
    return as_array(list(table.column(name)))


def _check_order(path: Path, column: str, keys: list[Any], notes: list[str]) -> None:
    """Refuse numbers of rows that are not in order; note that other keys were not compared."""
    values = [class_value(key, column) for key in keys]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) == len(values) and sorted(numbers) != numbers:
        raise DataError(
            f"{path}: the rows are not in the order of the column {column!r}. Expected predictions "
            "in the order of the data: sort the file, or remove that column if it is no number of "
            "rows."
        )
    notes.append(
        f"Predictions of {path.name} were assigned to examples by their order; the column "
        f"{column!r} was not compared."
    )


def aligned(values: NDArray[Any], part: Split, name: str, where: str) -> NDArray[Any]:
    """Return one value per row of the part, from values for the part or for its whole source."""
    if len(values) == len(part):
        return values
    matches = [_ROW.fullmatch(row) for row in part.names]
    numbers = [int(match[1]) for match in matches if match]
    if len(numbers) == len(part) and max(numbers, default=0) < len(values):
        return values[numbers]
    raise DataError(
        f"{name}: got {len(values):,} predictions for the {len(part):,} examples of the {where} "
        "part; expected one for each, in the same order. Choose another part with part=... "
        "(--part)"
    )


def as_array(source: Any) -> NDArray[Any]:
    """Return predictions as an array; a list of words and numbers keeps them apart."""
    if isinstance(source, list | tuple) and not any(np.ndim(value) for value in source):
        kinds = {type(value) for value in source}
        return np.array(source, None if len(kinds) == 1 else object)
    return np.asarray(source)
