"""Hugging Face data sets: from the Hub by name, or as objects that the user passes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from automorph.data.readers.columns import Columns, raw_from_tables
from automorph.data.readers.raw import RawData, part_of
from automorph.data.readers.tables import RawTable, features_of
from automorph.errors import DataError, MissingExtraError


def download_raw(hub: str, *, name: str | None = None, columns: Columns | None = None) -> RawData:
    """Load ``NAME`` or ``NAME:CONFIG`` with ``datasets.load_dataset``; may use the network.

    Raises DataError when the Hub cannot be reached or has no such set.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError(
            "Loading from the Hub needs the package datasets, which is not installed: "
            "pip install datasets."
        ) from error
    path, _, config = hub.partition(":")
    try:
        with _quiet(datasets):
            # The user chooses the set and its revision; no code comes with it.
            found = datasets.load_dataset(path, config or None)  # nosec B615
    except Exception as error:  # datasets, huggingface_hub and the network have their own errors
        reason = str(error).strip().splitlines() or [""]
        raise DataError(
            f"hub:{hub} could not be loaded: {type(error).__name__}: {reason[0][:300]}. Expected a "
            "data set that exists on the Hugging Face Hub, and a network connection or a copy in "
            "the local cache (HF_HOME). Check the name and the connection, or download the files "
            "on another machine and use parquet:PATH or folder:PATH."
        ) from error
    return raw_from_huggingface(found, name=name or f"hub:{hub}", columns=columns or Columns())


def raw_from_huggingface(data: Any, *, name: str, columns: Columns) -> RawData:
    """Read a ``datasets.Dataset`` (as train part) or ``DatasetDict``."""
    given = data if isinstance(data, Mapping) else {"train": data}
    parts: dict[str, Any] = {}
    ignored = []
    for split, part in given.items():
        known = part_of(split)
        if known and known not in parts:
            parts[known] = part
        else:
            ignored.append(split)
    if "train" not in parts:
        raise DataError(f"{name}: found the parts {list(given)}. Expected one named train.")
    tables = {part: _table(value, name) for part, value in parts.items()}
    raw = raw_from_tables(name, tables, columns)
    notes = (f"parts ignored: {', '.join(ignored)}",) if ignored else ()
    return RawData(name, raw.domain, raw.parts, raw.classes, raw.subgroup_names, notes)


def _table(data: Any, name: str) -> RawTable:
    if not hasattr(data, "num_rows"):
        raise DataError(
            f"{name}: is a stream ({type(data).__name__}). Expected a data set loaded in full: "
            "load it without streaming=True, or load only a slice of it."
        )
    rows = data.with_format("arrow")

    def column(wanted: str) -> list[Any]:
        values: list[Any] = rows.select_columns([wanted])[:].column(wanted).to_pylist()
        return values

    features = features_of(data.features.arrow_schema)
    return RawTable(tuple(data.column_names), data.num_rows, column, Path(), features)


@contextmanager
def _quiet(datasets: Any) -> Iterator[None]:
    """Show the library's progress bars only on a terminal."""
    shown = not datasets.are_progress_bars_disabled()
    if shown and not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
