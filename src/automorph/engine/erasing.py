"""Operations that cover a part of the image, or the whole of it in part."""

from __future__ import annotations

import math

import numpy as np

from automorph.engine.context import Context, Images, Values, Whole, truncated
from automorph.engine.points import blend

GREY = 128
"""What Cutout leaves."""
_LOG_RATIO = math.log(0.3), math.log(3.3)


def cutout(images: Images, values: Values, step: Context) -> Images:
    """Greys out a square (DeVries and Taylor 2017)."""
    height, width = images.shape[1:3]
    left, top, w, h = squares(values, step, height, width).T[..., None, None]
    x, y = np.arange(width), np.arange(height)[:, None]
    inside = (x >= left) & (x < left + w) & (y >= top) & (y < top + h)
    return np.where(inside[..., None], np.uint8(GREY), images)


def squares(values: Values, step: Context, height: int, width: int) -> Whole:
    """Squares ``(m, 4)``: left, top, width, height.

    The side is ``int(value)`` pixels; a share is one of the shorter side of the image. Draws 1 and
    2 are the centre along x and y, anywhere in the image; what lies outside is cut.
    """
    share = step.operation.unit == "share"
    side = truncated(values * min(height, width) if share else values)
    left = step.below(width, draw=1) - side // 2
    top = step.below(height, draw=2) - side // 2
    return np.stack([left, top, side, side], axis=1)


def random_erasing(images: Images, values: Values, step: Context) -> Images:
    """Fills a rectangle with random bytes (Zhong et al. 2017): draws from 5 on, four bytes each."""
    height, width, channels = images.shape[1:]
    left, top, w, h = rectangles(values, step, height, width).T
    sizes = h * w * channels
    noise = step.words((int(sizes.max(initial=0)) + 3) // 4, draw=5).astype("<u4").view(np.uint8)
    out = images.copy()
    for row in range(len(images)):
        part = np.s_[row, top[row] : top[row] + h[row], left[row] : left[row] + w[row]]
        out[part] = noise[row, : sizes[row]].reshape(h[row], w[row], channels)
    return out


def rectangles(values: Values, step: Context, height: int, width: int) -> Whole:
    """Random rectangles ``(m, 4)``: left, top, width, height.

    Draw 1: the area, uniform up to the share ``value``. Draw 2: height to width, log-uniform in
    [0.3, 3.3]. Draws 3 and 4: the place along x and y.
    """
    chance = step.uniform(2)
    areas = values * chance[:, 0] * height * width
    ratios = [math.exp(_LOG_RATIO[0] + u * (_LOG_RATIO[1] - _LOG_RATIO[0])) for u in chance[:, 1]]
    h = np.minimum(np.rint(np.sqrt(areas * ratios)), height).astype(np.int64)
    w = np.minimum(np.rint(np.sqrt(areas / ratios)), width).astype(np.int64)
    left, top = step.below(width - w + 1, draw=3), step.below(height - h + 1, draw=4)
    return np.stack([left, top, w, h], axis=1)


def sample_pairing(images: Images, values: Values, step: Context) -> Images:
    """Blends an untransformed image of the batch in (Inoue 2018), as ``Image.blend``.

    Draw 1 is its row; an image can meet itself.
    """
    partner = step.below(len(step.batch), draw=1)
    return blend(images, step.batch[partner], values[:, None, None, None])
