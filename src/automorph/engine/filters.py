"""Operations on small neighbourhoods, and noise. Alpha is kept aside."""

from __future__ import annotations

from functools import cache

import numpy as np

from automorph.engine.context import Context, Images, Values, Whole, truncated
from automorph.engine.points import blend


def smooth(images: Images) -> Images:
    """PIL's ``SMOOTH``: a 3x3 mean that counts the centre five times; the rim stays.

    PIL sums floats; as ``sum / 13 + 1/2`` is never whole, whole numbers give the same result.
    """
    out = images.copy()
    height, width = images.shape[1:3]
    if height < 3 or width < 3:
        return out
    wide = images.astype(np.int32)
    total = 4 * wide[:, 1:-1, 1:-1]
    for y in range(3):
        for x in range(3):
            total = total + wide[:, y : height - 2 + y, x : width - 2 + x]
    out[:, 1:-1, 1:-1] = (2 * total + 13) // 26
    return out


def sharpness(images: Images, values: Values, step: Context) -> Images:
    """Blends the smoothed image with the image, as ``ImageEnhance.Sharpness``."""
    return blend(smooth(images), images, values[:, None, None, None])


def blur(images: Images, values: Values, step: Context) -> Images:
    """Gaussian of standard deviation ``value`` px, cut at 3 deviations, edges mirrored.

    torchvision's ``gaussian_blur`` with ``kernel_size = 2 ceil(3 value) + 1``.
    """
    weights = gaussian(values)
    most = weights.shape[1] // 2
    out = images.astype(np.float64)
    for axis in (1, 2):
        side = images.shape[axis]
        mirrored = mirror(np.arange(-most, side + most), side)
        padded = out.take(mirrored, axis=axis)
        out = np.zeros(images.shape)
        # One tap at a time: the order of the sum, and so the result, knows nothing of the batch.
        for tap in range(2 * most + 1):
            part = padded.take(np.arange(tap, tap + side), axis=axis)
            out += weights[:, tap, None, None, None] * part
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def gaussian(values: Values) -> Values:
    """Weights ``(m, 2 r + 1)`` of Gaussians of these deviations; ``r`` suits the widest."""
    reach = np.ceil(3.0 * values)
    most = int(reach.max(initial=0))
    offsets = np.arange(-most, most + 1)
    width = np.where(values > 0, values, 1.0)[:, None]
    weights = np.exp(-0.5 * (offsets / width) ** 2) * (np.abs(offsets) <= reach[:, None])
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)


def mirror(places: Whole, side: int) -> Whole:
    """Places outside of ``[0, side)`` mirrored into it, about the centres of the edge pixels.

    >>> mirror(np.array([-2, -1, 0, 3, 4]), 4).tolist()
    [2, 1, 0, 3, 2]
    """
    if side == 1:
        return np.zeros_like(places)
    period = 2 * (side - 1)
    around = places % period
    return np.minimum(around, period - around)


def dilation(images: Images, values: Values, step: Context) -> Images:
    """The largest value within ``value`` steps up, down, left or right (a diamond).

    Each pass takes the maximum of a pixel and its four neighbours, as scikit-image's ``dilation``.
    """
    out = images.copy()
    passes = truncated(values)
    for turn in range(int(passes.max(initial=0))):
        rows = passes > turn
        old = out[rows]
        new = old.copy()
        for one, other in ((old[:, 1:], new[:, :-1]), (old[:, :-1], new[:, 1:])):
            np.maximum(one, other, out=other)
        for one, other in ((old[:, :, 1:], new[:, :, :-1]), (old[:, :, :-1], new[:, :, 1:])):
            np.maximum(one, other, out=other)
        out[rows] = new
    return out


def erosion(images: Images, values: Values, step: Context) -> Images:
    """The smallest value within ``value`` steps: the dilation of the negative."""
    return 255 - dilation(255 - images, values, step)


@cache
def normal_table() -> Values:
    """The standard normal number of every 16-bit word: quantiles at ``(word + 1/2) / 2^16``."""
    from scipy.special import ndtri

    table: Values = ndtri((np.arange(2**16) + 0.5) / 2**16)
    return table


def noise(images: Images, values: Values, step: Context) -> Images:
    """Adds ``255 value`` times a normal number of its own to every value.

    Two numbers a random word, the lower half first, in the order of the values; draws from 1 on.
    """
    size = images[0].size
    words = step.words((size + 1) // 2)
    halves = np.stack([words & 0xFFFF, words >> 16], axis=2).reshape(len(images), -1)[:, :size]
    added = normal_table()[halves].reshape(images.shape)
    noisy = images + added * (255.0 * values)[:, None, None, None]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
