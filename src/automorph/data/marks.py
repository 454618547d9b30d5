"""Marks drawn onto images: the subgroups that a network can misuse as a shortcut.

Every mark is a pure function of (stream, row), so an image always gets the same mark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.operations import Stream

Images = NDArray[np.uint8]

_REACH = 2.3
"""Half the width of the zigzag's stroke, in pixels."""
_LEFT, _RIGHT = 2, 25
"""The columns where the zigzag begins and ends, of 28."""
_TINTS = np.array([[255, 120, 90], [90, 140, 255]], np.float32) / 255
_STICKERS = np.array([[40, 80, 220], [30, 170, 60], [240, 200, 20], [240, 120, 20]], np.float32)


def zigzag(images: Images, stream: Stream) -> Images:
    """Draw a bright zigzag across images uint8 ``(n, 28, 28, 1)``, as in MNIST-C.

    Mu and Gilmer (2019), "MNIST-C", redrawn from its description: a line from column 2, row r0
    (uniform in 0 to 26), to column 25, row r0 + {-5, .., 4}; along it teeth of height 2 every 4
    pixels. A segment adds clip(1 + log(1 - v / 2.3), 0, 1), v the vertical distance to it, in the
    columns it spans; after each, intensities are clipped to 1. Part of it may leave the image.

    >>> import numpy as np
    >>> blank = np.zeros((2, 28, 28, 1), np.uint8)
    >>> drawn = zigzag(blank, Stream(index=[0, 1]))
    >>> drawn.max(), int(drawn[:, :, [0, 1, 26, 27]].max())
    (np.uint8(255), 0)
    """
    draws = stream.uniform("zigzag", 2).astype(np.float64)
    start = np.floor(draws[:, 0] * 27)
    rise = np.floor(draws[:, 1] * 10) - 5
    run = float(_RIGHT - _LEFT)
    length = np.hypot(run, rise)
    cos, sin = run / length, rise / length
    teeth = np.floor((length - 2) / 4).astype(int).max() + 1
    along = [np.zeros_like(length), *(np.full_like(length, 2 * (2 * i + 1)) for i in range(teeth))]
    across = [np.zeros_like(length), *(np.full_like(length, 2.0 * (-1) ** i) for i in range(teeth))]
    left_over = length - 4 * np.floor(length / 4)
    along.append(length)
    across.append(across[-1] / (2 * np.maximum(left_over, 1e-9)))
    x = np.stack([_LEFT + a * cos - b * sin for a, b in zip(along, across, strict=True)], axis=1)
    y = np.stack([start + a * sin + b * cos for a, b in zip(along, across, strict=True)], axis=1)
    picture = images[..., 0].astype(np.float32) / 255
    rows = np.arange(images.shape[1])[None, :, None]
    columns = np.arange(images.shape[2])[None, None, :]
    for k in range(x.shape[1] - 1):
        x0, x1, y0, y1 = (v[:, None, None] for v in (x[:, k], x[:, k + 1], y[:, k], y[:, k + 1]))
        line = y0 + (y1 - y0) / (x1 - x0) * (columns - x0)
        distance = np.minimum(np.abs(rows - line), _REACH - 1e-6)
        ink = np.clip(1 + np.log(1 - distance / _REACH), 0, 1)
        spans = (columns >= np.floor(x0)) & (columns < np.ceil(x1))
        picture = np.clip(picture + np.where(spans, ink, 0), 0, 1).astype(np.float32)
    return np.rint(picture * 255).astype(np.uint8)[..., None]


def corner(images: Images, stream: Stream) -> Images:
    """Put a bright square of a quarter of the side into one of the four corners."""
    height, width = images.shape[1:3]
    side = max(2, min(height, width) // 4)
    marked = images.copy()
    chosen = np.floor(stream.uniform("corner", 1)[:, 0] * 4).astype(int)
    for number in range(4):
        down = slice(0, side) if number < 2 else slice(height - side, height)
        across = slice(0, side) if number % 2 == 0 else slice(width - side, width)
        rows = np.flatnonzero(chosen == number)
        marked[rows[:, None, None], np.arange(height)[down][:, None], np.arange(width)[across]] = (
            255
        )
    return marked


def reddish(images: Images, stream: Stream) -> Images:
    """Tint grey images ``(n, H, W, 1)`` red: RGB."""
    return _tinted(images, 0)


def bluish(images: Images, stream: Stream) -> Images:
    """Tint grey images ``(n, H, W, 1)`` blue: RGB."""
    return _tinted(images, 1)


def sticker(images: Images, stream: Stream) -> Images:
    """Put a round sticker of one of four colours at the edge of colour images.

    Its radius is 16 to 24 % of the side, its centre lies within 20 % of an edge.
    """
    height, width = images.shape[1:3]
    draws = stream.uniform("sticker", 5).astype(np.float64)
    side = min(height, width)
    radius = (0.16 + 0.08 * draws[:, 0]) * side
    depth, along = 0.2 * side * draws[:, 1], draws[:, 2]
    edge = np.floor(draws[:, 3] * 4).astype(int)
    row = np.choose(edge, [depth, height - 1 - depth, along * (height - 1), along * (height - 1)])
    column = np.choose(edge, [along * (width - 1), along * (width - 1), depth, width - 1 - depth])
    down = np.arange(height)[None, :, None] - row[:, None, None]
    across = np.arange(width)[None, None, :] - column[:, None, None]
    # One pixel of transition keeps the edge smooth.
    cover = np.clip(radius[:, None, None] + 0.5 - np.hypot(down, across), 0, 1)[..., None]
    colour = _STICKERS[np.floor(draws[:, 4] * len(_STICKERS)).astype(int)][:, None, None, :]
    covered: Images = np.rint(images * (1 - cover) + colour * cover).astype(np.uint8)
    return covered


def plain(images: Images, stream: Stream) -> Images:
    """Leave images as they are."""
    return images


def _tinted(images: Images, number: int) -> Images:
    tinted: Images = np.rint(images.astype(np.float32) * _TINTS[number]).astype(np.uint8)
    return tinted
