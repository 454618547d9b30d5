"""Random resized crop: torchvision's ``resized_crop`` on PIL images."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from automorph import native
from automorph.native import Rows
from automorph.operations.geometric import GONE
from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Family,
    Images,
    Kernel,
    Places,
    Size,
    Values,
    Whole,
)
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    from torch import Tensor

BITS = 22
"""Pixel weights are integers of this many bits."""
_TAPS = 3
"""A crop is never larger than the image: a new pixel has two taps, or three by rounding."""
_MOST_STRETCH = math.log(4.0 / 3.0)


def resized_crop(images: Images, values: Values, context: Context) -> Images:
    """Crop a share between ``value`` and 1 of the area and resize it bilinearly."""
    height, width = images.shape[1:3]
    out = np.empty_like(images)
    for row, (x, y, w, h) in enumerate(parts(values, context, height, width)):
        out[row] = resize(images[row, y : y + h, x : x + w], height, width)
    return out


def resized_crop_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Crop and resize."""
    boxes = parts(values, context, *rows.shape[1:3])
    native.run_step("resize", rows, boxes.astype(np.float64))


def parts(values: Values, context: Context, height: int, width: int) -> Whole:
    """Return random crops ``(m, 4)``: left, top, width, height.

    Draw 1: the share of the area, uniform. Draw 2: the aspect ratio, log-uniform in [3/4, 4/3] as
    far as the crop fits into the image. Draws 3 and 4: the position along x and y. Value 1 keeps
    the whole image.
    """
    rows = []
    for value, (share, stretch, along_x, along_y) in zip(values, context.uniform(4), strict=True):
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
    """Resize an image ``(h, w, C)`` to ``(height, width, C)``, bit-identical to PIL's bilinear."""
    across = _coefficients(image.shape[1], width)
    down = _coefficients(image.shape[0], height)
    half = float(1 << (BITS - 1))
    # Integers below 2^53 are exact in float64 in any order, and matrix products are fast.
    lines = np.floor((across @ image.astype(np.float64) + half) / 2.0**BITS)
    out = np.floor((down @ lines.reshape(len(lines), -1) + half) / 2.0**BITS)
    return out.reshape(height, width, -1).astype(np.uint8)


@lru_cache(maxsize=64)
def _coefficients(size: int, new: int) -> Values:
    """Compute weights ``(new, size)`` of the old pixels: 22-bit integers (triangle filter)."""
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


def _parts_and_taps(values: Values, context: Context, size: Size) -> Arguments:
    """Return the first old pixel of each new one and the weights of its taps, along x and y."""
    height, width = size
    x, y, w, h = parts(values, context, height, width).T
    return (*_taps(x, w, width), *_taps(y, h, height))


def _taps(start: Whole, size: Whole, new: int) -> Arguments:
    """Return first pixels ``(m, new)`` and weights ``(m, new, taps)``, 22-bit integers."""
    centre = (np.arange(new) + 0.5) * (size / new)[:, None]
    first = np.maximum(0, (centre - 1.0 + 0.5).astype(np.int64))[..., None]
    last = np.minimum(size[:, None], (centre + 1.0 + 0.5).astype(np.int64))[..., None]
    taps = first + np.arange(_TAPS)
    weights = np.maximum(0.0, 1.0 - np.abs(taps - centre[..., None] + 0.5)) * (taps < last)
    total = weights[..., 0] + weights[..., 1] + weights[..., 2]
    whole = np.floor(0.5 + weights / total[..., None] * (1 << BITS)).astype(np.int32)
    return start[:, None] + first[..., 0], whole


def resized_crop_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Resize along x, then along y."""
    x, across, y, down = arguments
    lines = _resized(images, 3, x[:, None, None], across[:, None, None])
    return _resized(lines, 2, y[:, None, :, None], down[:, None, :, None])


def _resized(images: Tensor, axis: int, first: Tensor, weights: Tensor) -> Tensor:
    import torch

    total = torch.full_like(images, 1 << (BITS - 1), dtype=torch.int32)
    for tap in range(_TAPS):
        place = (first + tap).clamp(max=images.shape[axis] - 1)
        total += images.gather(axis, place.expand(images.shape)) * weights[..., tap]
    return (total >> BITS).to(torch.uint8)


def _read_part(places: Places, value: float, context: Context, size: Size) -> Places:
    x, y, w, h = parts(np.array([value]), context, *size)[0]
    return np.asarray(places * np.array([w / size[1], h / size[0]]) + np.array([x, y]))


FAMILY: Family = {
    Operation(
        "ResizedCrop", low=0.08, high=1, identity=1, unit="area", random=True, label_risk=GONE,
        about="Crops a random region of at least this fraction of the area and resizes it back.",
    ): Kernel(
        resized_crop, resized_crop_on_device, _parts_and_taps, read=_read_part, straight=True,
        compiled=resized_crop_compiled,
        constants={"interpolation": "bilinear", "ratio": [3 / 4, 4 / 3]},
    ),
}  # fmt: skip
