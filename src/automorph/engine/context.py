"""One operation at one position of the sequences, for the rows that share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.operations import Operation, Stream, unit_interval

Images = NDArray[np.uint8]
Values = NDArray[np.float64]
Whole = NDArray[np.int64]

DRAWS_A_POSITION = 24
"""Every position of a sequence has its own 2^24 draws; draw 0 is the sign."""


@dataclass(frozen=True, eq=False)
class Context:
    """What a kernel may know besides its images ``(m, H, W, C)`` and values ``(m,)``.

    ``stream`` has one row an image; ``batch`` holds the untransformed images of the whole batch
    (for operations with a partner); ``fill`` ``(C,)`` is the colour of what comes in from outside.
    """

    operation: Operation
    stream: Stream
    position: int
    batch: NDArray[Any]
    fill: Images
    bilinear: bool = False

    def row(self, number: int) -> Context:
        """The step of one of the rows."""
        return replace(self, stream=self.stream.take(slice(number, number + 1)))

    def words(self, count: int, *, draw: int = 1) -> NDArray[np.uint32]:
        """Random words ``(m, count)`` of the rows, from draw number ``draw`` on."""
        return self.stream.bits("op", count, start=(self.position << DRAWS_A_POSITION) + draw)

    def uniform(self, count: int, *, draw: int = 1) -> Values:
        """Numbers in [0, 1), float64 ``(m, count)``, exact multiples of 2^-24."""
        return unit_interval(self.words(count, draw=draw)).astype(np.float64)

    def below(self, limits: ArrayLike, *, draw: int) -> Whole:
        """Whole numbers ``floor(u * limit)`` in [0, limit), int64 ``(m,)``."""
        top = self.words(1, draw=draw)[:, 0].astype(np.int64) >> 8
        return (top * np.asarray(limits, np.int64)) >> 24

    def signs(self) -> Values:
        """The sides +-1, ``(m,)``: fair coins."""
        return np.where(self.words(1, draw=0)[:, 0] < 2**31, 1.0, -1.0)


class Kernel(Protocol):
    """A map of images ``(m, H, W, C)`` with one value each; returns new images."""

    def __call__(self, images: Images, values: Values, step: Context, /) -> Images:
        """The images after the operation."""
        ...


def truncated(values: ArrayLike) -> Whole:
    """Cut to whole numbers towards zero, as ``int`` does, after rounding to float32.

    Magnitudes are float32, so a value that is meant to be whole may lie a hair below.

    >>> truncated([10 * np.float64(np.float32(0.7)), -2.5, 0.999]).tolist()
    [7, -2, 0]
    """
    return np.asarray(np.trunc(np.asarray(values, np.float32)), np.int64)
