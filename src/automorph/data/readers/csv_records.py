"""Records of CSV files in which a quote may open a field and never close.

Python's reader takes such a quote for the start of a field that goes on in the next lines, and
merges rows in silence. Here, rows that a quote would merge are read as they are written.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_REPEATS = 0.5  # a column with at most this share of different values repeats them
_MERGED = 0.8  # a field of which this share of lines are complete rows merges rows


@dataclass
class Records:
    """The rows below the header; bad ones with line and reason; lines with unclosed quotes."""

    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    bad: dict[int, tuple[int, str]] = field(default_factory=dict)
    unclosed: list[int] = field(default_factory=list)


def read_records(lines: Iterable[str], mark: str, *, start: int = 1) -> Records:
    """Read the records of a file with a header, separated by ``mark``; lines count from ``start``.

    A quote closes properly if a separator or the end of the line follows. If it does not, its line
    is taken literally. If it does, but nearly all of the lines that it spans are complete rows by
    themselves, with values that their columns have elsewhere, these are rows and not one field.
    """
    source = _Lines(lines, start)
    header = _header(source, mark)
    found = Records(header)
    spans: dict[int, tuple[int, list[str]]] = {}
    reader = csv.reader(source, delimiter=mark, strict=True)
    while True:
        source.begin()
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            row = _literal(source.keep_first(), mark)
            found.unclosed.append(source.start)
            _add(found, row, source.start, quoted=True)
            continue
        if row and len(source.taken) > 1:
            spans[len(found.rows)] = source.start, list(source.taken)
        if row:  # otherwise an empty line
            _add(found, row, source.start)
    return _split(found, spans, mark) if spans else found


class _Lines:
    """An iterator over lines that records those of a record, and can put them back."""

    def __init__(self, lines: Iterable[str], start: int) -> None:
        self._lines, self._back = iter(lines), list[str]()
        self.taken: list[str] = []
        self.start = start

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def begin(self) -> None:
        """Begin a record; ``start`` is the number of its first line."""
        self.start += len(self.taken)
        self.taken = []

    def keep_first(self) -> str:
        """Put back all lines of the record but the first, and return that."""
        first, *rest = self.taken
        self._back += reversed(rest)
        self.taken = [first]
        return first


def _header(source: _Lines, mark: str) -> list[str]:
    try:
        return next(csv.reader(source, delimiter=mark, strict=True), [])
    except csv.Error:
        return _literal(source.keep_first(), mark)


def _literal(line: str, mark: str) -> list[str]:
    """Split a line at every separator; fields that are quoted by themselves lose their quotes."""
    fields = line.rstrip("\r\n").split(mark)
    return [
        field[1:-1].replace('""', '"')
        if len(field) > 1
        and field[0] == field[-1] == '"'
        and '"' not in field[1:-1].replace('""', "")
        else field
        for field in fields
    ]


def _alone(line: str, mark: str, n: int) -> list[str]:
    """Read a line as a record of its own; literally if its quotes do not close."""
    try:
        row = next(csv.reader([line], delimiter=mark, strict=True), [])
    except csv.Error:
        return _literal(line, mark)
    return row if len(row) == n else _literal(line, mark)


def _add(found: Records, row: list[str], line: int, *, quoted: bool = False) -> None:
    if [cell.strip("\ufeff ") for cell in row] == found.header:
        found.bad[len(found.rows)] = line, "the header again, as in files that were joined"
        row = [""] * len(found.header)
    elif len(row) != len(found.header):
        why = "a quote opens a field and does not close: " if quoted else ""
        reason = f"{why}{len(row)} fields, but the header has {len(found.header)}"
        found.bad[len(found.rows)] = line, reason
        row = [""] * len(found.header)
    found.rows.append(row)


def _split(found: Records, spans: dict[int, tuple[int, list[str]]], mark: str) -> Records:
    """Replace records that merge complete rows by these rows."""
    known = _known_values(found, spans)
    split = Records(found.header, unclosed=found.unclosed)
    for position, row in enumerate(found.rows):
        start, lines = spans.get(position, (0, []))
        pieces = [_alone(line, mark, len(found.header)) for line in lines]
        complete = [_is_complete(piece, len(found.header), known) for piece in pieces]
        share = _MERGED if known else 1.0
        if sum(complete) > 1 and sum(complete) >= share * len(complete):
            split.unclosed.append(start)
            for number, piece in enumerate(pieces):
                row = piece if complete[number] else _literal(lines[number], mark)
                _add(split, row, start + number, quoted=True)
            continue
        if position in found.bad:
            split.bad[len(split.rows)] = found.bad[position]
        split.rows.append(row)
    split.unclosed.sort()
    return split


def _known_values(found: Records, spans: dict[int, tuple[int, list[str]]]) -> dict[int, set[str]]:
    """Return the values of the columns that repeat theirs, in records of one line."""
    single = [
        row
        for position, row in enumerate(found.rows)
        if position not in spans and position not in found.bad
    ]
    known = {}
    for column in range(len(found.header)):
        counts = Counter(row[column] for row in single)
        if 0 < len(counts) <= _REPEATS * len(single):
            known[column] = set(counts)
    return known


def _is_complete(piece: Sequence[str], n: int, known: dict[int, set[str]]) -> bool:
    """Return whether a line is a row by itself: its fields, and most of its repeated values."""
    if len(piece) != n or n < 2:
        return False
    hits = sum(piece[column] in values for column, values in known.items())
    return 2 * hits >= len(known)
