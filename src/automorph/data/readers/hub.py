"""Hugging Face data sets: from the Hub by name, or as objects that the user passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from automorph.bars import watched
from automorph.data.notes import Notes
from automorph.data.readers.arrow_cells import cells_of, features_of, word_columns
from automorph.data.readers.columns import Columns, raw_from_tables
from automorph.data.readers.raw import PART_WORDS, RawData, part_of
from automorph.data.readers.tables import RawTable
from automorph.errors import DataError, MissingExtraError

_TRANSFORM = (
    "the transform of the {} part (set_transform) is not applied: its rows are read as stored"
)


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
    notes = Notes()
    # The plain name of a part goes before any other: train before train_extra.
    order = sorted(given, key=lambda split: split.lower() not in PART_WORDS)
    parts: dict[str, Any] = {}
    ignored = []
    for split in order:
        known = part_of(split)
        if known and known not in parts:
            parts[known] = given[split]
            if split.lower() not in PART_WORDS:
                notes.add(f"{known} part: {split!r}, by its name")
        else:
            ignored.append(split)
    if "train" not in parts:
        raise DataError(f"{name}: found the parts {list(given)}. Expected one named train.")
    if ignored:
        notes.add(f"parts ignored: {', '.join(ignored)}")
    notes.add(*(_TRANSFORM.format(part) for part, one in parts.items() if _is_transformed(one)))
    ordered = {part: _table(value, name) for part, value in parts.items()}
    raw = raw_from_tables(name, ordered, columns)
    notes.add(*raw.notes)
    return replace(raw, notes=notes.lines)


def _is_transformed(data: Any) -> bool:
    return (getattr(data, "format", None) or {}).get("type") == "custom"


def _table(data: Any, name: str) -> RawTable:
    if not hasattr(data, "num_rows"):
        raise DataError(
            f"{name}: is a stream ({type(data).__name__}). Expected a data set loaded in full: "
            "load it without streaming=True, or load only a slice of it."
        )
    rows = data.with_format("arrow")

    schema = data.features.arrow_schema

    def column(wanted: str) -> list[Any]:
        return cells_of(schema.field(wanted), rows.select_columns([wanted])[:].column(wanted))

    features = features_of(schema)
    return RawTable(
        tuple(data.column_names), data.num_rows, column, Path(), features,
        words=word_columns(schema),
    )  # fmt: skip


@contextmanager
def _quiet(datasets: Any) -> Iterator[None]:
    """Show the library's progress bars only on a terminal and in a notebook."""
    shown = not datasets.are_progress_bars_disabled()
    if shown and not watched():
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
