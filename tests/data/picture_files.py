"""Real image files, valid and broken, made with Pillow for the tests of the data package."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    """Random pixels, reproducible by seed."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(pixels: NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    """An image file as bytes."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of a few bytes whose header declares a huge image."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def class_folders(
    root: Path, *, n: int = 4, classes: tuple[str, ...] = ("cats", "dogs"), shape: Any = (8, 8, 3)
) -> Path:
    """A folder of ``n`` different PNG files for each class."""
    for c, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(n):
            (root / name / f"{i}.png").write_bytes(encoded(noise(100 * c + i, *shape)))
    return root
