"""A random part of the image, resized back, in the arithmetic of ``engine.resizing``."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from automorph.engine.context import Context, Values, Whole
from automorph.engine.resizing import BITS, parts
from automorph.engine.torch.kernel import Arguments, DeviceContext, Size

_TAPS = 3
"""A part is never larger than the image: two old pixels make a new one, three by rounding."""


def draw_parts(values: Values, step: Context, size: Size) -> Arguments:
    """The first old pixel of every new one and the weights of the taps, along x and y."""
    height, width = size
    x, y, w, h = parts(values, step, height, width).T
    return (*_taps(x, w, width), *_taps(y, h, height))


def _taps(start: Whole, size: Whole, new: int) -> Arguments:
    """First pixels ``(m, new)`` and weights ``(m, new, taps)``: whole numbers of 22 bits."""
    centre = (np.arange(new) + 0.5) * (size / new)[:, None]
    first = np.maximum(0, (centre - 1.0 + 0.5).astype(np.int64))[..., None]
    last = np.minimum(size[:, None], (centre + 1.0 + 0.5).astype(np.int64))[..., None]
    taps = first + np.arange(_TAPS)
    weights = np.maximum(0.0, 1.0 - np.abs(taps - centre[..., None] + 0.5)) * (taps < last)
    total = weights[..., 0] + weights[..., 1] + weights[..., 2]
    whole = np.floor(0.5 + weights / total[..., None] * (1 << BITS)).astype(np.int32)
    return start[:, None] + first[..., 0], whole


def resized_crop(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Resizes along x, then along y."""
    x, across, y, down = arguments
    lines = _resized(images, 3, x[:, None, None], across[:, None, None])
    return _resized(lines, 2, y[:, None, :, None], down[:, None, :, None])


def _resized(images: Tensor, axis: int, first: Tensor, weights: Tensor) -> Tensor:
    total = torch.full_like(images, 1 << (BITS - 1), dtype=torch.int32)
    for tap in range(_TAPS):
        place = (first + tap).clamp(max=images.shape[axis] - 1)
        total += images.gather(axis, place.expand(images.shape)) * weights[..., tap]
    return (total >> BITS).to(torch.uint8)
