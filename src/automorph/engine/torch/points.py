"""Tables of 256 entries, one an image and channel, as ``engine.points`` makes them."""

from __future__ import annotations

import torch
from torch import Tensor

from automorph.engine.context import Context, Values
from automorph.engine.points import TABLES
from automorph.engine.torch.kernel import Arguments, DeviceContext, Size, quotient


def draw_tables(values: Values, step: Context, size: Size) -> Arguments:
    """Tables ``(m, 1, 256)`` of operations that look at no pixel."""
    return (TABLES[step.operation.kernel](values),)


def look_up(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Every value in tables ``(m, 1, 256)`` or ``(m, C, 256)``."""
    lines = images.flatten(2)
    tables = arguments[0].expand(-1, lines.shape[1], -1)
    return tables.gather(2, lines.to(torch.int64)).view(images.shape)


def blend(first: Tensor, second: Tensor, alpha: Tensor) -> Tensor:
    """``first + alpha (second - first)`` in float32, clipped and cut, as ``Image.blend``."""
    start = first.to(torch.float32)
    mixed = start + alpha * (second.to(torch.float32) - start)
    return mixed.clamp(0, 255).to(torch.uint8)


def grey(images: Tensor) -> Tensor:
    """The luma ``(m, H, W)`` of grey or RGB images, ITU-R 601 in 16 bits as PIL has it."""
    if images.shape[1] == 1:
        return images[:, 0]
    red, green, blue = images.to(torch.int32).unbind(1)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).to(torch.uint8)


def contrast(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blends the mean grey level, rounded, with the image."""
    luma = grey(images).flatten(1)
    # sum / pixels + 1/2, cut, in whole numbers.
    pixels = luma.shape[1]
    mean = (2 * luma.sum(1, dtype=torch.int64) + pixels) // (2 * pixels)
    alpha = arguments[0][:, None, None]
    return look_up(images, setting, blend(mean[:, None, None], _levels(images), alpha))


def autocontrast(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Every channel from its least and largest value to 0 and 255; flat channels stay."""
    lines, levels = images.flatten(2), _levels(images)
    low, high = (end[..., None].to(setting.wide) for end in torch.aminmax(lines, dim=2))
    scale = quotient(255.0, torch.where(high > low, high - low, 255.0))
    table = torch.clamp(torch.trunc(levels * scale + -low * scale), 0, 255)
    return look_up(images, setting, torch.where(high > low, table, levels).to(torch.uint8))


def equalize(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Every channel through its cumulative histogram; channels with too few pixels stay."""
    lines, levels = images.flatten(2), _levels(images)
    counts = histograms(lines)
    last = counts.gather(2, lines.amax(2, keepdim=True).to(torch.int64))
    width = (lines.shape[2] - last) // 255
    below = counts.cumsum(2) - counts
    table = torch.clamp((width // 2 + below) // width.clamp(min=1), 0, 255)
    return look_up(images, setting, torch.where(width > 0, table, levels).to(torch.uint8))


def histograms(lines: Tensor) -> Tensor:
    """How often each value occurs in lines ``(m, C, pixels)``, int64 ``(m, C, 256)``."""
    m, channels = lines.shape[:2]
    first = torch.arange(m * channels, device=lines.device).view(m, channels, 1) * 256
    places = (first + lines).view(-1)
    counts = torch.zeros(m * channels * 256, dtype=torch.int64, device=lines.device)
    # One axis only: of such sums torch has a deterministic form on every device.
    counts.scatter_add_(0, places, torch.ones_like(places))
    return counts.view(m, channels, 256)


def _levels(images: Tensor) -> Tensor:
    return torch.arange(256, device=images.device)
