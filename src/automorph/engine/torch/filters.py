"""Operations on small neighbourhoods, and noise, as ``engine.filters`` has them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from automorph.engine.context import Context, Values, truncated
from automorph.engine.filters import gaussian, normal_table
from automorph.engine.torch.kernel import Arguments, DeviceContext, Size, spread
from automorph.engine.torch.philox import draw_counters, random_words
from automorph.engine.torch.points import blend


def sharpness(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blends the smoothed image with the image."""
    return blend(_smooth(images), images, spread(arguments[0]))


def _smooth(images: Tensor) -> Tensor:
    """PIL's ``SMOOTH`` in whole numbers: a 3x3 mean that counts the centre five times."""
    height, width = images.shape[2:]
    if height < 3 or width < 3:
        return images
    wide = images.to(torch.int32)
    columns = wide[..., :-2] + wide[..., 1:-1] + wide[..., 2:]
    total = columns[..., :-2, :] + columns[..., 1:-1, :] + columns[..., 2:, :]
    total += 4 * wide[..., 1:-1, 1:-1]
    out = images.clone()
    out[..., 1:-1, 1:-1] = (2 * total + 13) // 26
    return out


def draw_weights(values: Values, step: Context, size: Size) -> Arguments:
    """The weights of a Gaussian."""
    return (gaussian(values),)


def blur(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Sums with weights ``(m, taps)`` along x and y, edges mirrored."""
    weights = spread(arguments[0][:, None])
    taps = arguments[0].shape[1]
    out = images.to(setting.wide)
    for axis in (2, 3):
        side = images.shape[axis]
        padded = out.index_select(axis, _mirrored(side, taps // 2, images.device))
        out = torch.zeros_like(out)
        for tap in range(taps):
            out += weights[:, :, tap : tap + 1] * padded.narrow(axis, tap, side)
    return out.round().clamp(0, 255).to(torch.uint8)


def _mirrored(side: int, reach: int, device: torch.device) -> Tensor:
    """Places from ``-reach`` to ``side + reach``, mirrored about the centres of the edge pixels."""
    places = torch.arange(-reach, side + reach, device=device)
    if side == 1:
        return torch.zeros_like(places)
    around = places % (2 * (side - 1))
    return torch.minimum(around, 2 * (side - 1) - around)


def draw_passes(values: Values, step: Context, size: Size) -> Arguments:
    """Which passes an image takes part in, bool ``(m, passes)``."""
    passes = truncated(values)
    return (np.arange(passes.max(initial=0)) < passes[:, None],)


def dilation(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Each pass takes the largest of a pixel and its four neighbours."""
    for taking_part in arguments[0].unbind(1):
        new = images.clone()
        new[..., :-1, :] = torch.maximum(new[..., :-1, :], images[..., 1:, :])
        new[..., 1:, :] = torch.maximum(new[..., 1:, :], images[..., :-1, :])
        new[..., :-1] = torch.maximum(new[..., :-1], images[..., 1:])
        new[..., 1:] = torch.maximum(new[..., 1:], images[..., :-1])
        images = torch.where(spread(taking_part), new, images)
    return images


def erosion(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """The dilation of the negative."""
    return 255 - dilation(255 - images, setting, *arguments)


def draw_noise(values: Values, step: Context, size: Size) -> Arguments:
    """The deviation in levels, and where the random words begin."""
    return (255.0 * values, *draw_counters(values, step, size))


def noise(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Adds a normal number to every value: two a word, in the order (y, x, channel)."""
    deviation, *counters = arguments
    m, channels, height, width = images.shape
    size = images[0].numel()
    words = random_words(*counters, count=(size + 1) // 2, draw=1)
    halves = torch.stack([words & 0xFFFF, words >> 16], dim=2).flatten(1)[:, :size]
    added = _normal_table(images.device, setting.wide)[halves]
    added = added.view(m, height, width, channels).permute(0, 3, 1, 2)
    return (images + added * spread(deviation)).round().clamp(0, 255).to(torch.uint8)


@lru_cache(maxsize=16)
def _normal_table(device: torch.device, wide: torch.dtype) -> Tensor:
    return torch.from_numpy(normal_table()).to(wide).to(device)
