"""Random crops as torchvision, albumentations, kornia and timm draw them.

The crop is resized back to the size of the image, bit-identical to PIL's bilinear.
"""

from __future__ import annotations

import math

import numpy as np

from automorph import native
from automorph.native import Rows
from automorph.operations.geometric import GONE
from automorph.operations.kernels import (
    Context,
    Family,
    Images,
    Kernel,
    Places,
    Size,
    Values,
    Whole,
    settings_of,
)
from automorph.operations.resizing import resize
from automorph.operations.spec import Operation

_TRIES = 10
_RESIZED = {"scale": (0.08, 1.0), "ratio": (3 / 4, 4 / 3), "interpolation": "bilinear"}
_WINDOW = {"height": 0.875, "width": 0.875, "unit": "shorter", "interpolation": "bilinear"}


def random_resized_crop(images: Images, values: Values, context: Context) -> Images:
    """Crop a random share of the area, at a random ratio, and resize it."""
    return _cropped(images, parts(values, context, images.shape[1:3]))


def random_resized_crop_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Crop a random share of the area and resize it."""
    boxes = parts(values, context, rows.shape[1:3])
    native.run_step("resize", rows, boxes.astype(np.float64))


def parts(values: Values, context: Context, size: Size) -> Whole:
    """Return crops ``(m, 4)``: left, top, width, height.

    Area (draws 1, 3, ..) and the logarithm of the ratio of width to height in pixels (draws 2, 4,
    ..) are uniform, drawn anew up to ten times until the crop fits into the image. If none fits,
    the crop is the largest in the middle whose ratio is allowed. Draws 21 and 22: the position.
    """
    height, width = size
    given = settings_of(context.operation, _RESIZED)
    (small, large), (narrow, wide) = given["scale"], given["ratio"]
    chance = context.uniform(2 * _TRIES).reshape(-1, _TRIES, 2)
    area = (small + (large - small) * chance[..., 0]) * height * width
    low, high = math.log(narrow), math.log(wide)
    ratio = np.exp(low + (high - low) * chance[..., 1])
    w, h = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
    fits = (w > 0) & (w <= width) & (h > 0) & (h <= height)
    first = fits.argmax(1)
    rows, found = np.arange(len(values)), fits.any(1)
    w, h = w[rows, first].astype(np.int64), h[rows, first].astype(np.int64)
    x = context.below(np.where(found, width - w, 0) + 1, draw=2 * _TRIES + 1)
    y = context.below(np.where(found, height - h, 0) + 1, draw=2 * _TRIES + 2)
    middle = _middle(height, width, narrow, wide)
    return np.where(found[:, None], np.stack([x, y, w, h], axis=1), middle)


def _middle(height: int, width: int, narrow: float, wide: float) -> Whole:
    w, h = width, height
    if width / height < narrow:
        h = round(w / narrow)
    elif width / height > wide:
        w = round(h * wide)
    return np.array([(width - w) // 2, (height - h) // 2, w, h])


def random_crop(images: Images, values: Values, context: Context) -> Images:
    """Crop a window of a fixed size and resize it."""
    return _cropped(images, windows(values, context, images.shape[1:3]))


def random_crop_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Crop a window of a fixed size and resize it."""
    boxes = windows(values, context, rows.shape[1:3])
    native.run_step("resize", rows, boxes.astype(np.float64))


def windows(values: Values, context: Context, size: Size) -> Whole:
    """Return windows ``(m, 4)``: left, top, width, height; draws 1 and 2 are the position.

    Sides are pixels, shares of the image's sides, or shares of its shorter side. A window is never
    larger than the image.
    """
    height, width = size
    given = settings_of(context.operation, _WINDOW)
    unit = given["unit"]
    full = {"px": (1, 1), "share": (height, width), "shorter": (min(size), min(size))}[unit]
    h, w = (
        max(1, min(side, round(given[name] * whole)))
        for name, side, whole in zip(("height", "width"), (height, width), full, strict=True)
    )
    x = context.below(np.full(len(values), width - w + 1), draw=1)
    y = context.below(np.full(len(values), height - h + 1), draw=2)
    return np.stack([x, y, np.full_like(x, w), np.full_like(x, h)], axis=1)


def _cropped(images: Images, boxes: Whole) -> Images:
    height, width = images.shape[1:3]
    out = np.empty_like(images)
    for row, (x, y, w, h) in enumerate(boxes):
        whole = (w, h) == (width, height)
        part = images[row, y : y + h, x : x + w]
        out[row] = part if whole else resize(part, height, width)
    return out


def _read_part(places: Places, value: float, context: Context, size: Size) -> Places:
    return _through(places, parts(np.array([value]), context, size)[0], size)


def _read_window(places: Places, value: float, context: Context, size: Size) -> Places:
    return _through(places, windows(np.array([value]), context, size)[0], size)


def _through(places: Places, box: Whole, size: Size) -> Places:
    x, y, w, h = box
    return np.asarray(places * np.array([w / size[1], h / size[0]]) + np.array([x, y]))


FAMILY: Family = {
    Operation(
        "RandomResizedCrop", random=True, label_risk=GONE,
        about="Crops a random region, as torchvision draws it, and resizes it back.",
    ): Kernel(
        random_resized_crop, read=_read_part, straight=True, compiled=random_resized_crop_compiled,
        constants=_RESIZED,
        settable={"scale": (1e-6, 1.0), "ratio": (1e-3, 1e3), "interpolation": ("bilinear",)},
    ),
    Operation(
        "RandomCrop", random=True, label_risk=GONE,
        about="Crops a window of one size at a random place and resizes it back.",
    ): Kernel(
        random_crop, read=_read_window, straight=True, compiled=random_crop_compiled,
        constants=_WINDOW,
        settable={"height": (1e-6, 1e6), "width": (1e-6, 1e6),
                  "unit": ("px", "share", "shorter"), "interpolation": ("bilinear",)},
    ),
}  # fmt: skip
