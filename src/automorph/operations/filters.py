"""Operations on pixel neighbourhoods, and noise. Alpha is kept unchanged."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from automorph import native
from automorph.native import Rows
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
    the_factors,
    truncated,
)
from automorph.operations.photometric import blend, blend_on_device
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def sharpness(images: Images, values: Values, context: Context) -> Images:
    """Blend the smoothed image with the image, as ``ImageEnhance.Sharpness`` does."""
    return blend(smooth(images), images, values[:, None, None, None])


def smooth(images: Images) -> Images:
    """Apply PIL's ``SMOOTH``: a 3x3 mean with weight 5 at the centre; border pixels are kept.

    PIL adds floats; since ``sum / 13 + 1/2`` is never an integer, integers give the same result.
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


def sharpness_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blend the smoothed image with the image."""
    return blend_on_device(_smooth_on_device(images), images, spread(arguments[0]))


def _smooth_on_device(images: Tensor) -> Tensor:
    """Apply PIL's ``SMOOTH`` in integers: a 3x3 mean with weight 5 at the centre."""
    import torch

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


def blur(images: Images, values: Values, context: Context) -> Images:
    """Blur with a Gaussian of standard deviation ``value`` px, cut at 3 deviations, edges mirrored.

    Equals torchvision's ``gaussian_blur`` with ``kernel_size = 2 ceil(3 value) + 1``.
    """
    return convolved(images, gaussian(values))


def convolved(images: Images, weights: Values) -> Images:
    """Convolve along both sides with odd numbers of weights ``(m, taps)``; edges are mirrored."""
    most = weights.shape[1] // 2
    out = images.astype(np.float64)
    for axis in (1, 2):
        side = images.shape[axis]
        mirrored = mirror(np.arange(-most, side + most), side)
        padded = out.take(mirrored, axis=axis)
        out = np.zeros(images.shape)
        # Add tap by tap: the order of the sum, and so the result, does not depend on the batch.
        for tap in range(2 * most + 1):
            part = padded.take(np.arange(tap, tap + side), axis=axis)
            out += weights[:, tap, None, None, None] * part
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def gaussian(values: Values) -> Values:
    """Compute Gaussian weights ``(m, 2 r + 1)`` for deviations ``(m,)``; ``r`` fits the widest."""
    reach = np.ceil(3.0 * values)
    most = int(reach.max(initial=0))
    offsets = np.arange(-most, most + 1)
    width = np.where(values > 0, values, 1.0)[:, None]
    weights = np.exp(-0.5 * (offsets / width) ** 2) * (np.abs(offsets) <= reach[:, None])
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)


def mirror(places: Whole, side: int) -> Whole:
    """Mirror indices outside ``[0, side)`` into it, about the centres of the edge pixels.

    >>> mirror(np.array([-2, -1, 0, 3, 4]), 4).tolist()
    [2, 1, 0, 3, 2]
    """
    if side == 1:
        return np.zeros_like(places)
    period = 2 * (side - 1)
    around = places % period
    return np.minimum(around, period - around)


def _weights(values: Values, context: Context, size: Size) -> Arguments:
    """Return the weights of a Gaussian."""
    return (gaussian(values),)


def blur_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Convolve with weights ``(m, taps)`` along x and y, edges mirrored."""
    import torch

    weights = spread(arguments[0][:, None])
    taps = arguments[0].shape[1]
    out = images.to(device.wide)
    for axis in (2, 3):
        side = images.shape[axis]
        padded = out.index_select(axis, _mirrored(side, taps // 2, images.device))
        out = torch.zeros_like(out)
        for tap in range(taps):
            out += weights[:, :, tap : tap + 1] * padded.narrow(axis, tap, side)
    return out.round().clamp(0, 255).to(torch.uint8)


def _mirrored(side: int, reach: int, device: torch.device) -> Tensor:
    """Return indices ``-reach`` to ``side + reach``, mirrored about the centres of edge pixels."""
    import torch

    places = torch.arange(-reach, side + reach, device=device)
    if side == 1:
        return torch.zeros_like(places)
    around = places % (2 * (side - 1))
    return torch.minimum(around, 2 * (side - 1) - around)


def blur_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Blur with a Gaussian."""
    native.run_step("convolve", rows, gaussian(values))


def dilation(images: Images, values: Values, context: Context) -> Images:
    """Take the largest value within ``value`` steps up, down, left or right (a diamond).

    Each pass takes the maximum of a pixel and its four neighbours, as scikit-image's ``dilation``
    does.
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


def erosion(images: Images, values: Values, context: Context) -> Images:
    """Take the smallest value within ``value`` steps: the dilation of the negative."""
    return 255 - dilation(255 - images, values, context)


def dilation_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Take the largest value in a diamond."""
    native.run_step("dilate", rows, truncated(values).astype(np.float64))


