"""Memory-mapped arrays, written atomically."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from automorph.files import disk_errors, make_folder, temporary_of, write_json

_CHUNK = 2**22


def allocate(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Make a zeroed uint8 array on disk, under a temporary name until `finish`.

    Its space is reserved at once: a disk that filled up later would kill the process silently.
    """
    make_folder(path.parent)
    draft = temporary_of(path)
    with disk_errors(path):
        try:
            made = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=shape)
            if hasattr(os, "posix_fallocate"):
                with open(draft, "r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, draft.stat().st_size)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    return cast("NDArray[np.uint8]", made)


def finish(path: Path, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rename a finished array to its final name, add a check sum, and map it read-only."""
    with disk_errors(path):
        cast("np.memmap[tuple[int, ...], np.dtype[np.uint8]]", array).flush()
        temporary_of(path).replace(path)
    write_json(_sum_of(path), {"crc32": _crc(path)})
    return cast("NDArray[np.uint8]", np.load(path, mmap_mode="r", allow_pickle=False))


def mapped(path: Path) -> NDArray[np.uint8] | None:
    """Map a finished array; None if there is none, or it was changed since."""
    try:
        wanted = json.loads(_sum_of(path).read_text("utf-8"))["crc32"]
        if wanted != _crc(path):
            return None
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, KeyError, TypeError, RecursionError):
        return None
    return found if found.dtype == np.uint8 else None


def _sum_of(path: Path) -> Path:
    return path.with_suffix(".sum.json")


def _crc(path: Path) -> str:
    # Read, not mapped: pages of a map would count as this process's memory.
    total = 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            total = zlib.crc32(chunk, total)
    return f"{total:08x}"
