"""Blurs whose kernels have a size from a range, as the libraries draw them. Alpha is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from automorph import native
from automorph.native import Rows
from automorph.operations.filters import convolved, mirror
from automorph.operations.kernels import (
    CompiledKernel,
    Context,
    Family,
    Images,
    Kernel,
    NumPyKernel,
    Values,
    Whole,
    evenly,
    settings_of,
)
from automorph.operations.levels import drawn, opaque
from automorph.operations.spec import Operation

_GAUSSIAN = {"sigma": (0.1, 2.0), "side": (0, 0)}
_MOST_BOX, _MOST_MEDIAN = 31, 7
"""The largest reaches of the compiled kernels, in pixels."""
_SIDE = {"side": (3, 7)}
_MOTION = {"side": (3, 7), "angle": (0.0, 360.0), "direction": (-1.0, 1.0), "shifted": 1}


def gaussian_blur(images: Images, values: Values, context: Context) -> Images:
    """Blur with a Gaussian that is cut at the side of its kernel (0: int(3.5 sigma) px a side)."""
    return convolved(images, _gaussian(context))


def gaussian_blur_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Blur with a Gaussian."""
    native.run_step("convolve", rows, _gaussian(context))


def _gaussian(context: Context) -> Values:
    given = settings_of(context.operation, _GAUSSIAN)
    sigma, chance = drawn(context, given["sigma"], (0.0, 1.0))
    low, high = map(int, given["side"])
    side = low + np.floor(chance * (high - low + 1)).astype(np.int64)
    reach = np.where(side > 0, side // 2, (sigma * 3.5).astype(np.int64))
    offsets = np.arange(-reach.max(initial=0), reach.max(initial=0) + 1)
    wide = np.maximum(sigma, 1e-6)[:, None]
    weights = np.exp(-0.5 * (offsets / wide) ** 2) * (np.abs(offsets) <= reach[:, None])
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)


def box_blur(images: Images, values: Values, context: Context) -> Images:
    """Take the mean of a square whose side is an odd number from the range."""
    return convolved(images, _box(_sides(context, settings_of(context.operation, _SIDE)) // 2))


def box_blur_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Take the mean of a square."""
    reach = _sides(context, settings_of(context.operation, _SIDE)) // 2
    if reach.max() <= _MOST_BOX:
        native.run_step("box", rows, reach.astype(np.float64))
    else:
        native.run_step("convolve", rows, _box(reach))


def _box(reach: Whole) -> Values:
    offsets = np.arange(-reach.max(initial=0), reach.max(initial=0) + 1)
    weights = (np.abs(offsets) <= reach[:, None]).astype(np.float64)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)


def median_blur(images: Images, values: Values, context: Context) -> Images:
    """Take the median of a square whose side is an odd number from the range."""
    from scipy.ndimage import median_filter

    out = np.empty_like(images)
    for row, side in enumerate(_sides(context, settings_of(context.operation, _SIDE))):
        median_filter(images[row], size=(side, side, 1), mode="nearest", output=out[row])
    return out


def median_blur_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Take the median of a square."""
    reach = _sides(context, settings_of(context.operation, _SIDE)) // 2
    if reach.max() <= _MOST_MEDIAN:
        native.run_step("median", rows, reach.astype(np.float64))
    else:
        rows.images[rows.numbers] = opaque(median_blur)(rows.pixels(), values, context)


def motion_blur(images: Images, values: Values, context: Context) -> Images:
    """Average along a line of random length, angle, direction and place."""
    out = np.empty_like(images)
    for row, offsets in enumerate(_offsets(context)):
        out[row] = _averaged(images[row], offsets)
    return out


def motion_blur_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Average along a line."""
    lines = _offsets(context)
    numbers = np.zeros((len(lines), 2 + 2 * max(map(len, lines))))
    for row, offsets in enumerate(lines):
        numbers[row, 0], numbers[row, 1] = np.abs(offsets).max(), len(offsets)
        numbers[row, 2 : 2 + offsets.size] = offsets.ravel()
    native.run_step("motion", rows, numbers)


def _offsets(context: Context) -> list[Whole]:
    """Draw a line for each image: the rows and columns ``(k, 2)`` of its pixels."""
    given = settings_of(context.operation, _MOTION)
    sides = _sides(context, given)
    angle, direction, x, y = (
        low + (high - low) * context.uniform(1, draw=2 + k)[:, 0]
        for k, (low, high) in enumerate((given["angle"], given["direction"], (-1, 1), (-1, 1)))
    )
    turned = np.deg2rad(angle)
    lines = []
    for row in zip(sides, np.cos(turned), np.sin(turned), direction, x, y, strict=True):
        side, cos, sin, along, shift_x, shift_y = (one.item() for one in row)
        shift = (shift_x, shift_y) if given["shifted"] else (0.0, 0.0)
        lines.append(_line(side, cos, sin, along, shift) - side // 2)
    return lines


def _sides(context: Context, given: Mapping[str, Any]) -> Whole:
    """Draw odd sides, at least 3 (draw 1)."""
    low, high = (max(3, int(end) + (int(end) % 2 == 0)) for end in given["side"])
    number = (max(high, low) - low) // 2 + 1
    return low + 2 * context.below(np.full(len(context.stream), number), draw=1)


def _line(side: int, cos: float, sin: float, direction: float, shift: tuple[float, float]) -> Whole:
    """Return the pixels ``(k, 2)``, rows and columns, of a line within a square."""
    half = side // 2
    first = -half * (1.0 - max(direction, 0.0))
    last = half * (1.0 - max(-direction, 0.0))
    across, down = shift[0] * half / 2, shift[1] * half / 2
    found = {
        (round(half + sin * t + down), round(half + cos * t + across))
        for t in evenly(first, last, side).tolist()
    }
    inside = {(min(max(y, 0), side - 1), min(max(x, 0), side - 1)) for y, x in found}
    return np.array(sorted(inside), np.int64)


def _averaged(image: Images, offsets: Whole) -> Images:
    height, width = image.shape[:2]
    total = np.zeros(image.shape)
    for down, across in offsets:
        rows = mirror(np.arange(height) + down, height)
        total += image[rows][:, mirror(np.arange(width) + across, width)]
    return np.rint(total / len(offsets)).astype(np.uint8)


def _kernel(
    run: NumPyKernel, compiled: CompiledKernel, constants: dict[str, Any], **settable: Any
) -> Kernel:
    return Kernel(
        opaque(run), compiled=compiled, keeps_alpha=True, constants=constants, settable=settable
    )


FAMILY: Family = {
    Operation(
        "GaussianBlur", random=True, about="Blurs with a Gaussian whose kernel has a fixed size.",
    ): _kernel(gaussian_blur, gaussian_blur_compiled, _GAUSSIAN,
               sigma=(0.0, 100.0), side=(0.0, 1001.0)),
    Operation(
        "BoxBlur", random=True, about="Takes the mean of a square.",
    ): _kernel(box_blur, box_blur_compiled, _SIDE, side=(1.0, 1001.0)),
    Operation(
        "MedianBlur", random=True, about="Takes the median of a square.",
    ): _kernel(median_blur, median_blur_compiled, _SIDE, side=(1.0, 101.0)),
    Operation(
        "MotionBlur", random=True, about="Averages along a line, as a moving camera does.",
    ): _kernel(motion_blur, motion_blur_compiled, _MOTION, side=(1.0, 1001.0),
               angle=(-360.0, 360.0), direction=(-1.0, 1.0), shifted=(0.0, 1.0)),
}  # fmt: skip