def erosion_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Take the smallest value in a diamond."""
    native.run_step("erode", rows, truncated(values).astype(np.float64))


def _passes(values: Values, context: Context, size: Size) -> Arguments:
    """Return which passes apply to each image, bool ``(m, passes)``."""
    passes = truncated(values)
    return (np.arange(passes.max(initial=0)) < passes[:, None],)


def dilation_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Take the maximum of a pixel and its four neighbours in each pass."""
    import torch

    for taking_part in arguments[0].unbind(1):
        new = images.clone()
        new[..., :-1, :] = torch.maximum(new[..., :-1, :], images[..., 1:, :])
        new[..., 1:, :] = torch.maximum(new[..., 1:, :], images[..., :-1, :])
        new[..., :-1] = torch.maximum(new[..., :-1], images[..., 1:])
        new[..., 1:] = torch.maximum(new[..., 1:], images[..., :-1])
        images = torch.where(spread(taking_part), new, images)
    return images


def erosion_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Dilate the negative."""
    return 255 - dilation_on_device(255 - images, device, *arguments)


@cache
def normal_table() -> Values:
    """Tabulate a standard normal number per 16-bit word: quantiles at ``(word + 1/2) / 2^16``."""
    from scipy.special import ndtri

    table: Values = ndtri((np.arange(2**16) + 0.5) / 2**16)
    return table


def noise(images: Images, values: Values, context: Context) -> Images:
    """Add ``255 value`` times an independent normal number to every pixel value.

    A random word gives two numbers, lower half first, in pixel order, from draw 1 on.
    """
    size = images[0].size
    words = context.words((size + 1) // 2)
    halves = np.stack([words & 0xFFFF, words >> 16], axis=2).reshape(len(images), -1)[:, :size]
    added = normal_table()[halves].reshape(images.shape)
    noisy = images + added * (255.0 * values)[:, None, None, None]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def noise_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Add an independent normal number to every pixel value."""
    words = context.word_source()
    native.run_step("add-noise", rows, 255.0 * values, shared=normal_table(), words=words)


def _noise_arguments(values: Values, context: Context, size: Size) -> Arguments:
    """Return the deviation in levels, and the counters at which the random words begin."""
    return (255.0 * values, *context.counters())


def noise_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Add a normal number to every value: two per word, in (y, x, channel) order."""
    import torch

    from automorph.operations.device import random_words

    deviation, *counters = arguments
    m, channels, height, width = images.shape
    size = images[0].numel()
    words = random_words(*counters, count=(size + 1) // 2, draw=1)
    halves = torch.stack([words & 0xFFFF, words >> 16], dim=2).flatten(1)[:, :size]
    added = _normal_table_on_device(images.device, device.wide)[halves]
    added = added.view(m, height, width, channels).permute(0, 3, 1, 2)
    return (images + added * spread(deviation)).round().clamp(0, 255).to(torch.uint8)


@lru_cache(maxsize=16)
def _normal_table_on_device(device: torch.device, wide: torch.dtype) -> Tensor:
    import torch

    return torch.from_numpy(normal_table()).to(wide).to(device)


FAMILY: Family = {
    Operation(
        "Sharpness", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends the image with its smoothed version.",
    ): colours(sharpness, sharpness_on_device, the_factors, native=15),
    Operation(
        "Erosion", low=0, high=3, identity=0, unit="px", whole=True,
        about="Takes the smallest value in a neighbourhood: bright strokes get thinner.",
    ): colours(erosion, erosion_on_device, _passes, compiled=erosion_compiled),
    Operation(
        "Dilation", low=0, high=3, identity=0, unit="px", whole=True,
        about="Takes the largest value in a neighbourhood: bright strokes get thicker.",
    ): colours(dilation, dilation_on_device, _passes, compiled=dilation_compiled),
    Operation(
        "Blur", low=0, high=3, identity=0, unit="px",
        about="Applies a Gaussian blur (the value is the standard deviation).",
    ): colours(
        blur, blur_on_device, _weights, compiled=blur_compiled,
        constants={"edges": "reflect", "reach": 3}
    ),
    Operation(
        "Noise", low=0, high=0.3, identity=0, unit="share", random=True,
        about="Adds Gaussian noise (standard deviation as a fraction of the full range).",
    ): colours(noise, noise_on_device, _noise_arguments, compiled=noise_compiled),
}  # fmt: skip
