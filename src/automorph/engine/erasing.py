"""Operations that cover a part of the image, or the whole of it in part."""

from __future__ import annotations

import math

import numpy as np

from automorph.engine.points import blend
from automorph.engine.step import Images, Step, Values, truncated

_GREY = 128
_LOG_RATIO = math.log(0.3), math.log(3.3)


def cutout(images: Images, values: Values, step: Step) -> Images:
    """Greys out a square of side ``int(value * shorter side)`` (DeVries and Taylor 2017).

    Draws 1 and 2 are its centre along x and y, anywhere in the image; what lies outside is cut.
    """
    height, width = images.shape[1:3]
    side = truncated(values * min(height, width))[:, None, None]
    left = step.below(width, draw=1)[:, None, None] - side // 2
    top = step.below(height, draw=2)[:, None, None] - side // 2
    x, y = np.arange(width), np.arange(height)[:, None]
    inside = (x >= left) & (x < left + side) & (y >= top) & (y < top + side)
    return np.where(inside[..., None], np.uint8(_GREY), images)


def random_erasing(images: Images, values: Values, step: Step) -> Images:
    """Fills a rectangle with random bytes (Zhong et al. 2017).

    Draw 1: its area, uniform up to the share ``value``. Draw 2: height to width, log-uniform in
    [0.3, 3.3]. Draws 3 and 4: its place along x and y. Draws from 5 on: four bytes each.
    """
    height, width, channels = images.shape[1:]
    chance = step.uniform(2)
    out = images.copy()
    for row, (value, (share, shape)) in enumerate(zip(values, chance, strict=True)):
        area = value * share * height * width
        ratio = math.exp(_LOG_RATIO[0] + shape * (_LOG_RATIO[1] - _LOG_RATIO[0]))
        h = min(height, round(math.sqrt(area * ratio)))
        w = min(width, round(math.sqrt(area / ratio)))
        one = step.row(row)
        x = int(one.below(width - w + 1, draw=3)[0])
        y = int(one.below(height - h + 1, draw=4)[0])
        size = h * w * channels
        words = one.words((size + 3) // 4, draw=5)[0]
        noise = words.astype("<u4").view(np.uint8)[:size]
        out[row, y : y + h, x : x + w] = noise.reshape(h, w, channels)
    return out


def sample_pairing(images: Images, values: Values, step: Step) -> Images:
    """Blends an untransformed image of the batch in (Inoue 2018), as ``Image.blend``.

    Draw 1 is its row; an image can meet itself.
    """
    partner = step.below(len(step.batch), draw=1)
    return blend(images, step.batch[partner], values[:, None, None, None])
