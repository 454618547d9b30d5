"""Operations that look every value up in a table of 256 entries: one table an image and channel.

All of them are those of ``PIL.ImageOps`` and ``PIL.ImageEnhance`` as torchvision calls them. They
see grey or RGB images only; alpha is kept aside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.engine.context import Context, Images, Values, Whole, truncated

_LEVELS = np.arange(256)
Tables = NDArray[np.uint8]


def look_up(images: Images, tables: Tables) -> Images:
    """Every value of images ``(m, H, W, C)`` in tables ``(m, 1, 256)`` or ``(m, C, 256)``."""
    rows, channels = tables.shape[:2]
    first = np.arange(rows * channels).reshape(rows, 1, 1, channels) * 256
    return tables.reshape(-1).take(first + images)


def blend(first: ArrayLike, second: ArrayLike, alpha: Values) -> NDArray[np.uint8]:
    """``first + alpha (second - first)`` in float32, clipped and cut, as ``Image.blend``."""
    start = np.asarray(first).astype(np.float32)
    mixed = start + alpha.astype(np.float32) * (np.asarray(second).astype(np.float32) - start)
    return np.clip(mixed, 0.0, 255.0).astype(np.uint8)


def grey(images: Images) -> Images:
    """The luma ``(m, H, W)`` of grey or RGB images, ITU-R 601 in 16 bits as PIL has it."""
    if images.shape[3] == 1:
        return images[..., 0]
    red, green, blue = (images[..., i].astype(np.int64) for i in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


def histograms(images: Images) -> Whole:
    """How often each value occurs, int64 ``(m, C, 256)``."""
    m, _, _, channels = images.shape
    first = np.arange(m * channels).reshape(m, 1, 1, channels) * 256
    counts = np.bincount((first + images).reshape(-1), minlength=m * channels * 256)
    return counts.reshape(m, channels, 256)


def solarize_table(values: Values) -> Tables:
    """``255 - v`` for ``v`` at or above the threshold (thousandths count, float noise not)."""
    threshold = np.rint(values * 1000.0)[:, None, None] / 1000.0
    return np.where(threshold > _LEVELS, _LEVELS, 255 - _LEVELS).astype(np.uint8)


def solarize_add_table(values: Values) -> Tables:
    """``min(255, v + value)`` for ``v < 128``; AutoAugment's released code has it so."""
    lifted = np.clip(_LEVELS + truncated(values)[:, None, None], 0, 255)
    return np.where(_LEVELS < 128, lifted, _LEVELS).astype(np.uint8)


def posterize_table(values: Values) -> Tables:
    """The upper bits of every value; 0 bits are black."""
    lost = np.clip(8 - truncated(values)[:, None, None], 0, 8)
    return ((_LEVELS >> lost) << lost).astype(np.uint8)


def brightness_table(values: Values) -> Tables:
    """Blends black (factor 0) with the image (factor 1), and beyond."""
    return blend(0, _LEVELS, values[:, None, None])


def invert_table(values: Values) -> Tables:
    """``255 - v``."""
    return np.broadcast_to((255 - _LEVELS).astype(np.uint8), (len(values), 1, 256))


TABLES: dict[str, Callable[[Values], Tables]] = {
    "Invert": invert_table,
    "Solarize": solarize_table,
    "SolarizeAdd": solarize_add_table,
    "Posterize": posterize_table,
    "Brightness": brightness_table,
}
"""The tables ``(m, 1, 256)`` of values ``(m,)``, by kernel, where they depend on nothing else."""


def replace_levels(images: Images, values: Values, step: Context) -> Images:
    """The kernel of all operations of ``TABLES``."""
    return look_up(images, TABLES[step.operation.kernel](values))


def contrast(images: Images, values: Values, step: Context) -> Images:
    """Blends the mean grey level, rounded, with the image."""
    luma = grey(images).reshape(len(images), -1)
    mean = (luma.sum(1, dtype=np.int64) / luma.shape[1] + 0.5).astype(np.int64)
    return look_up(images, blend(mean[:, None, None], _LEVELS, values[:, None, None]))


def autocontrast(images: Images, values: Values, step: Context) -> Images:
    """Every channel from its least and largest value to 0 and 255; flat channels stay."""
    lines = images.reshape(len(images), -1, images.shape[3])
    low = lines.min(1)[..., None].astype(np.float64)
    high = lines.max(1)[..., None].astype(np.float64)
    scale = 255.0 / np.where(high > low, high - low, 255.0)
    table = np.clip(np.trunc(_LEVELS * scale + -low * scale), 0, 255)
    return look_up(images, np.where(high > low, table, _LEVELS).astype(np.uint8))


def equalize(images: Images, values: Values, step: Context) -> Images:
    """Every channel through its cumulative histogram; channels with too few pixels stay."""
    counts = histograms(images)
    last = 255 - (counts[..., ::-1] > 0).argmax(2)[..., None]
    pixels = counts.sum(2, keepdims=True)
    width = (pixels - np.take_along_axis(counts, last, axis=2)) // 255
    below = np.cumsum(counts, axis=2) - counts
    table = np.clip((width // 2 + below) // np.maximum(width, 1), 0, 255)
    return look_up(images, np.where(width > 0, table, _LEVELS).astype(np.uint8))
