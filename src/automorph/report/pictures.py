"""Pictures of examples: strips inside a page, and contact sheets as files.

Images are uint8 ``(..., H, W, C)`` with C = 1 (grey), 3 (RGB) or 4 (RGBA).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from automorph.errors import DataError
from automorph.report import svg
from automorph.report.fonts import lettered
from automorph.report.page import Picture

Pixels = NDArray[np.uint8]

TILE = 64
"""Small images are enlarged to about this many pixels, by whole factors to keep pixels square."""
PHOTO = 104
"""Larger images are reduced to this many pixels."""
GAP, AFTER_ORIGINAL = 4, 10
EDGE = (128, 128, 128, 110)
"""A hairline around each image, so that white images stand out on white and black on black."""


def tiles(images: Pixels) -> Pixels:
    """Scale images for viewing: 8 px digits by eight, photographs down.

    >>> digits, photos = np.zeros((2, 8, 8, 1), np.uint8), np.zeros((1, 300, 150, 3), np.uint8)
    >>> tiles(digits).shape, tiles(photos).shape
    ((2, 64, 64, 1), (1, 104, 52, 3))
    """
    images = _checked(images)
    height, width = images.shape[-3:-1]
    side = max(height, width)
    if side <= 1.25 * TILE:
        factor = max(1, TILE // side)
        return images.repeat(factor, axis=-3).repeat(factor, axis=-2)
    size = (max(1, round(width * PHOTO / side)), max(1, round(height * PHOTO / side)))
    flat = images.reshape(-1, *images.shape[-3:])
    small = [np.asarray(_image(one).resize(size, Image.Resampling.LANCZOS)) for one in flat]
    return np.stack(small).reshape(*images.shape[:-3], size[1], size[0], images.shape[-1])


def row(images: Pixels) -> Image.Image:
    """Place images ``(n, H, W, C)`` side by side, the first set apart, on a transparent ground."""
    shown = tiles(images)
    number, height, width = shown.shape[:3]
    whole = np.zeros((height + 2, _left(number - 1, width) + width + 2, 4), np.uint8)
    for place, one in enumerate(shown):
        left = _left(place, width)
        whole[:, left : left + width + 2] = EDGE
        whole[1:-1, left + 1 : left + width + 1] = _rgba(one)
    return Image.fromarray(whole)


def column(images: Pixels, *, label: str = "", alt: str = "", limit: int = 4_000) -> Picture:
    """Make one picture of images ``(n, H, W, C)``, one below the other.

    It is a PNG of at most ``limit`` bytes an image, or else a WebP of about that size.
    """
    shown = tiles(images)
    number, height, width = shown.shape[:3]
    whole = np.zeros((number * (height + 2 + GAP) - GAP, width + 2, 4), np.uint8)
    for place, one in enumerate(shown):
        top = place * (height + 2 + GAP)
        whole[top : top + height + 2] = EDGE
        whole[top + 1 : top + height + 1, 1:-1] = _rgba(one)
    image = Image.fromarray(whole)
    crisp = max(images.shape[1:3]) <= TILE
    address = _address(image, limit * number, optimize=False)
    return Picture(address, image.width, image.height, label, alt, crisp)


def strip(images: Pixels, *, label: str = "", alt: str = "", limit: int = 60_000) -> Picture:
    """Make one picture of images ``(n, H, W, C)``, the first one (the original) set apart.

    It is a PNG of at most ``limit`` bytes, or else a WebP of about that size.
    """
    image = row(images)
    crisp = max(images.shape[1:3]) <= TILE
    return Picture(_address(image, limit), image.width, image.height, label, alt, crisp)


def contact_sheet(
    images: Pixels, labels: Sequence[str], *, columns: Sequence[str] = ("original", "draws")
) -> Image.Image:
    """Make one picture of images ``(rows, n, H, W, C)``: one row per example, labels on the left.

    ``columns`` are the headers of the first column and of the rest.
    """
    if images.ndim != 5 or len(images) != len(labels):
        raise DataError(
            f"got images of shape {images.shape} and {len(labels)} labels; "
            "expected images (rows, n, H, W, C) and one label per row"
        )
    names = [svg.shorten(name, 230, size=14) for name in labels]
    font, drawn = lettered([*columns, *names], 14)
    columns, names = drawn[: len(columns)], drawn[len(columns) :]
    margin = 16
    left = margin * 2 + min(220, max((int(font.getlength(name)) for name in names), default=0))
    top = margin + 26
    rows = [row(one) for one in images]
    wide = max((one.width for one in rows), default=0)
    high = max((one.height for one in rows), default=0) + GAP
    size = (left + wide + margin, top + high * len(rows) + margin - GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    tile = tiles(images[:1, :1]).shape[-2] if len(images) else 0
    for place, words in enumerate(columns):
        draw.text((left + _left(place, tile), margin), words, fill="#586171", font=font)
    for place, (one, words) in enumerate(zip(rows, names, strict=True)):
        y = top + place * high
        sheet.paste(one, (left, y), one)
        draw.text((left - margin, y + high // 2), words, fill="#15181d", font=font, anchor="rm")
    return sheet


def _left(place: int, width: int) -> int:
    return place * (width + GAP) + (AFTER_ORIGINAL if place else 0)


def _address(image: Image.Image, limit: int, *, optimize: bool = True) -> str:
    kind, data = "png", _encoded(image, "PNG", optimize=optimize)
    for quality in (80, 45, 10):
        if len(data) <= limit:
            break
        kind, data = "webp", _encoded(image, "WEBP", quality=quality, method=2)
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _rgba(image: Pixels) -> Pixels:
    return np.asarray(_image(image).convert("RGBA"))


def _image(image: Pixels) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _checked(images: Pixels) -> Pixels:
    if images.dtype != np.uint8 or images.ndim < 4 or images.shape[-1] not in (1, 3, 4):
        raise DataError(
            f"got images of shape {images.shape} and type {images.dtype}; "
            "expected uint8 images (n, H, W, C) with C = 1, 3 or 4"
        )
    return images
