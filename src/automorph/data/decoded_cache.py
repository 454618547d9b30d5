"""Decoded images kept between commands, found again by the content of their files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import features

from automorph.data.decoders import map_chunks
from automorph.data.dicom import is_dicom
from automorph.data.image_opening import BadImageError, content_of
from automorph.errors import DiskError
from automorph.files import atomic_write, cache_home, keep_recent, make_folder

MOST = 2 << 30
"""Bytes of all files together; the ones that were used least recently are deleted."""
LEAST = 4 << 20
"""Bytes of encoded images that take about a tenth of a second; fewer are decoded each time."""
_CHUNK = 64
_Found = tuple[NDArray[np.uint8], dict[int, str], dict[int, str], bool]


@dataclass(frozen=True)
class Kept:
    """A file of the user's cache for the images of some sources: ``images/<name>.npz``.

    It is named by the sizes of the sources and by how they are read, which are known without
    reading them, and holds the hash of their content: only where there is a file, the sources are
    hashed. Whatever is damaged, or made of other content, is made again.
    """

    path: Path

    @classmethod
    def of(cls, sources: Sequence[Any], how: tuple[object, ...]) -> Kept | None:
        """Return the file for these sources, read in this way; None if keeping them is no use.

        Arrays, PIL images and DICOM files are not kept.
        """
        sizes = []
        for source in sources:
            size = _size_of(source)
            if size is None:
                return None
            sizes.append(size)
        if sum(sizes) < LEAST:
            return None
        name = blake2b(repr((how, _decoder())).encode(), digest_size=16)
        name.update(np.array(sizes, "<i8").tobytes())
        return cls(cache_home() / "images" / f"{name.hexdigest()}.npz")

    def load(self, sources: Sequence[Any]) -> _Found | None:
        """Return images, reasons of bad rows, remarks, and whether a file was reduced.

        None if there are none of this content.
        """
        if not self.path.is_file():
            return None
        digests = (
            digest
            for part in map_chunks(
                _digests, ((sources[at : at + _CHUNK],) for at in range(0, len(sources), _CHUNK)), 0
            )
            for digest in part
        )
        try:
            with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                facts = json.loads(file["facts"].tobytes())
                if facts["content"] != _joined(digests):
                    return None
                images = file["images"]
            bad, remarks = (
                {int(row): str(told) for row, told in facts[name].items()}
                for name in ("bad", "remarks")
            )
            if images.dtype != np.uint8 or images.shape[:1] != (len(sources) - len(bad),):
                return None
            with suppress(OSError):
                os.utime(self.path)
            return images, bad, remarks, bool(facts["reduced"])
        except Exception:  # A damaged archive fails in many ways; it is made again.
            return None

    def save(
        self,
        digests: Sequence[bytes],
        images: NDArray[np.uint8],
        bad: Mapping[int, str],
        remarks: Mapping[int, str],
        *,
        reduced: bool,
    ) -> None:
        """Write the file, and delete others if all are too large; a full disk keeps nothing."""
        if images.nbytes > MOST // 2:
            return
        facts = {
            "content": _joined(digests), "bad": bad, "remarks": remarks, "reduced": reduced,
        }  # fmt: skip
        told = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        with suppress(DiskError):
            make_folder(self.path.parent)
            with suppress(OSError):
                self.path.parent.chmod(0o700)  # They may show persons.
            with atomic_write(self.path, flush=False) as made, open(made, "wb") as file:
                np.savez(file, facts=told, images=images)
            keep_recent(self.path.parent, MOST)


def digest_of(content: Any) -> bytes:
    """Return the hash of the bytes of a source, or of a file."""
    if isinstance(content, bytes):
        return blake2b(content, digest_size=16).digest()
    total = blake2b(digest_size=16)
    with suppress(OSError), open(content, "rb") as file:
        while chunk := file.read(1 << 20):
            total.update(chunk)
    return total.digest()


def _digests(sources: Sequence[Any]) -> list[bytes]:
    found = []
    for source in sources:
        try:
            found.append(digest_of(content_of(source)))
        except BadImageError:
            found.append(b"")
    return found


def _joined(digests: Iterable[bytes]) -> str:
    total = blake2b(digest_size=16)
    for digest in digests:
        total.update(digest.ljust(16))
    return total.hexdigest()


def _size_of(source: Any) -> int | None:
    """Return the bytes of a source; 0 for a missing file, None for what is not kept."""
    if isinstance(source, bytes):
        return None if is_dicom(source) else len(source)
    if not isinstance(source, str | os.PathLike) or is_dicom(source):
        return None
    try:
        return os.stat(source).st_size
    except OSError:
        return 0


@cache
def _decoder() -> tuple[object, ...]:
    """Return the versions that decide pixels."""
    return PIL.__version__, features.version("jpg"), features.version("libjpeg_turbo")
