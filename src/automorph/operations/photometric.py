"""Photometric operations: look every value up in a 256-entry table per image and channel.

These are the operations of ``PIL.ImageOps`` and ``PIL.ImageEnhance`` as torchvision calls them.
They receive grey or RGB channels only; alpha is kept unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.native import Rows, run_step
from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Family,
    Images,
    Kernel,
    Size,
    Values,
    Whole,
    colours,
    the_factors,
    truncated,
)
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    from torch import Tensor

_LEVELS = np.arange(256)
Tables = NDArray[np.uint8]


def look_up(images: Images, tables: Tables) -> Images:
    """Look up images ``(m, H, W, C)`` in tables ``(m, 1, 256)`` or ``(m, C, 256)``."""
    rows, channels = tables.shape[:2]
    first = np.arange(rows * channels).reshape(rows, 1, 1, channels) * 256
    return tables.reshape(-1).take(first + images)


def look_up_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Look up images ``(m, C, H, W)`` in tables ``(m, 1, 256)`` or ``(m, C, 256)``."""
    import torch

    lines = images.flatten(2)
    tables = arguments[0].expand(-1, lines.shape[1], -1)
    return tables.gather(2, lines.to(torch.int64)).view(images.shape)


def lookup(
    table: Callable[[Values], Tables], *, native: int | None = None, **constants: Any
) -> Kernel:
    """Make the kernel of a table ``(m, 1, 256)`` that depends only on the values ``(m,)``."""

    def numpy(images: Images, values: Values, context: Context) -> Images:
        return look_up(images, table(values))

    def draw(values: Values, context: Context, size: Size) -> Arguments:
        return (table(values),)

    def compiled(rows: Rows, values: Values, context: Context) -> None:
        run_step("look-up", rows, table(values))

    kernel = colours(
        numpy, look_up_on_device, draw, native=native, compiled=compiled, constants=constants
    )
    return replace(kernel, table=table)


def blend(first: ArrayLike, second: ArrayLike, alpha: Values) -> NDArray[np.uint8]:
    """Compute ``first + alpha (second - first)`` in float32, clipped and truncated (PIL)."""
    start = np.asarray(first).astype(np.float32)
    mixed = start + alpha.astype(np.float32) * (np.asarray(second).astype(np.float32) - start)
    return np.clip(mixed, 0.0, 255.0).astype(np.uint8)


def grey(images: Images) -> Images:
    """Compute the luma ``(m, H, W)`` of grey or RGB images: ITU-R 601 in 16 bits, as in PIL."""
    if images.shape[3] == 1:
        return images[..., 0]
    red, green, blue = (images[..., i].astype(np.int64) for i in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


def blend_on_device(first: Tensor, second: Tensor, alpha: Tensor) -> Tensor:
    """Compute ``first + alpha (second - first)`` in float32, clipped and truncated (PIL)."""
    import torch

    start = first.to(torch.float32)
    mixed = start + alpha * (second.to(torch.float32) - start)
    return mixed.clamp(0, 255).to(torch.uint8)


def grey_on_device(images: Tensor) -> Tensor:
    """Compute the luma ``(m, H, W)`` of grey or RGB images: ITU-R 601 in 16 bits, as in PIL."""
    import torch

    if images.shape[1] == 1:
        return images[:, 0]
    red, green, blue = images.to(torch.int32).unbind(1)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).to(torch.uint8)


def invert_table(values: Values) -> Tables:
    """Tabulate ``255 - v``."""
    return np.broadcast_to((255 - _LEVELS).astype(np.uint8), (len(values), 1, 256))


def solarize_table(values: Values) -> Tables:
    """Tabulate ``255 - v`` for ``v`` >= the threshold, which is rounded to thousandths."""
    threshold = np.rint(values * 1000.0)[:, None, None] / 1000.0
    return np.where(threshold > _LEVELS, _LEVELS, 255 - _LEVELS).astype(np.uint8)


def solarize_add_table(values: Values) -> Tables:
    """Tabulate ``min(255, v + value)`` for ``v < 128``, as in AutoAugment's released code."""
    lifted = np.clip(_LEVELS + truncated(values)[:, None, None], 0, 255)
    return np.where(_LEVELS < 128, lifted, _LEVELS).astype(np.uint8)


def posterize_table(values: Values) -> Tables:
    """Tabulate the upper bits of every value; 0 bits give black."""
    lost = np.clip(8 - truncated(values)[:, None, None], 0, 8)
    return ((_LEVELS >> lost) << lost).astype(np.uint8)


def brightness_table(values: Values) -> Tables:
    """Tabulate the blend of black (factor 0) and the image (factor 1); factors may exceed 1."""
    return blend(0, _LEVELS, values[:, None, None])


def gamma_table(values: Values) -> Tables:
    """Tabulate ``255.999 (v / 255) ** (2 ** value)``, truncated, as torchvision does."""
    # Beyond 1000 octaves nothing changes any more, but 2 ** value overflows.
    shares = (_LEVELS / 255.0) ** 2.0 ** np.minimum(values, 1000.0)[:, None, None]
    return (255.999 * shares).astype(np.uint8)


def contrast(images: Images, values: Values, context: Context) -> Images:
    """Blend the rounded mean grey level with the image."""
    luma = grey(images).reshape(len(images), -1)
    mean = (luma.sum(1, dtype=np.int64) / luma.shape[1] + 0.5).astype(np.int64)
    return look_up(images, blend(mean[:, None, None], _LEVELS, values[:, None, None]))


