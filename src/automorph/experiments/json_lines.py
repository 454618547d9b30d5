"""A log of records in one file: each is a line that is written at once and checked when read."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO

from automorph.errors import DamagedError
from automorph.experiments.job import digest
from automorph.files import LARGEST_JSON, disk_errors, make_folder

_CHECK = "check"
_BLOCK = 65536


class JsonLines:
    """An append-only file of JSON objects, one a line, each with a check sum.

    A line is on the disk when `append` returns. A line that a killed process left unfinished is
    cut off by the next `append`; a damaged line is skipped, with a warning, and stays in the file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = JsonLines(Path(folder) / "jobs.jsonl")
    ...     log.append({"seed": 1})
    ...     log.read()
    [{'seed': 1}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[dict[str, Any]]:
        """Return the records in the order in which they were written; none without a file.

        Raises `DamagedError` for a file that cannot be read at all.
        """
        try:
            if (size := self.path.stat().st_size) > LARGEST_JSON:
                raise DamagedError(
                    f"{self.path} has {size:,} bytes, but the limit is {LARGEST_JSON:,}. Delete "
                    "this file, or choose another folder"
                )
            lines = self.path.read_bytes().splitlines(keepends=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise DamagedError(
                f"{self.path} cannot be read ({error}); expected a file that automorph wrote. "
                "Choose another folder"
            ) from error
        records = [_record(line) for line in lines]
        # The last line may be one that a killed process did not finish.
        unfinished = bool(lines) and not lines[-1].endswith(b"\n")
        bad = sum(record is None for record in records) - unfinished
        if bad:
            warnings.warn(
                f"{self.path}: {bad} of {len(lines)} lines are damaged and were skipped; work that "
                "only they record is done again",
                stacklevel=2,
            )
        return [record for record in records if record is not None]

    def append(self, record: dict[str, Any]) -> None:
        """Write a record; raises `DiskError` if the disk is full or cannot be written to."""
        line = json.dumps({**record, _CHECK: digest(record)}, allow_nan=False) + "\n"
        make_folder(self.path.parent)
        with disk_errors(self.path), open(self.path, "a+b") as file:
            _lock(file)
            end = _whole(file)
            try:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise


def _lock(file: BinaryIO) -> None:
    """Wait for other processes that append; the lock ends when the file is closed."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except (ImportError, OSError):
        pass  # Not available here: a run has one writer, which the lock of its folder ensures.


def _whole(file: BinaryIO) -> int:
    """Cut off a last line that has no end; return the size of the file."""
    size = end = file.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - _BLOCK)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            end = begin + found + 1
            break
        end = begin
    if end < size:
        file.truncate(end)
    return end


def _record(line: bytes) -> dict[str, Any] | None:
    """Return the record of a line, or None if it was damaged."""
    try:
        record = json.loads(line)
        if not line.endswith(b"\n") or not isinstance(record, dict):
            return None
        return record if record.pop(_CHECK, None) == digest(record) else None
    except (ValueError, RecursionError):
        return None
