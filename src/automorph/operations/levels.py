"""Changes of levels and colours from several ranges at once, as albumentations draws them.

Grey images keep their hue and saturation; alpha is kept unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from automorph import native
from automorph.native import Rows
from automorph.operations.kernels import (
    Bounds,
    CompiledKernel,
    Context,
    Family,
    Images,
    Kernel,
    NumPyKernel,
    Values,
    settings_of,
)
from automorph.operations.photometric import look_up
from automorph.operations.spec import Operation

_LEVELS = np.arange(256, dtype=np.float64)
_BRIGHTNESS = {"brightness": (-0.2, 0.2), "contrast": (-0.2, 0.2), "by": "max"}
_HSV = {"hue": (-0.11, 0.11), "saturation": (-30.0, 30.0), "value": (-20.0, 20.0), "rule": "add"}
_SHIFT = {"red": (-20.0, 20.0), "green": (-20.0, 20.0), "blue": (-20.0, 20.0)}


def opaque(run: NumPyKernel) -> NumPyKernel:
    """Return the kernel for images with alpha, which it leaves unchanged."""

    def kept(images: Images, values: Values, context: Context) -> Images:
        if images.shape[3] < 4:
            return run(images, values, context)
        colours = run(np.ascontiguousarray(images[..., :3]), values, context)
        return np.concatenate([colours, images[..., 3:]], axis=3)

    return kept


def drawn(context: Context, *ends: tuple[float, float]) -> list[Values]:
    """Draw a number ``(m,)`` from each range: draws 1, 2, .."""
    chance = context.uniform(len(ends))
    return [low + (high - low) * chance[:, k] for k, (low, high) in enumerate(ends)]


def levels_of(values: Values) -> Images:
    """Round to whole levels from 0 to 255."""
    return np.asarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def brightness_contrast(images: Images, values: Values, context: Context) -> Images:
    """Multiply levels by ``1 + contrast`` and add ``brightness`` times 255, or times their mean."""
    return look_up(images, _brightness_tables(images, context))


def brightness_contrast_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Multiply levels and add to them."""
    by_mean = settings_of(context.operation, _BRIGHTNESS)["by"] == "mean"
    used = rows.pixels()[..., :3] if by_mean else rows.images[:0]
    native.run_step("look-up", rows, _brightness_tables(used, context))


def _brightness_tables(images: Images, context: Context) -> Images:
    given = settings_of(context.operation, _BRIGHTNESS)
    contrast, brightness = drawn(context, given["contrast"], given["brightness"])
    means = images.reshape(len(images), -1).mean(1) if given["by"] == "mean" else 255.0
    tables = _LEVELS * (1.0 + contrast)[:, None] + (brightness * means)[:, None]
    return levels_of(tables)[:, None]


def hue_saturation_value(images: Images, values: Values, context: Context) -> Images:
    """Shift the hue (in turns), and shift or multiply saturation and value (of 255)."""
    given = settings_of(context.operation, _HSV)
    turn, saturation, value = drawn(context, given["hue"], given["saturation"], given["value"])
    turn, saturation, value = (one[:, None, None] for one in (turn, saturation, value))
    most, least = images.max(3).astype(np.float64), images.min(3).astype(np.float64)
    chroma = most - least
    safe = np.where(chroma > 0, chroma, 1.0)
    if given["rule"] == "add":
        s = 255.0 * chroma / np.maximum(most, 1.0) + saturation
        v = most + value
    else:
        s, v = 255.0 * chroma / np.maximum(most, 1.0) * saturation, most * value
    v = np.clip(v, 0, 255)
    if images.shape[3] == 1:
        return levels_of(v)[..., None]
    s = np.where(chroma > 0, np.clip(s, 0, 255), 0.0)
    red, green, blue = (images[..., k].astype(np.float64) for k in range(3))
    h = np.select(
        [most == red, most == green],
        [(green - blue) / safe, 2.0 + (blue - red) / safe],
        4.0 + (red - green) / safe,
    )
    h = (h + 6.0 * turn) % 6.0
    parts = []
    for shift in (5.0, 3.0, 1.0):
        place = (shift + h) % 6.0
        low = np.clip(np.minimum(place, 4.0 - place), 0.0, 1.0)
        parts.append(v - v * s / 255.0 * low)
    return levels_of(np.stack(parts, axis=3))


def hue_saturation_value_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Change hue, saturation and value."""
    given = settings_of(context.operation, _HSV)
    changes = drawn(context, given["hue"], given["saturation"], given["value"])
    adds = np.full(len(rows), float(given["rule"] == "add"))
    native.run_step("hsv", rows, np.stack([*changes, adds], axis=1))


def rgb_shift(images: Images, values: Values, context: Context) -> Images:
    """Add one drawn number to each channel; a grey image gets that of the first."""
    return look_up(images, _shift_tables(images.shape[3], context))


def rgb_shift_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Add one drawn number to each channel."""
    native.run_step("look-up", rows, _shift_tables(min(rows.shape[3], 3), context))


def _shift_tables(channels: int, context: Context) -> Images:
    given = settings_of(context.operation, _SHIFT)
    added = np.stack(drawn(context, given["red"], given["green"], given["blue"]), axis=1)
    return levels_of(_LEVELS + added[:, :channels, None])


def channel_shuffle(images: Images, values: Values, context: Context) -> Images:
    """Put the channels in a random order (draws 1 to 3: the smallest number comes first)."""
    order = context.uniform(images.shape[3]).argsort(axis=1, kind="stable")
    return np.take_along_axis(images, order[:, None, None, :], axis=3)


def channel_shuffle_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Put the channels in a random order."""
    order = context.uniform(min(rows.shape[3], 3)).argsort(axis=1, kind="stable")
    native.run_step("shuffle", rows, order.astype(np.float64))


def _kernel(
    run: NumPyKernel,
    compiled: CompiledKernel | None,
    constants: Mapping[str, object],
    **settable: Bounds,
) -> Kernel:
    return Kernel(
        opaque(run), compiled=compiled, keeps_alpha=True, constants=constants, settable=settable
    )


FAMILY: Family = {
    Operation(
        "BrightnessContrast", random=True,
        about="Multiplies levels by one drawn number and adds another.",
    ): _kernel(brightness_contrast, brightness_contrast_compiled, _BRIGHTNESS,
               brightness=(-10.0, 10.0), contrast=(-10.0, 10.0), by=("max", "mean")),
    Operation(
        "HueSaturationValue", random=True,
        about="Changes hue, saturation and value by drawn amounts.",
    ): _kernel(hue_saturation_value, hue_saturation_value_compiled, _HSV, hue=(-1.0, 1.0),
               saturation=(-255.0, 255.0), value=(-255.0, 255.0), rule=("add", "multiply")),
    Operation(
        "RGBShift", random=True, about="Adds a drawn number to each channel.",
    ): _kernel(rgb_shift, rgb_shift_compiled, _SHIFT, **dict.fromkeys(_SHIFT, (-255.0, 255.0))),
    Operation(
        "ChannelShuffle", random=True, about="Puts the channels in a random order.",
    ): Kernel(opaque(channel_shuffle), compiled=channel_shuffle_compiled, keeps_alpha=True),
}  # fmt: skip
