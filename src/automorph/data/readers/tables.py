"""Tables from Parquet, CSV and JSON lines: columns by name, read on demand."""

from __future__ import annotations

import csv
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from automorph.data.readers.raw import part_of
from automorph.errors import DataError, MissingExtraError
from automorph.registry import Entry

LARGEST_FIELD = 2**30
"""Largest number of characters in a field of a CSV file."""


@dataclass(frozen=True)
class RawTable:
    """One part as a table.

    ``features`` are the Hugging Face features where the file declares them (``{"label": {"_type":
    "ClassLabel", "names": [...]}}``), ``folder`` is what relative paths in cells are relative to,
    ``bad`` lists rows that cannot be parsed.
    """

    names: tuple[str, ...]
    n: int
    column: Callable[[str], Sequence[Any]]
    folder: Path
    features: Mapping[str, Any] = field(default_factory=dict)
    bad: Mapping[int, str] = field(default_factory=dict)


def read_tables(kind: str, path: str) -> dict[str, RawTable]:
    """Read a file, glob or folder of one of the ``TABLES`` as tables by part.

    The part of a file is in its name (``train``, ``validation``/``val``/``dev``, ``test`` as a word
    of the name); files that name none are the train split. Several files of one part are joined in
    the order of their names.
    """
    read = TABLES[kind]
    files = _find(kind, Path(path).expanduser(), read.endings)
    parts: dict[str, list[Path]] = {}
    for file in files:
        # A single file is what the user asked for, whatever its name.
        part = (part_of(file.stem) if len(files) > 1 else None) or "train"
        parts.setdefault(part, []).append(file)
    if "train" not in parts:
        raise DataError(
            f"{kind}:{path}: found the parts {', '.join(sorted(parts))} but no train part. "
            "Expected a file with 'train' in its name."
        )
    return {part: read(sorted(parts[part])) for part in parts}


def read_parquet(files: Sequence[Path]) -> RawTable:
    """Read Parquet files; only the requested columns are decoded."""
    arrow, parquet = _pyarrow()
    try:
        schemas = [parquet.read_schema(file) for file in files]
        for file, schema in zip(files, schemas, strict=True):
            if schema.names != schemas[0].names:
                raise DataError(
                    f"{file}: columns {schema.names}, but {files[0].name} has {schemas[0].names}. "
                    "Expected the same columns in every file of a part."
                )
        n = sum(parquet.read_metadata(file).num_rows for file in files)
    except (arrow.ArrowException, OSError) as error:
        raise DataError(
            f"{', '.join(map(str, files[:3]))}: not a complete Parquet file ({error}). Download or "
            "write it again."
        ) from error

    def column(name: str) -> Sequence[Any]:
        values: list[Any] = []
        for file in files:
            try:
                values += parquet.read_table(file, columns=[name]).column(name).to_pylist()
            except (arrow.ArrowException, OSError) as error:
                raise DataError(f"{file}: column {name!r} is damaged ({error}).") from error
        return values

    schema = schemas[0]
    return RawTable(tuple(schema.names), n, column, files[0].parent, features_of(schema))


def features_of(schema: Any) -> dict[str, Any]:
    """Read Hugging Face features from an Arrow schema; binary columns count as images."""
    metadata = (schema.metadata or {}).get(b"huggingface")
    declared = json.loads(metadata).get("info", {}).get("features") if metadata else None
    binary = {
        column.name: {"_type": "Image"}
        for column in schema
        if str(column.type) in ("binary", "large_binary", "struct<bytes: binary, path: string>")
    }
    return {**binary, **(declared or {})}


