"""Operations that cover a part of the image, or the whole of it in part."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from automorph.engine.context import Context, Values
from automorph.engine.erasing import GREY, rectangles, squares
from automorph.engine.torch.kernel import Arguments, DeviceContext, Size, spread
from automorph.engine.torch.philox import draw_counters, random_words
from automorph.engine.torch.points import blend


def draw_squares(values: Values, step: Context, size: Size) -> Arguments:
    """Left, top, width and height."""
    return (squares(values, step, *size),)


def cutout(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Greys out rectangles ``(m, 4)``."""
    return torch.where(_inside(images, arguments[0])[2], GREY, images)


def draw_rectangles(values: Values, step: Context, size: Size) -> Arguments:
    """Left, top, width and height, and where the random bytes begin."""
    return (rectangles(values, step, *size), *draw_counters(values, step, size))


def random_erasing(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Fills rectangles ``(m, 4)`` with random bytes, four a word, in the order (y, x, channel)."""
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
    """Places relative to boxes, ``(m, 1, 1, W)`` and ``(m, 1, H, 1)``, and which are inside."""
    height, width = images.shape[2:]
    left, top, w, h = boxes.T[..., None, None, None].unbind()
    x = torch.arange(width, device=images.device) - left
    y = torch.arange(height, device=images.device)[:, None] - top
    return x, y, (x >= 0) & (x < w) & (y >= 0) & (y < h)


def draw_partners(values: Values, step: Context, size: Size) -> Arguments:
    """The partner's row and its weight."""
    return step.below(len(step.batch), draw=1), values.astype(np.float32)


def sample_pairing(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blends untransformed images of the batch in."""
    partner, alpha = arguments
    return blend(images, setting.batch.index_select(0, partner), spread(alpha))
