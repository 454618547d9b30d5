"""Tables from Parquet, CSV and JSON lines: columns by name, read on demand."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from automorph.data.notes import Notes, shortened
from automorph.data.readers.arrow_cells import cells_of, features_of, word_columns
from automorph.data.readers.csv_records import read_records
from automorph.data.readers.json_rows import read_rows
from automorph.data.readers.table_files import find_files, parts_of_files
from automorph.errors import DataError, MissingExtraError
from automorph.registry import Entry

LARGEST_FIELD = 2**30
"""Largest number of characters in a field of a CSV file."""


@dataclass(frozen=True)
class RawTable:
    """One part as a table.

    ``features`` are the Hugging Face features where the file declares them (``{"label": {"_type":
    "ClassLabel", "names": [...]}}``), ``folder`` is what relative paths in cells are relative to,
    ``bad`` lists rows that cannot be parsed, ``notes`` what was guessed in reading, ``words`` the
    columns that hold words (None: any may).
    """

    names: tuple[str, ...]
    n: int
    column: Callable[[str], Sequence[Any]]
    folder: Path
    features: Mapping[str, Any] = field(default_factory=dict)
    bad: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] | None = None


def read_tables(kind: str, path: str) -> dict[str, RawTable]:
    """Read a file, glob or folder of one of the ``TABLES`` as tables by part.

    The part of a file is in its name, or in that of a folder (``train``,
    ``validation``/``val``/``dev``, ``test`` as a word); files that name none are the train split.
    Several files of one part are joined in the order of their names.
    """
    read, where = TABLES[kind], Path(path).expanduser()
    notes = Notes()
    files = find_files(kind, where, read.endings, notes)
    parts = parts_of_files(f"{kind}:{path}", where, files, notes)
    tables = {part: read(found) for part, found in parts.items()}
    notes.add(*tables["train"].notes)
    tables["train"] = replace(tables["train"], notes=notes.lines)
    return tables


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
        _check_twice(schemas[0].names, files[0])
        n = sum(parquet.read_metadata(file).num_rows for file in files)
    except (arrow.ArrowException, OSError) as error:
        raise DataError(
            f"{', '.join(map(str, files[:3]))}: not a complete Parquet file ({error}). Download or "
            "write it again."
        ) from error

    def column(name: str) -> Sequence[Any]:
        values: list[Any] = []
        # Each with its own schema: the files of Ray differ in how they hold images.
        for file, schema in zip(files, schemas, strict=True):
            try:
                found = parquet.ParquetFile(file).read(columns=[name]).column(name)
            except (arrow.ArrowException, OSError) as error:
                raise DataError(f"{file}: column {name!r} is damaged ({error}).") from error
            values += cells_of(schema.field(name), found)
        return values

    features: dict[str, Any] = {}
    for schema in reversed(schemas):
        features |= features_of(schema)
    return RawTable(
        tuple(schemas[0].names), n, column, files[0].parent, features,
        words=word_columns(schemas[0]),
    )  # fmt: skip


def read_csv(files: Sequence[Path]) -> RawTable:
    """Read CSV files with a header (UTF-8, or UTF-16 with a byte order mark); cells are strings.

    Fields are separated by the comma, semicolon or tab that gives the header the most columns
    (``.tsv``: by tabs). A quote that does not close is read as text (`csv_records`).
    """
    names: list[str] = []
    rows: list[list[str]] = []
    bad: dict[int, str] = {}
    notes = Notes()
    for file in files:
        try:
            with file.open(newline="", encoding=_encoding(file)) as lines, _long_fields():
                stated = _stated_delimiter(lines)
                tabs = "\t" if file.suffix.lower() == ".tsv" else None
                mark = stated or tabs or _delimiter(lines, file, notes)
                found = read_records(lines, mark, start=2 if stated else 1)
        except (UnicodeError, csv.Error) as error:
            raise DataError(
                f"{file}: not a UTF-8 CSV file ({error}). Save it as UTF-8 CSV."
            ) from error
        if any("\0" in column for column in found.header):
            raise DataError(f"{file}: not a UTF-8 CSV file (zeros in it). Save it as UTF-8 CSV.")
        if not found.header or (names and found.header != names):
            raise DataError(_header_message(file, found.header, names))
        names = found.header
        for row, (line, reason) in found.bad.items():
            bad[len(rows) + row] = f"line {line} of {file.name}: {reason}"
        if found.unclosed:
            numbers = shortened([str(line) for line in found.unclosed], shown=5)
            notes.add(f"quotes that do not close were read as text: {file.name}, lines {numbers}")
        rows += found.rows
    _check_twice(names, files[0])
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    return RawTable(
        tuple(names), len(rows), lambda name: columns.get(name, ()), files[0].parent, bad=bad,
        notes=notes.lines,
    )  # fmt: skip


def _check_twice(names: Sequence[str], file: Path) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{file}: columns {twice} appear twice. Rename all but one of each.")


def _encoding(file: Path) -> str:
    """Detect UTF-16, which spreadsheets call "Unicode text", by its byte order mark."""
    with file.open("rb") as opened:
        begin = opened.read(2)
    return "utf-16" if begin in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def _stated_delimiter(lines: TextIO) -> str | None:
    """Read the line with which a file for Excel states its separator (``sep=;``), if it has one."""
    if found := re.fullmatch(r"sep=(.)\r?\n?", lines.readline()):
        return found[1]
    lines.seek(0)
    return None


def _delimiter(lines: TextIO, file: Path, notes: Notes) -> str:
    """Detect the separator: the mark that gives the header the most columns."""
    columns = {}
    for mark in ",;\t":
        columns[mark] = len(next(csv.reader(lines, delimiter=mark), []))
        lines.seek(0)
    most = max(columns, key=columns.__getitem__)
    others = [mark for mark, n in columns.items() if mark != most and n > 1]
    if others:
        notes.add(
            f"columns of {file.name} are separated by {most!r}, not by "
            f"{' or '.join(map(repr, others))}, which the header also contains"
        )
    return most


@contextmanager
def _long_fields() -> Iterator[None]:
    """Allow long texts in a field; Python's own limit is 131,072 characters."""
    before = csv.field_size_limit(LARGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def read_jsonl(files: Sequence[Path]) -> RawTable:
    """Read files of JSON objects, one per line or in one array; a key that a row lacks is None."""
    rows: list[dict[str, Any]] = []
    bad: dict[int, str] = {}
    for file in files:
        found, reasons = read_rows(file)
        bad |= {len(rows) + row: reason for row, reason in reasons.items()}
        rows += found
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