def contrast_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blend the rounded mean grey level with the image."""
    import torch

    luma = grey_on_device(images).flatten(1)
    # sum / pixels + 1/2, truncated, in integer arithmetic.
    pixels = luma.shape[1]
    mean = (2 * luma.sum(1, dtype=torch.int64) + pixels) // (2 * pixels)
    alpha = arguments[0][:, None, None]
    return look_up_on_device(
        images, device, blend_on_device(mean[:, None, None], _levels_on_device(images), alpha)
    )


def autocontrast(images: Images, values: Values, context: Context) -> Images:
    """Stretch every channel from its [min, max] to [0, 255]; leave constant channels unchanged."""
    lines = images.reshape(len(images), -1, images.shape[3])
    low = lines.min(1)[..., None].astype(np.float64)
    high = lines.max(1)[..., None].astype(np.float64)
    scale = 255.0 / np.where(high > low, high - low, 255.0)
    table = np.clip(np.trunc(_LEVELS * scale + -low * scale), 0, 255)
    return look_up(images, np.where(high > low, table, _LEVELS).astype(np.uint8))


def autocontrast_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Stretch every channel from its [min, max] to [0, 255]; leave constant channels unchanged."""
    import torch

    from automorph.operations.device import quotient

    lines, levels = images.flatten(2), _levels_on_device(images)
    low, high = (end[..., None].to(device.wide) for end in torch.aminmax(lines, dim=2))
    scale = quotient(255.0, torch.where(high > low, high - low, 255.0))
    table = torch.clamp(torch.trunc(levels * scale + -low * scale), 0, 255)
    return look_up_on_device(images, device, torch.where(high > low, table, levels).to(torch.uint8))


def equalize(images: Images, values: Values, context: Context) -> Images:
    """Equalize each channel's histogram; leave channels with too few pixels unchanged."""
    counts = histograms(images)
    last = 255 - (counts[..., ::-1] > 0).argmax(2)[..., None]
    pixels = counts.sum(2, keepdims=True)
    width = (pixels - np.take_along_axis(counts, last, axis=2)) // 255
    below = np.cumsum(counts, axis=2) - counts
    table = np.clip((width // 2 + below) // np.maximum(width, 1), 0, 255)
    return look_up(images, np.where(width > 0, table, _LEVELS).astype(np.uint8))


def equalize_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Equalize each channel's histogram; leave channels with too few pixels unchanged."""
    import torch

    lines, levels = images.flatten(2), _levels_on_device(images)
    counts = histograms_on_device(lines)
    last = counts.gather(2, lines.amax(2, keepdim=True).to(torch.int64))
    width = (lines.shape[2] - last) // 255
    below = counts.cumsum(2) - counts
    table = torch.clamp((width // 2 + below) // width.clamp(min=1), 0, 255)
    return look_up_on_device(images, device, torch.where(width > 0, table, levels).to(torch.uint8))


def histograms(images: Images) -> Whole:
    """Count how often each value occurs: int64 ``(m, C, 256)``."""
    m, _, _, channels = images.shape
    first = np.arange(m * channels).reshape(m, 1, 1, channels) * 256
    counts = np.bincount((first + images).reshape(-1), minlength=m * channels * 256)
    return counts.reshape(m, channels, 256)


def histograms_on_device(lines: Tensor) -> Tensor:
    """Count how often each value occurs in ``(m, C, pixels)``: int64 ``(m, C, 256)``."""
    import torch

    m, channels = lines.shape[:2]
    first = torch.arange(m * channels, device=lines.device).view(m, channels, 1) * 256
    places = (first + lines).view(-1)
    counts = torch.zeros(m * channels * 256, dtype=torch.int64, device=lines.device)
    # Along a single axis, torch has a deterministic scatter_add on every device.
    counts.scatter_add_(0, places, torch.ones_like(places))
    return counts.view(m, channels, 256)


def _levels_on_device(images: Tensor) -> Tensor:
    import torch

    return torch.arange(256, device=images.device)


FAMILY: Family = {
    Operation("AutoContrast", about="Stretches every channel to the full range."): colours(
        autocontrast, autocontrast_on_device, native=6
    ),
    Operation("Equalize", about="Equalizes the histogram of every channel."): colours(
        equalize, equalize_on_device, native=7
    ),
    Operation("Invert", about="Replaces each value v by 255 - v."): lookup(invert_table, native=8),
    Operation(
        "Solarize", low=0, high=256, identity=256, unit="level",
        about="Inverts all values at or above a threshold.",
    ): lookup(solarize_table, native=9),
    Operation(
        "SolarizeAdd", low=0, high=110, identity=0, unit="level",
        about="Adds an offset to values below 128, clipped at 255.",
    ): lookup(solarize_add_table, native=10, below=128),
    Operation(
        "Posterize", low=2, high=8, identity=8, unit="bits", whole=True,
        about="Keeps the upper bits of every value.",
    ): lookup(posterize_table, native=11, min_bits=0),
    Operation(
        "Gamma", low=-1.5, high=1.5, identity=0, unit="octaves",
        about="Applies a gamma curve; its exponent is 2 to the power of the value.",
    ): lookup(gamma_table, native=21),
    Operation(
        "Contrast", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends the image with its mean grey level.",
    ): colours(contrast, contrast_on_device, the_factors, native=12),
    Operation(
        "Brightness", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends the image with black.",
    ): lookup(brightness_table, native=14),
}  # fmt: skip