def read_csv(files: Sequence[Path]) -> RawTable:
    """Read CSV files with a header (UTF-8, or UTF-16 with a byte order mark); cells are strings.

    Fields are separated by the comma, semicolon or tab that gives the header the most columns
    (``.tsv``: by tabs).
    """
    names: list[str] = []
    rows: list[list[str]] = []
    bad: dict[int, str] = {}
    for file in files:
        try:
            with file.open(newline="", encoding=_encoding(file)) as lines, _long_fields():
                mark = "\t" if file.suffix == ".tsv" else _delimiter(lines)
                found = csv.reader(lines, delimiter=mark)
                header = next(found, [])
                if not header or (names and header != names):
                    raise DataError(_header_message(file, header, names))
                names = header
                for row in found:
                    if not row:  # an empty line
                        continue
                    if len(row) != len(names):
                        bad[len(rows)] = (
                            f"line {found.line_num} of {file.name}: {len(row)} fields, but the "
                            f"header has {len(names)}"
                        )
                        row = [""] * len(names)
                    rows.append(row)
        except (UnicodeError, csv.Error) as error:
            raise DataError(
                f"{file}: not a UTF-8 CSV file ({error}). Save it as UTF-8 CSV."
            ) from error
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"{files[0]}: columns {twice} appear twice. Rename all but one of each.")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    return RawTable(
        tuple(names), len(rows), lambda name: columns.get(name, ()), files[0].parent, bad=bad
    )


def _encoding(file: Path) -> str:
    """Detect UTF-16, which spreadsheets call "Unicode text", by its byte order mark."""
    with file.open("rb") as opened:
        begin = opened.read(2)
    return "utf-16" if begin in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def _delimiter(lines: TextIO) -> str:
    """Detect the separator: the mark that gives the header the most columns."""
    columns = {}
    for mark in ",;\t":
        columns[mark] = len(next(csv.reader(lines, delimiter=mark), []))
        lines.seek(0)
    return max(columns, key=columns.__getitem__)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Allow long texts in a field; Python's own limit is 131,072 characters."""
    before = csv.field_size_limit(LARGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def read_jsonl(files: Sequence[Path]) -> RawTable:
    """Read files of JSON objects, one per line; a key that a line lacks is None."""
    rows: list[dict[str, Any]] = []
    bad: dict[int, str] = {}
    for file in files:
        try:
            with file.open(encoding="utf-8-sig") as opened:
                lines = list(opened)
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: not UTF-8 ({error}). Save it as UTF-8.") from error
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row: Any = None
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                bad[len(rows)] = f"line {number} of {file.name}: not JSON ({error.msg})"
            else:
                if not isinstance(row, dict):
                    kind = type(row).__name__
                    bad[len(rows)] = f"line {number} of {file.name}: a {kind}, not an object"
            rows.append(row if isinstance(row, dict) else {})
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return RawTable(
        names, len(rows), lambda name: [row.get(name) for row in rows], files[0].parent, bad=bad
    )


@dataclass(frozen=True)
class TableKind(Entry[RawTable]):
    """A kind of table: what reads the files of one part, and the endings of such files."""

    endings: tuple[str, ...] = ()


TABLES = {
    entry.stem: entry
    for entry in (
        TableKind(
            "parquet:PATH",
            read_parquet,
            "Parquet file, pattern or folder (image bytes or paths; or text)",
            (".parquet",),
        ),
        TableKind(
            "csv:PATH",
            read_csv,
            "CSV (commas, semicolons or tabs) with a column of image paths, or of text",
            (".csv", ".tsv"),
        ),
        TableKind(
            "jsonl:PATH",
            read_jsonl,
            "JSON lines with a key for image paths, or for text",
            (".jsonl", ".ndjson", ".json"),
        ),
    )
}
TABLE_ENDINGS = {ending: kind for kind, entry in TABLES.items() for ending in entry.endings}
"""The kind of table by the ending of its file."""


def _find(kind: str, path: Path, endings: tuple[str, ...]) -> list[Path]:
    if path.is_file():
        return [path]
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.suffix in endings]
        expected = f"files ending in {' or '.join(endings)} in this folder"
    else:
        files = [Path(file) for file in sorted(glob(str(path), recursive=True))]
        expected = "a file, a folder or a pattern such as 'data/*.parquet'"
    if not files:
        raise DataError(f"{kind}:{path}: nothing found. Expected {expected}.")
    return files


def _header_message(file: Path, header: list[str], names: list[str]) -> str:
    if not header:
        return f"{file}: an empty file. Expected a header with the column names."
    return (
        f"{file}: columns {header}, but the previous file has {names}. Expected the same columns."
    )


def _pyarrow() -> tuple[Any, Any]:
    try:
        # By name: pyarrow has no types, and is installed only with datasets.
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            "Reading Parquet needs pyarrow, which is not installed: pip install pyarrow."
        ) from error
