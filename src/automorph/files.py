"""Files that are there whole or not at all, read within limits, and written by one process."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError, DiskError, UsageError

LARGEST_JSON = 256 * 2**20
"""Bytes; a larger file is none that automorph wrote."""

_CHECK = "check"
_ADVICE = {
    errno.ENOSPC: "make room on this disk",
    errno.EDQUOT: "make room within your quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make it writable, or choose another folder with --out (folder=...)",
    errno.EACCES: "make it writable, or choose another folder with --out (folder=...)",
    errno.EPERM: "make it writable, or choose another folder with --out (folder=...)",
    errno.ENOTDIR: "choose another folder with --out (folder=...)",
    errno.EEXIST: "choose another folder with --out (folder=...)",
    errno.EIO: "check the disk",
}
"""What to do about what a disk says."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Within, what a full or read-only disk says becomes a `DiskError` that says what to do."""
    try:
        yield
    except Exception as error:
        number = _number(error)
        if number not in _ADVICE:
            raise
        raise DiskError(
            f"cannot write {path}: {os.strerror(number)}; {_ADVICE[number]}. What was finished "
            "is kept: the same call then goes on from there"
        ) from error


def disk_advice(error: Exception) -> str:
    """What to do about a disk that is full or read-only; nothing for other errors."""
    number = _number(error)
    return "" if number in (errno.ENOTDIR, errno.EEXIST) else _ADVICE.get(number, "")


def _number(error: Exception) -> int:
    """The system's number of an error, also of libraries that hide it in words; 0 if none."""
    if isinstance(error, OSError):
        return error.errno or 0
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else 0


def make_folder(path: Path) -> Path:
    """Make a folder and those above it, if they are not there."""
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def temporary_of(path: Path) -> Path:
    """The name under which this process writes a file before it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path``, which takes its place if the block ends without error.

    Raises `DiskError` where the disk is full or cannot be written to; ``path`` is then as before.
    """
    temporary = temporary_of(path)
    with disk_errors(path):
        try:
            with suppress(FileNotFoundError, NotADirectoryError):
                temporary.unlink()  # Whatever lies there, a link elsewhere even, is not ours.
            yield temporary
            # Opened for writing: some systems flush no file that is only read.
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file; it appears whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")


def write_checked(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object with a check, by which `read_json` tells that it was changed since."""
    write_json(path, {**content, _CHECK: _check_of(content)})


def _check_of(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def read_json(path: Path, *, max_bytes: int = LARGEST_JSON) -> dict[str, Any]:
    """Read a JSON object that automorph wrote.

    Raises `DamagedError` for what is no whole JSON object, or larger than ``max_bytes`` bytes, and
    FileNotFoundError where there is nothing.
    """
    try:
        if (size := path.stat().st_size) > max_bytes:
            raise ValueError(f"it has {size:,} bytes, and {max_bytes:,} are the most")
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it holds a {type(content).__name__} and no object")
        if _CHECK in content and content.pop(_CHECK) != _check_of(content):
            raise ValueError("it was changed after it was written")
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(
            f"{path} cannot be read ({str(error)[:200]}); expected JSON that automorph wrote. "
            "Delete this file, or choose another folder"
        ) from error
    return content


def inside(folder: Path, name: Any) -> Path:
    """The path of a name that a file gives, if it lies in the folder.

    Raises `DamagedError` for names that lead out of it: files must not choose what is read.

    >>> inside(Path("runs/a"), "model.safetensors").name
    'model.safetensors'
    """
    if isinstance(name, str) and name and "\0" not in name:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()):
            return path
    raise DamagedError(
        f"a file of {folder} names {str(name)[:200]!r}, which does not lie in that folder. "
        "It is not as automorph wrote it: delete it, or choose another folder"
    )


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Within, no other process works in this folder, which is made if it is not there.

    What a killed process had begun to write (`atomic_write`) is swept away.
    Raises `UsageError` when another process holds it. The system lets go of the lock when a
    process ends, however it ends. Where folders cannot be locked, nothing is done.
    """
    make_folder(folder)
    try:
        import fcntl
    except ImportError:  # Not on this system; two runs in one folder are the user's to avoid.
        yield
        return
    path = folder / ".lock"
    with disk_errors(path):
        file = _locked(path, fcntl)
        for left in folder.rglob(".*.tmp"):
            # A killed process could not. Others' names are not those of `temporary_of`.
            if re.fullmatch(r"\..+\.\d+\.tmp", left.name):
                left.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # While it is still locked: nobody can be confused.
        os.close(file)


def _locked(path: Path, fcntl: Any) -> int:
    """The open file of a lock that is ours."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return file  # This file system has no locks.
            os.close(file)
            raise UsageError(
                f"another process is at work in {path.parent}; wait for it, or choose another "
                "folder with --out (folder=...)"
            ) from None
        # The file may have been removed, by who held it, between our opening and locking it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)
