"""Checks of the arrays of images and class numbers that users pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError


def check_images(images: NDArray[Any]) -> None:
    """Refuse anything but uint8 (n, H, W, C), C-contiguous, C in {1, 3, 4}, with a remedy."""
    if images.dtype != np.uint8:
        hint = " For values in [0, 1]: (255 * images).round().astype('uint8')."
        if images.dtype.kind in "iu":
            hint = " For values from low to high: automorph.data.Window(low, high)(images)."
        raise DataError(f"images have dtype {images.dtype}: expected uint8, 0 to 255.{hint}")
    shape = images.shape
    if len(shape) == 3:
        raise DataError(f"images have shape {shape}: expected (n, H, W, C); add [..., None].")
    if len(shape) != 4 or shape[3] not in (1, 3, 4):
        first = len(shape) == 4 and shape[1] in (1, 3, 4)
        hint = " Channels come last: use images.transpose(0, 2, 3, 1)." if first else ""
        raise DataError(
            f"images have shape {shape}: expected (n, H, W, C) with 1, 3 or 4 channels.{hint}"
        )
    if min(shape[1:3]) == 0:
        raise DataError(f"images have shape {shape}: expected at least one pixel.")
    if not images.flags.c_contiguous:
        raise DataError("images are not C-contiguous: use numpy.ascontiguousarray(images).")


def check_range(numbers: NDArray[np.int64], n: int, what: str) -> None:
    """Refuse class or subgroup numbers outside 0..n-1."""
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= n):
        raise DataError(
            f"{what} range from {numbers.min()} to {numbers.max()}: expected 0 to {n - 1}, "
            f"for {n} names."
        )
