"""Operations that cover a part of the image. Alpha is kept unchanged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from automorph import native
from automorph.errors import UsageError
from automorph.native import Rows
from automorph.operations.geometric import GONE
from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Family,
    Images,
    Size,
    Values,
    Whole,
    colours,
    spread,
    truncated,
)
from automorph.operations.spec import GREY, MEAN, Operation

if TYPE_CHECKING:
    from torch import Tensor

_LOG_RATIO = math.log(0.3), math.log(3.3)


def cutout(images: Images, values: Values, context: Context) -> Images:
    """Paint a square in the colour of the operation (DeVries and Taylor 2017)."""
    height, width = images.shape[1:3]
    left, top, w, h = squares(values, context, height, width).T[..., None, None]
    x, y = np.arange(width), np.arange(height)[:, None]
    inside = (x >= left) & (x < left + w) & (y >= top) & (y < top + h)
    return np.where(inside[..., None], painted(context.operation, images.shape[3]), images)


def painted(operation: Operation, channels: int) -> Images:
    """Return the colour that an operation paints with, uint8 ``(C,)``, channel by channel.

    One level holds for all channels. The mean of data that nobody has measured is grey.

    >>> painted(Operation("Cutout", fill=(7, 8, 9)), 3).tolist()
    [7, 8, 9]
    """
    fill = GREY if operation.fill in (None, MEAN) else operation.fill
    levels = np.atleast_1d(np.asarray(fill))[:channels]
    if len(levels) not in (1, channels):
        raise UsageError(
            f"the operation {operation.name} paints with fill={operation.fill}; expected one "
            f"level, or {channels}, one for each colour channel of these images"
        )
    return np.broadcast_to(levels.astype(np.uint8), channels)


def squares(values: Values, context: Context, height: int, width: int) -> Whole:
    """Return squares ``(m, 4)``: left, top, width, height.

    The side is ``int(value)`` pixels; a share is a share of the image's shorter side. Draws 1 and 2
    are the centre along x and y, anywhere in the image; squares may extend beyond the image.
    """
    share = context.operation.unit == "share"
    side = truncated(values * min(height, width) if share else values)
    left = context.below(width, draw=1) - side // 2
    top = context.below(height, draw=2) - side // 2
    return np.stack([left, top, side, side], axis=1)


def _squares(values: Values, context: Context, size: Size) -> Arguments:
    """Return left, top, width and height; and the colour."""
    channels = min(context.batch.shape[3], 3)
    colour = np.broadcast_to(painted(context.operation, channels), (len(values), channels))
    return squares(values, context, *size), colour


def cutout_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Paint rectangles ``(m, 4)`` in colours ``(m, C)``."""
    import torch

    boxes, colour = arguments
    return torch.where(_inside(images, boxes)[2], spread(colour), images)


def random_erasing(images: Images, values: Values, context: Context) -> Images:
    """Fill a rectangle with random bytes (Zhong et al. 2017), four per draw, from draw 5 on."""
    height, width, channels = images.shape[1:]
    left, top, w, h = rectangles(values, context, height, width).T
    sizes = h * w * channels
    noise = context.words((int(sizes.max(initial=0)) + 3) // 4, draw=5).astype("<u4").view(np.uint8)
    out = images.copy()
    for row in range(len(images)):
        part = np.s_[row, top[row] : top[row] + h[row], left[row] : left[row] + w[row]]
        out[part] = noise[row, : sizes[row]].reshape(h[row], w[row], channels)
    return out


def random_erasing_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Fill a rectangle with random bytes."""
    boxes = rectangles(values, context, *rows.shape[1:3]).astype(np.float64)
    native.run_step("erase-with-noise", rows, boxes, words=context.word_source(draw=5))


def rectangles(values: Values, context: Context, height: int, width: int) -> Whole:
    """Return random rectangles ``(m, 4)``: left, top, width, height.

    Draw 1: the area, uniform up to the share ``value``. Draw 2: the ratio of height to width,
    log-uniform in [0.3, 3.3]. Draws 3 and 4: the position along x and y.
    """
    chance = context.uniform(2)
    areas = values * chance[:, 0] * height * width
    ratios = [math.exp(_LOG_RATIO[0] + u * (_LOG_RATIO[1] - _LOG_RATIO[0])) for u in chance[:, 1]]
    h = np.minimum(np.rint(np.sqrt(areas * ratios)), height).astype(np.int64)
    w = np.minimum(np.rint(np.sqrt(areas / ratios)), width).astype(np.int64)
    left, top = context.below(width - w + 1, draw=3), context.below(height - h + 1, draw=4)
    return np.stack([left, top, w, h], axis=1)


def _rectangles_and_counters(values: Values, context: Context, size: Size) -> Arguments:
    """Return left, top, width and height, and the counters at which the random bytes begin."""
    return (rectangles(values, context, *size), *context.counters())


def random_erasing_on_device(
    images: Tensor, device: DeviceContext, /, *arguments: Tensor
) -> Tensor:
    """Fill rectangles ``(m, 4)`` with random bytes, four per word, in (y, x, channel) order."""
    import torch

    from automorph.operations.device import random_words

    boxes, *counters = arguments
    m, channels = images.shape[:2]
    x, y, inside = _inside(images, boxes)
    band = spread(boxes[:, 2])
    channel = torch.arange(channels, device=images.device).view(1, -1, 1, 1)
    number = torch.where(inside, (y * band + x) * channels + channel, 0)
    words = random_words(*counters, count=images[0].numel() // 4 + 1, draw=5)
    word = words.gather(1, (number >> 2).view(m, -1)).view(images.shape)
    noise = (word >> (8 * (number & 3))) & 255
    return torch.where(inside, noise.to(torch.uint8), images)


def _inside(images: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compute offsets from boxes, ``(m, 1, 1, W)`` and ``(m, 1, H, 1)``, and the inside mask."""
    import torch

    height, width = images.shape[2:]
    left, top, w, h = boxes.T[..., None, None, None].unbind()
    x = torch.arange(width, device=images.device) - left
    y = torch.arange(height, device=images.device)[:, None] - top
    return x, y, (x >= 0) & (x < w) & (y >= 0) & (y < h)


FAMILY: Family = {
    Operation(
        "Cutout", low=0, high=0.5, identity=0, unit="share", random=True, label_risk=GONE,
        about="Paints a square at a random place (fractions refer to the shorter side).",
    ): colours(cutout, cutout_on_device, _squares, native=16, constants={"fill": GREY}),
    Operation(
        "RandomErasing", low=0, high=0.4, identity=0, unit="area", random=True, label_risk=GONE,
        about="Fills a random rectangle of at most this fraction of the area with noise.",
    ): colours(random_erasing, random_erasing_on_device, _rectangles_and_counters,
        compiled=random_erasing_compiled,
        constants={"content": "noise", "ratio": [0.3, 3.3]},
    ),
}  # fmt: skip
