"""Blurs whose kernels have a size from a range, as the libraries draw them. Alpha is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from automorph.operations.filters import convolved, mirror
from automorph.operations.kernels import (
    Context,
    Family,
    Images,
    Kernel,
    NumPyKernel,
    Values,
    Whole,
    settings_of,
)
from automorph.operations.levels import drawn, opaque
from automorph.operations.spec import Operation

_GAUSSIAN = {"sigma": (0.1, 2.0), "side": (0, 0)}
_SIDE = {"side": (3, 7)}
_MOTION = {"side": (3, 7), "angle": (0.0, 360.0), "direction": (-1.0, 1.0), "shifted": 1}


def gaussian_blur(images: Images, values: Values, context: Context) -> Images:
    """Blur with a Gaussian that is cut at the side of its kernel (0: int(3.5 sigma) px a side)."""
    given = settings_of(context.operation, _GAUSSIAN)
    sigma, chance = drawn(context, given["sigma"], (0.0, 1.0))
    low, high = map(int, given["side"])
    side = low + np.floor(chance * (high - low + 1)).astype(np.int64)
    reach = np.where(side > 0, side // 2, (sigma * 3.5).astype(np.int64))
    offsets = np.arange(-reach.max(initial=0), reach.max(initial=0) + 1)
    wide = np.maximum(sigma, 1e-6)[:, None]
    weights = np.exp(-0.5 * (offsets / wide) ** 2) * (np.abs(offsets) <= reach[:, None])
    return convolved(images, weights / weights.sum(1, keepdims=True))


def box_blur(images: Images, values: Values, context: Context) -> Images:
    """Take the mean of a square whose side is an odd number from the range."""
    reach = _sides(context, settings_of(context.operation, _SIDE)) // 2
    offsets = np.arange(-reach.max(initial=0), reach.max(initial=0) + 1)
    weights = (np.abs(offsets) <= reach[:, None]).astype(np.float64)
    return convolved(images, weights / weights.sum(1, keepdims=True))


def median_blur(images: Images, values: Values, context: Context) -> Images:
    """Take the median of a square whose side is an odd number from the range."""
    from scipy.ndimage import median_filter

    out = np.empty_like(images)
    for row, side in enumerate(_sides(context, settings_of(context.operation, _SIDE))):
        median_filter(images[row], size=(side, side, 1), mode="nearest", output=out[row])
    return out


def motion_blur(images: Images, values: Values, context: Context) -> Images:
    """Average along a line of random length, angle, direction and place."""
    given = settings_of(context.operation, _MOTION)
    sides = _sides(context, given)
    angle, direction, x, y = (
        low + (high - low) * context.uniform(1, draw=2 + k)[:, 0]
        for k, (low, high) in enumerate((given["angle"], given["direction"], (-1, 1), (-1, 1)))
    )
    out = np.empty_like(images)
    for row, side in enumerate(sides.tolist()):
        shift = (x[row], y[row]) if given["shifted"] else (0.0, 0.0)
        points = _line(side, angle[row], direction[row], shift)
        out[row] = _averaged(images[row], points - side // 2)
    return out


def _sides(context: Context, given: Mapping[str, Any]) -> Whole:
    """Draw odd sides, at least 3 (draw 1)."""
    low, high = (max(3, int(end) + (int(end) % 2 == 0)) for end in given["side"])
    number = (max(high, low) - low) // 2 + 1
    return low + 2 * context.below(np.full(len(context.stream), number), draw=1)


def _line(side: int, angle: float, direction: float, shift: tuple[float, float]) -> Whole:
    """Return the pixels ``(k, 2)``, rows and columns, of a line within a square."""
    half = side // 2
    first = -half * (1.0 - max(direction, 0.0))
    last = half * (1.0 - max(-direction, 0.0))
    t = np.linspace(first, last, side)
    turned = np.deg2rad(angle)
    x = half + np.cos(turned) * t + shift[0] * half / 2
    y = half + np.sin(turned) * t + shift[1] * half / 2
    places = np.clip(np.rint(np.stack([y, x], axis=1)), 0, side - 1).astype(np.int64)
    return np.unique(places, axis=0)


def _averaged(image: Images, offsets: Whole) -> Images:
    height, width = image.shape[:2]
    total = np.zeros(image.shape)
    for down, across in offsets:
        rows = mirror(np.arange(height) + down, height)
        total += image[rows][:, mirror(np.arange(width) + across, width)]
    return np.rint(total / len(offsets)).astype(np.uint8)


def _kernel(run: NumPyKernel, constants: dict[str, Any], **settable: Any) -> Kernel:
    return Kernel(opaque(run), keeps_alpha=True, constants=constants, settable=settable)


FAMILY: Family = {
    Operation(
        "GaussianBlur", random=True, about="Blurs with a Gaussian whose kernel has a fixed size.",
    ): _kernel(gaussian_blur, _GAUSSIAN, sigma=(0.0, 100.0), side=(0.0, 1001.0)),
    Operation(
        "BoxBlur", random=True, about="Takes the mean of a square.",
    ): _kernel(box_blur, _SIDE, side=(1.0, 1001.0)),
    Operation(
        "MedianBlur", random=True, about="Takes the median of a square.",
    ): _kernel(median_blur, _SIDE, side=(1.0, 101.0)),
    Operation(
        "MotionBlur", random=True, about="Averages along a line, as a moving camera does.",
    ): _kernel(motion_blur, _MOTION, side=(1.0, 1001.0), angle=(-360.0, 360.0),
               direction=(-1.0, 1.0), shifted=(0.0, 1.0)),
}  # fmt: skip
