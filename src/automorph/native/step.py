"""One compiled operation on some images of a batch, for operations outside the compiled walk."""

from __future__ import annotations

import ctypes
from ctypes import c_int64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import AutomorphError
from automorph.native.library import library
from automorph.native.random import address

KINDS = (
    "hue",
    "dilate",
    "erode",
    "convolve",
    "add-noise",
    "resize",
    "zoom",
    "swirl",
    "elastic",
    "perspective",
    "grid",
    "optical",
    "double-field",
    "look-up",
    "shuffle",
    "hsv",
    "box",
    "motion",
    "median",
    "erase",
    "erase-with-noise",
    "move",
    "equalize-tiles",
    "field",
)
"""In the order of `Kind` in core/steps.hpp."""


class _Step(ctypes.Structure):
    """The struct ``Step`` of core/step.h."""

    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in ("images", "source", "rows", "values", "shared", "index", "copy")
        ),
        *((name, ctypes.c_int64) for name in ("start", "n", "stride", "source_stride", "count")),
        *((name, ctypes.c_int32) for name in ("kind", "height", "width", "channels")),
        ("epoch", ctypes.c_uint32),
        ("key", ctypes.c_uint32 * 2),
        *((name, ctypes.c_int32) for name in ("bilinear", "outside")),
        ("fill", ctypes.c_uint8 * 4),
    )


OUTSIDE = ("fill", "edge", "reflect")
"""In the order of `Outside` in core/interface.h."""
_NOTHING = np.zeros(1)


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a batch: images ``(n, H, W, C)`` to write, and the numbers ``(m,)`` of the rows.

    They are read from the same rows of ``source``, or else changed in place.
    """

    images: NDArray[np.uint8]
    numbers: NDArray[np.int64]
    source: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the batch."""
        n, height, width, channels = self.images.shape
        return n, height, width, channels

    def pixels(self) -> NDArray[np.uint8]:
        """Return a copy of the rows, ``(m, H, W, C)``."""
        found: NDArray[np.uint8] = (self.images if self.source is None else self.source)[
            self.numbers
        ]
        return found


def packed(*tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return the bytes of tables, one after the other, as the ``shared`` numbers of a step.

    >>> len(packed(np.zeros(3, np.int32), np.zeros(5, np.uint8)))
    3
    """
    content = b"".join(table.tobytes() for table in tables)
    return np.frombuffer(content + bytes(-len(content) % 8), np.float64)


def run_step(
    kind: str,
    rows: Rows,
    values: NDArray[Any],
    *,
    shared: NDArray[np.float64] = _NOTHING,
    words: tuple[NDArray[np.int64], NDArray[np.uint32], int, tuple[int, int], int] | None = None,
    bilinear: bool = True,
    outside: str = "edge",
    fill: NDArray[np.uint8] | None = None,
) -> None:
    """Write some rows of a batch.

    ``values`` ``(m, ...)`` and ``shared`` mean what the kernel says (core/). Each image must have
    no gaps. ``words``: index and copy ``(m,)``, epoch, key and first draw of random words.
    ``outside``: fill, edge or reflect.
    """
    if not len(rows):
        return
    loaded, variant = library()
    _, height, width, channels = rows.shape
    source = rows.images if rows.source is None else rows.source
    places = np.ascontiguousarray(rows.numbers, np.int64)
    numbers = np.ascontiguousarray(values.reshape(len(rows), -1), np.float64)
    both = np.ascontiguousarray(shared, np.float64)
    index, copy, epoch, key, start = words or (places, places, 0, (0, 0), 0)
    colour = [0] * 4 if fill is None else [*fill.tolist(), 0, 0, 0][:4]
    given = _Step(
        rows.images.__array_interface__["data"][0],
        source.__array_interface__["data"][0],
        address(places),
        address(numbers),
        address(both),
        address(index),
        address(copy),
        start,
        len(rows),
        rows.images.strides[0],
        source.strides[0],
        numbers.shape[1],
        KINDS.index(kind),
        height,
        width,
        channels,
        epoch,
        key,
        bilinear,
        OUTSIDE.index(outside),
        tuple(colour),
    )
    status = loaded.functions.automorph_step(
        variant, ctypes.byref(given), c_int64(0), c_int64(len(rows))
    )
    if status < 0:
        raise AutomorphError(
            "the compiled engine could not allocate scratch memory (a few images); "
            "use smaller images or fewer threads"
        )
