"""Run folders at fsspec addresses: kept locally, and copied there while they grow."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

from automorph.errors import DiskError, MissingExtraError, UsageError
from automorph.files import (
    atomic_write,
    cache_home,
    folder_lock,
    inside,
    make_folder,
    read_json,
    write_json,
)

_COPIED = "copied.json"
_PART = ".part"


def is_address(path: str) -> bool:
    """Return whether a path is an address rather than a local folder.

    >>> is_address("s3://bucket/run"), is_address("runs/s3")
    (True, False)
    """
    return "://" in path


@contextmanager
def mirrored(
    address: str, *, every: float | None = None, home: Path | None = None
) -> Iterator[Path]:
    """Mirror an address (``s3://bucket/run``, ``gs://..``) in a local folder.

    Existing files are fetched first; new and changed ones are copied back every ``every`` seconds
    (None: ``AUTOMORPH_COPY_SECONDS``, or 15) and at the end, however the block ends. After a kill,
    the same address continues with the local files. Addresses cannot be locked: use an address on
    one machine at a time.

    The folder lies in ``home`` (None: ``AUTOMORPH_CACHE``, or ``~/.cache/automorph``). Raises
    `UsageError` for an invalid address, `MissingExtraError` if the package for its protocol is
    missing, and `DiskError` if it cannot be read or written.

    >>> import tempfile
    >>> with mirrored("memory://run", home=Path(tempfile.mkdtemp())) as folder:
    ...     _ = (folder / "a.json").write_text("{}")
    >>> with mirrored("memory://run", home=Path(tempfile.mkdtemp())) as folder:
    ...     print((folder / "a.json").read_text())
    {}
    """
    files, root = _opened(address)
    name = blake2b(address.encode(), digest_size=8).hexdigest()
    path = (home or cache_home()) / "mirrors" / name
    with folder_lock(path):
        mirror = _Mirror(address, files, root, path)
        with mirror.remote_errors("read"):
            mirror.fetch()
        over = threading.Event()
        often = float(os.environ.get("AUTOMORPH_COPY_SECONDS") or 15) if every is None else every
        copying = threading.Thread(target=mirror.keep_copying, args=(over, often), daemon=True)
        copying.start()
        try:
            yield mirror.folder
        finally:
            over.set()
            copying.join()
            with mirror.remote_errors("written"):
                mirror.copy()


class _Mirror:
    """Both sides, with a record of what is equal on them: ``copied.json``."""

    def __init__(self, address: str, files: Any, root: str, path: Path) -> None:
        self.address, self.files, self.root = address, files, root
        self.folder = make_folder(path / "run")
        self.note = path / _COPIED
        # name: the mark of the local version, the mark of the remote one
        self.known: dict[str, list[str]] = read_json(self.note) if self.note.exists() else {}

    @contextmanager
    def remote_errors(self, done: str) -> Iterator[None]:
        """Turn errors of the remote file system into a `DiskError` that says what to do."""
        try:
            yield
        except Exception as error:
            raise DiskError(
                f"{self.address} cannot be {done} ({type(error).__name__}: {str(error)[:200]}). "
                f"Finished work is kept in {self.folder}: check the address and your permissions; "
                "then run the same command to continue and copy it"
            ) from error

    def fetch(self) -> None:
        """Fetch new remote files; local changes that were not copied yet stay."""
        there = {name: mark for name, mark in self._theirs().items() if not name.endswith(_PART)}
        ours = self._ours()
        for name, mark in there.items():
            known = self.known.get(name)
            changed_here = name in ours and (known is None or known[0] != ours[name])
            if changed_here or (known is not None and known[1] == mark and name in ours):
                continue
            path = inside(self.folder, name)
            make_folder(path.parent)
            with atomic_write(path) as temporary:
                self.files.get_file(self._at(name), str(temporary))
            self.known[name] = [_mark(path), mark]
        for name in set(self.known) - set(there):
            # Deleted remotely; if it was not changed here since, delete it here too.
            if ours.get(name) == self.known.pop(name)[0]:
                (self.folder / name).unlink()
        write_json(self.note, self.known)

    def copy(self) -> None:
        """Copy new local files to the address, each atomically."""
        ours = self._ours()
        before = dict(self.known)
        for name, mark in ours.items():
            if self.known.get(name, [""])[0] == mark:
                continue
            target = self._at(name)
            with suppress(FileNotFoundError):  # Deleted since it was listed.
                self.files.makedirs(target.rpartition("/")[0], exist_ok=True)
                self.files.put_file(str(self.folder / name), target + _PART)
                self.files.mv(target + _PART, target)
                self.files.invalidate_cache()
                self.known[name] = [mark, str(self.files.ukey(target))]
        for name in set(self.known) - set(ours):
            with suppress(FileNotFoundError):
                self.files.rm_file(self._at(name))
            del self.known[name]
        if self.known != before:
            write_json(self.note, self.known)

    def keep_copying(self, over: threading.Event, every: float) -> None:
        """Copy regularly; failures are retried, and reported at the end."""
        while not over.wait(every):
            with suppress(Exception):
                self.copy()

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _ours(self) -> dict[str, str]:
        found = {}
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):
                if path.is_file() and not path.name.endswith((".tmp", ".lock")):
                    found[path.relative_to(self.folder).as_posix()] = _mark(path)
        return found

    def _theirs(self) -> dict[str, str]:
        self.files.invalidate_cache()
        found = self.files.find(self.root)
        prefix = self.root.rstrip("/") + "/"
        return {
            path[path.index(prefix) + len(prefix) :]: str(self.files.ukey(path))
            for path in found
            if prefix in path
        }


def _mark(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def _opened(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    try:
        files, root = import_module("fsspec.core").url_to_fs(address)
    except ImportError as error:
        raise MissingExtraError(f"{address} cannot be opened: {error}") from error
    except ValueError as error:
        raise UsageError(
            f"got the address {address!r} ({error}); expected an address that fsspec supports, "
            "such as s3://bucket/run, gs://bucket/run or sftp://host/run, or a folder"
        ) from error
    return files, str(root).rstrip("/")
