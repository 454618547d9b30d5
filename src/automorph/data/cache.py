"""Storage of decoded images: in memory, or memory-mapped in a folder given by the caller."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.dataset import Split
from automorph.data.memory_map import allocate, finish, mapped
from automorph.errors import DamagedError
from automorph.files import make_folder, read_json, temporary_of, write_json

_REDUCED = "reduced"
_CHUNK = 4096  # rows copied at a time between memory maps


@dataclass(frozen=True)
class Store:
    """A cache of decoded images: ``<key>.npy``, and ``<key>.json`` with the skipped rows.

    ``<key>.remarks.json`` holds remarks on rows that were read, and whether a file was decoded
    smaller than it is, if there is anything to say.

    The key hashes the source (paths with size and time of change, or the encoded bytes) and the
    options, so a changed source is decoded again. Files are written under a temporary name and
    renamed.
    """

    folder: Path
    key: str

    @classmethod
    def of(cls, folder: Path, sources: Sequence[Any], *how: object) -> Store:
        """Return the cache of these sources, read with these options."""
        total = blake2b(repr(how).encode(), digest_size=16)
        for source in sources:
            total.update(_fingerprint(source))
        return cls(Path(folder), total.hexdigest())

    @property
    def path(self) -> Path:
        """The file of pixels."""
        return self.folder / f"{self.key}.npy"

    def load(self) -> tuple[NDArray[np.uint8], dict[int, str]] | None:
        """Map the images of an earlier call; None if there are none, or they are incomplete."""
        notes = self.path.with_suffix(".json")
        if not notes.exists() or (images := mapped(self.path)) is None:
            return None
        try:
            bad = {int(row): str(reason) for row, reason in read_json(notes).items()}
        except (DamagedError, ValueError):
            return None
        return images, bad

    def load_remarks(self) -> tuple[dict[int, str], bool] | None:
        """Return the remarks on rows of an earlier call, and whether a file was reduced.

        None if they are damaged.
        """
        try:
            found = read_json(self.path.with_suffix(".remarks.json"))
            reduced = bool(found.pop(_REDUCED, False))
            return {int(row): str(remark) for row, remark in found.items()}, reduced
        except FileNotFoundError:
            return {}, False
        except (DamagedError, ValueError):
            return None

    def save_remarks(self, remarks: Mapping[int, str], *, reduced: bool) -> None:
        """Record remarks on rows, and that a file was reduced, if there is anything to say."""
        if remarks or reduced:
            make_folder(self.folder)
            told = {str(row): remark for row, remark in remarks.items()}
            write_json(
                self.path.with_suffix(".remarks.json"),
                {**told, **({_REDUCED: True} if reduced else {})},
            )

    def allocate(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Make a zeroed array on disk, under a temporary name."""
        return allocate(self.path, shape)

    def save(self, images: NDArray[np.uint8], bad: Mapping[int, str]) -> NDArray[np.uint8]:
        """Rename the finished array to its final name, record the bad rows, map it read-only."""
        found = finish(self.path, images)
        write_json(self.path.with_suffix(".json"), {str(row): why for row, why in bad.items()})
        return found

    def discard(self) -> None:
        """Remove an unfinished array."""
        temporary_of(self.path).unlink(missing_ok=True)


def take_part(part: Split, rows: NDArray[np.intp]) -> Split:
    """Take rows for a new part; memory-mapped data go to a new file beside the old one.

    :meth:`Split.take` would copy the pixels into memory, where a part of a large set may not fit.
    """
    pixels = part.data
    if not isinstance(pixels, np.memmap) or pixels.filename is None:
        return part.take(rows)
    # Named by content: several parts may be slices of one file, or taken from other parts.
    content = blake2b(part.digests[rows].tobytes(), digest_size=16).hexdigest()
    store = Store(Path(pixels.filename).parent, content)
    if (found := store.load()) is not None:
        return part.with_data(found[0], rows)
    images = store.allocate((len(rows), *pixels.shape[1:]))
    for start in range(0, len(rows), _CHUNK):
        images[start : start + _CHUNK] = pixels[rows[start : start + _CHUNK]]
    return part.with_data(store.save(images, {}), rows)


def _fingerprint(source: Any) -> bytes:
    if isinstance(source, bytes):
        return blake2b(source, digest_size=16).digest()
    if isinstance(source, os.PathLike | str):
        path = Path(source)
        if not path.exists():
            return f"{path} missing".encode()
        status = path.stat()
        return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode()
    pixels = np.asarray(source)
    return blake2b(pixels.tobytes() + repr(pixels.shape).encode(), digest_size=16).digest()
