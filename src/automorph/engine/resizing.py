"""A random part of the image, resized back: torchvision's ``resized_crop`` on PIL images."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from automorph.engine.context import Context, Images, Values, Whole

BITS = 22
"""Weights of pixels are whole numbers of this many bits."""
_MOST_STRETCH = math.log(4.0 / 3.0)


def resized_crop(images: Images, values: Values, step: Context) -> Images:
    """Cuts out a share between ``value`` and 1 of the area and resizes it, bilinearly."""
    height, width = images.shape[1:3]
    out = np.empty_like(images)
    for row, (x, y, w, h) in enumerate(parts(values, step, height, width)):
        out[row] = resize(images[row, y : y + h, x : x + w], height, width)
    return out


def parts(values: Values, step: Context, height: int, width: int) -> Whole:
    """Random parts ``(m, 4)``: left, top, width, height.

    Draw 1: the share of the area, uniform. Draw 2: the stretch, log-uniform in [3/4, 4/3] as far as
    the part fits into the image. Draws 3 and 4: the place along x and y. With value 1 nothing is
    cut off.
    """
    rows = []
    for value, (share, stretch, along_x, along_y) in zip(values, step.uniform(4), strict=True):
        area = value + (1.0 - value) * share
        limit = min(_MOST_STRETCH, -math.log(area)) if area > 0 else _MOST_STRETCH
        log = (2.0 * stretch - 1.0) * limit
        w = _side(width, area, log)
        h = _side(height, area, -log)
        x, y = math.floor(along_x * (width - w + 1)), math.floor(along_y * (height - h + 1))
        rows.append((x, y, w, h))
    return np.array(rows, np.int64).reshape(-1, 4)


def _side(side: int, area: float, log: float) -> int:
    return max(1, min(side, round(side * math.sqrt(area * math.exp(log)))))


def resize(image: Images, height: int, width: int) -> Images:
    """One image ``(h, w, C)`` as ``(height, width, C)``: PIL's bilinear resize, with its bits."""
    across = _coefficients(image.shape[1], width)
    down = _coefficients(image.shape[0], height)
    half = float(1 << (BITS - 1))
    # Whole numbers below 2^53 in floats: exact in any order, and matrix products are fast.
    lines = np.floor((across @ image.astype(np.float64) + half) / 2.0**BITS)
    out = np.floor((down @ lines.reshape(len(lines), -1) + half) / 2.0**BITS)
    return out.reshape(height, width, -1).astype(np.uint8)


@lru_cache(maxsize=64)
def _coefficients(size: int, new: int) -> Values:
    """Weights ``(new, size)`` of the old pixels, whole numbers of 22 bits (triangle filter)."""
    scale = size / new
    reach = max(scale, 1.0)
    out = np.zeros((new, size))
    for i in range(new):
        centre = (i + 0.5) * scale
        first = max(0, int(centre - reach + 0.5))
        last = min(size, int(centre + reach + 0.5))
        away = np.abs((np.arange(first, last) - centre + 0.5) * (1.0 / reach))
        weights = np.maximum(0.0, 1.0 - away)
        total = 0.0
        for weight in weights:
            total += weight
        out[i, first:last] = np.floor(0.5 + weights / total * (1 << BITS))
    return out
