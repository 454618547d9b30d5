"""Files written atomically, read within limits, and locked against other processes."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError, DiskError, UsageError
from automorph.processes import leave_script

LARGEST_JSON = 256 * 2**20
"""Bytes; automorph writes no larger file."""

_CHECK = "check"
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_ABANDONED = 3600.0
_ADVICE = {
    errno.ENOSPC: "free some space on this disk",
    errno.EDQUOT: "free some space within your quota",
    errno.EFBIG: "raise the limit on file size (ulimit -f)",
    errno.EROFS: "make it writable, or choose another folder with --out (folder=...)",
    errno.EACCES: "make it writable, or choose another folder with --out (folder=...)",
    errno.EPERM: "make it writable, or choose another folder with --out (folder=...)",
    errno.ENOTDIR: "choose another folder with --out (folder=...)",
    errno.EEXIST: "choose another folder with --out (folder=...)",
    errno.EIO: "check the disk",
}
"""What to do about errors of the disk."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert errors of a full or read-only disk to a `DiskError` that says what to do."""
    try:
        yield
    except Exception as error:
        number = _number(error)
        if number not in _ADVICE:
            raise
        raise DiskError(
            f"cannot write {path}: {os.strerror(number)}; {_ADVICE[number]}. Finished work "
            "is kept: the same call then continues from there"
        ) from error


def disk_advice(error: Exception) -> str:
    """Return what to do about a full or read-only disk; empty for other errors."""
    number = _number(error)
    return "" if number in (errno.ENOTDIR, errno.EEXIST) else _ADVICE.get(number, "")


def _number(error: Exception) -> int:
    """Return the errno of an error, even if only its message mentions it; 0 if none."""
    if isinstance(error, OSError):
        return error.errno or 0
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else 0


def cache_home() -> Path:
    """Return the folder for what can be made again: ``AUTOMORPH_CACHE``, or the user's cache."""
    given = os.environ.get("AUTOMORPH_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "automorph"


def make_folder(path: Path) -> Path:
    """Make a folder and its parents if they do not exist."""
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def keep_recent(folder: Path, most: int) -> None:
    """Delete the files of a cache that were used least recently, so that ``most`` bytes remain.

    Also temporary files that a killed process left an hour ago or earlier.
    """
    with suppress(OSError):  # Another process may delete the same files.
        files = [(path.stat(), path) for path in folder.iterdir() if path.is_file()]
        total = 0
        for status, path in sorted(files, key=lambda one: (-one[0].st_mtime_ns, one[1].name)):
            total += status.st_size
            left = _TEMPORARY.fullmatch(path.name) and time.time() - status.st_mtime > _ABANDONED
            if left or (total > most and not path.name.startswith(".")):
                path.unlink(missing_ok=True)


def temporary_of(path: Path) -> Path:
    """Return the name under which this process writes a file until it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextmanager
def atomic_write(path: Path, *, flush: bool = True) -> Iterator[Path]:
    """Yield a temporary path that replaces ``path`` if the block ends without an error.

    Without ``flush``, a power failure may leave a damaged file: for caches whose files are checked
    when they are read. Raises `DiskError` if the disk is full or cannot be written to; ``path`` is
    then unchanged.
    """
    temporary = temporary_of(path)
    with disk_errors(path):
        try:
            with suppress(FileNotFoundError, NotADirectoryError):
                temporary.unlink()  # Anything at this path, even a link elsewhere, is not ours.
            yield temporary
            # Opened for writing: some systems do not flush files opened for reading.
            if flush:
                with open(temporary, "r+b") as file:
                    os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")


def write_checked(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object with a check sum, by which `read_json` detects later changes."""
    write_json(path, {**content, _CHECK: _check_of(content)})


def _check_of(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def read_json(path: Path, *, max_bytes: int = LARGEST_JSON) -> dict[str, Any]:
    """Read a JSON object that automorph wrote.

    Raises `DamagedError` for anything but a complete JSON object of at most ``max_bytes`` bytes,
    and FileNotFoundError if there is no file.
    """
    try:
        if (size := path.stat().st_size) > max_bytes:
            raise ValueError(f"it has {size:,} bytes, but the limit is {max_bytes:,}")
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it contains a {type(content).__name__}, not an object")
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
    """Return the path of a name found in a file, if it lies in the folder.

    Raises `DamagedError` for names that lead out of it: files must not choose what is read.

    >>> inside(Path("runs/a"), "model.safetensors").name
    'model.safetensors'
    """
    if isinstance(name, str) and name and "\0" not in name:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()):
            return path
    raise DamagedError(
        f"a file in {folder} refers to {str(name)[:200]!r}, which is outside that folder. "
        "It is damaged or not written by automorph: delete it, or choose another folder"
    )


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes; make it if it does not exist.

    Temporary files of killed processes (`atomic_write`) are removed. Raises `UsageError` if another
    process holds the lock. The system releases the lock when a process ends for any reason. If
    folders cannot be locked, nothing is done.
    """
    leave_script()
    make_folder(folder)
    try:
        import fcntl
    except ImportError:  # Not available here; users must avoid two runs in one folder.
        yield
        return
    path = folder / ".lock"
    with disk_errors(path):
        file = _locked(path, fcntl)
        for left in folder.rglob(".*.tmp"):
            # A killed process leaves these. Other programs' files do not match `temporary_of`.
            if _TEMPORARY.fullmatch(left.name):
                left.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # While it is still locked, so that nobody else locks it.
        os.close(file)


def _locked(path: Path, fcntl: Any) -> int:
    """Open and lock the file; return its descriptor."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return file  # This file system does not support locks.
            os.close(file)
            raise UsageError(
                f"another process is using {path.parent}; wait for it, or choose another "
                "folder with --out (folder=...)"
            ) from None
        # The previous holder may have removed the file between our opening and locking it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)
