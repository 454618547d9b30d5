"""A run folder at an address of fsspec: worked on here, copied there while it grows."""

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
from automorph.files import atomic_write, folder_lock, inside, make_folder, read_json, write_json

_COPIED = "copied.json"
_PART = ".part"


def is_address(path: str) -> bool:
    """Whether a place is an address, and no folder of this machine.

    >>> is_address("s3://bucket/run"), is_address("runs/s3")
    (True, False)
    """
    return "://" in path


@contextmanager
def mirrored(
    address: str, *, every: float | None = None, home: Path | None = None
) -> Iterator[Path]:
    """A folder of this machine that stands for an address (``s3://bucket/run``, ``gs://..``).

    What lies there is fetched first; what is new or changed is copied there ``every`` so many
    seconds (None: ``AUTOMORPH_COPY_SECONDS``, or 15) and at the end, however the block ends. After
    a kill, the same address goes on with what this machine had. Addresses cannot be locked: let one
    machine at a time work at one.

    The folder lies in ``home`` (None: ``AUTOMORPH_CACHE``, or ``~/.cache/automorph``). Raises
    `UsageError` for an address that cannot be understood, `MissingExtraError` where the package
    for its kind is missing, and `DiskError` where it cannot be read or written.

    >>> import tempfile
    >>> with mirrored("memory://run", home=Path(tempfile.mkdtemp())) as folder:
    ...     _ = (folder / "a.json").write_text("{}")
    >>> with mirrored("memory://run", home=Path(tempfile.mkdtemp())) as folder:
    ...     print((folder / "a.json").read_text())
    {}
    """
    files, root = _opened(address)
    name = blake2b(address.encode(), digest_size=8).hexdigest()
    path = (home or _home()) / "mirrors" / name
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
    """Both sides, and what is known to be equal on them: ``copied.json``."""

    def __init__(self, address: str, files: Any, root: str, path: Path) -> None:
        self.address, self.files, self.root = address, files, root
        self.folder = make_folder(path / "run")
        self.note = path / _COPIED
        # name: what tells a change of ours, what tells one of theirs
        self.known: dict[str, list[str]] = read_json(self.note) if self.note.exists() else {}

    @contextmanager
    def remote_errors(self, done: str) -> Iterator[None]:
        """Turn errors of the remote file system into a `DiskError` that says what to do."""
        try:
            yield
        except Exception as error:
            raise DiskError(
                f"{self.address} cannot be {done} ({type(error).__name__}: {str(error)[:200]}). "
                f"What was finished is kept in {self.folder}: look at the address and your rights "
                "to it; the same command then goes on, and copies it"
            ) from error

    def fetch(self) -> None:
        """Bring here what is new there; what was changed here and not copied yet stays."""
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
            # Taken away there; if nothing was changed here since, it is meant.
            if ours.get(name) == self.known.pop(name)[0]:
                (self.folder / name).unlink()
        write_json(self.note, self.known)

    def copy(self) -> None:
        """Bring there what is new here, each file whole or not at all."""
        ours = self._ours()
        before = dict(self.known)
        for name, mark in ours.items():
            if self.known.get(name, [""])[0] == mark:
                continue
            target = self._at(name)
            with suppress(FileNotFoundError):  # Gone since it was listed.
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
        """Copy now and then; what fails is tried again, and told at the end."""
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


def _home() -> Path:
    given = os.environ.get("AUTOMORPH_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "automorph"


def _opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    try:
        files, root = import_module("fsspec.core").url_to_fs(address)
    except ImportError as error:
        raise MissingExtraError(f"{address} cannot be opened: {error}") from error
    except ValueError as error:
        raise UsageError(
            f"got the address {address!r} ({error}); expected one of fsspec's kinds, such as "
            "s3://bucket/run, gs://bucket/run or sftp://host/run, or a folder"
        ) from error
    return files, str(root).rstrip("/")
