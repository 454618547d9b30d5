"""Contrast-limited adaptive histogram equalization (CLAHE, Zuiderveld 1994).

The lightness of colours is equalized, that of CIE Lab, and their hue and chroma are kept; alpha is
kept unchanged. The second definition computes in integers, so that pixels depend neither on a
processor nor on a library of mathematics; the first, in floats, remains for files that state it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.native import Rows
from automorph.operations.kernels import (
    Context,
    Family,
    Images,
    Kernel,
    Values,
    Whole,
    settings_of,
)
from automorph.operations.levels import drawn, levels_of, opaque
from automorph.operations.spec import Operation

_CLAHE = {"clip": (1.0, 40.0), "tiles": (8, 8)}
_BINS = 256
_LEVELS = np.arange(256, dtype=np.float64)

_PARTS = np.array([[7110, 6164, 3110], [3484, 11718, 1182], [291, 1794, 14299]])
"""X, Y and Z over those of white (D65), of linear red, green and blue: 2^14 is 1."""
_BACK = np.array([[12615, -6296, -2223], [-3773, 7684, 185], [217, -836, 4715]])
"""Linear red, green and blue of them: 2^12 is 1."""
_ONE = 1 << 14
"""1 in the roots; 2^16 is 1 in linear numbers."""
_CUBES, _ZERO, _SLOPE = 3390, 2260, 33665
"""Where roots become cube roots, the root of 0, and the slope below: 2^16 is 1."""
_SHARE = 1 << 11
"""1 in the weights of tiles."""


def _linear(share: Values) -> Values:
    """Undo the gamma of sRGB."""
    return np.where(share > 0.04045, ((share + 0.055) / 1.055) ** 2.4, share / 12.92)


def _bent(linear: Values) -> Values:
    """Apply the gamma of sRGB."""
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def _root(part: Values) -> Values:
    """Return the f of CIE Lab."""
    return np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)


@cache
def tables() -> tuple[NDArray[np.uint16], NDArray[np.uint16], Images, Images]:
    """Return linear numbers of levels, roots and levels of lightness of parts, levels of numbers.

    Parts are looked up by their upper 12 of 16 bits and linear numbers by their upper 14; tables
    hold what belongs to the middle of each step.
    """
    root = _root((np.arange(1 << 12) * 16 + 7.5) / 65535)
    return (
        np.rint(65535 * _linear(_LEVELS / 255)).astype(np.uint16),
        np.rint(_ONE * root).astype(np.uint16),
        levels_of(2.55 * (116 * root - 16)),
        levels_of(255 * _bent((np.arange(1 << 14) * 4 + 1.5) / 65535)),
    )


@cache
def _packed() -> Values:
    return native.packed(*tables())


def clahe(images: Images, values: Values, context: Context) -> Images:
    """Equalize each tile of the lightness; between the middles of tiles, interpolate."""
    if context.operation.definition == 1:
        return _first(images, values, context)
    limits, rows, columns = _limits(images.shape[1:3], context)
    linear, root, lightness, level = tables()
    out = np.empty_like(images)
    for k, image in enumerate(images):
        if image.shape[2] == 1:
            out[k, ..., 0] = _equalized(image[..., 0], limits[k], rows, columns)
            continue
        parts = (linear[image].astype(np.int64) @ _PARTS.T) >> 14
        roots = root[parts >> 4].astype(np.int64)
        light = lightness[parts[..., 1] >> 4]
        more = _equalized(light, limits[k], rows, columns).astype(np.int64) - light
        # A level of lightness moves all three roots by 2^14 / (2.55 * 116).
        roots += ((more * 3545 + 32) >> 6)[..., None]
        cubes = ((roots * roots >> 14) * roots) >> 12
        parts = np.where(roots > _CUBES, cubes, (roots - _ZERO) * _SLOPE >> 16)
        numbers = (np.minimum(parts, 1 << 17) @ _BACK.T + (1 << 11)) >> 12
        out[k] = level[np.clip(numbers, 0, 65535) >> 2]
    return out


def _limits(size: tuple[int, ...], context: Context) -> tuple[Whole, int, int]:
    """Return how many pixels of a tile may have one level ``(m,)``, and the numbers of tiles."""
    given = settings_of(context.operation, _CLAHE)
    (clip,) = drawn(context, given["clip"])
    rows, columns = map(int, given["tiles"])
    pixels = -(-size[0] // rows) * -(-size[1] // columns)
    return np.clip(clip * pixels / _BINS, 1, pixels).astype(np.int64), rows, columns


def _equalized(plane: Images, limit: int, rows: int, columns: int) -> Images:
    """Equalize one plane ``(H, W)``, whose tables are weighted in 2^11 steps."""
    tables, (h, w) = _tile_tables(plane, limit, rows, columns)
    top, down = _weights(plane.shape[0], h)
    left, right = _weights(plane.shape[1], w)
    ends = [np.clip(top + k, 0, rows - 1)[:, None] for k in (0, 1)]
    sides = [np.clip(left + k, 0, columns - 1)[None, :] for k in (0, 1)]
    lines: list[Whole] = [
        tables[end, sides[0], plane] * (_SHARE - right) + tables[end, sides[1], plane] * right
        for end in ends
    ]
    down = down[:, None]
    sums: Whole = lines[0] * (_SHARE - down) + lines[1] * down + (1 << 21)
    return np.asarray(sums >> 22, np.uint8)


def _weights(side: int, tile: int) -> tuple[Whole, Whole]:
    """Return the tile before each place of a side, and the weight of the next one."""
    twice = 2 * np.arange(side, dtype=np.int64) - tile
    return twice // (2 * tile), twice % (2 * tile) * _SHARE // (2 * tile)


def _tile_tables(
    plane: Images, limit: int, rows: int, columns: int
) -> tuple[Whole, tuple[int, int]]:
    """Return the new level of each level in each tile, ``(rows, columns, 256)``, and their size."""
    height, width = plane.shape
    down, across = -height % rows, -width % columns
    padded = np.pad(plane, ((0, down), (0, across)), mode="reflect" if min(plane.shape) > 8 else
                    "edge")  # fmt: skip
    h, w = padded.shape[0] // rows, padded.shape[1] // columns
    tiles = padded.reshape(rows, h, columns, w).swapaxes(1, 2).reshape(rows * columns, -1)
    first = np.arange(len(tiles))[:, None] * _BINS
    counts = np.bincount((first + tiles).ravel(), minlength=len(tiles) * _BINS)
    counts = counts.reshape(len(tiles), _BINS)
    over = np.maximum(counts - limit, 0).sum(1)
    counts = np.minimum(counts, limit) + (over // _BINS)[:, None]
    for row, rest in enumerate((over % _BINS).tolist()):
        if rest:
            counts[row, :: max(_BINS // rest, 1)][:rest] += 1
    tables = np.clip(np.rint(counts.cumsum(1) * (255.0 / (h * w))), 0, 255).astype(np.int64)
    return tables.reshape(rows, columns, _BINS), (h, w)


def clahe_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Equalize each tile of the lightness."""
    if context.operation.definition == 1:
        rows.images[rows.numbers] = opaque(clahe)(rows.pixels(), values, context)
        return
    limits, down, across = _limits(rows.shape[1:3], context)
    tiles = np.broadcast_to([down, across], (len(rows), 2))
    numbers = np.column_stack([limits, tiles]).astype(np.float64)
    native.run_step("equalize-tiles", rows, numbers, shared=_packed())


def _first(images: Images, values: Values, context: Context) -> Images:
    """Equalize on L of CIE Lab, in floats: the first definition."""
    given = settings_of(context.operation, _CLAHE)
    (clip,) = drawn(context, given["clip"])
    rows, columns = map(int, given["tiles"])
    out = np.empty_like(images)
    for k, image in enumerate(images):
        if image.shape[2] == 1:
            out[k, ..., 0] = _float_equalized(image[..., 0], clip[k], rows, columns)
            continue
        lab = _to_lab(image)
        light = levels_of(lab[..., 0] * 2.55)
        lab[..., 0] = _float_equalized(light, clip[k], rows, columns) / 2.55
        out[k] = _from_lab(lab)
    return out


def _float_equalized(plane: Images, clip: float, rows: int, columns: int) -> Images:
    height, width = plane.shape
    h, w = -(-height // rows), -(-width // columns)
    tables, _ = _tile_tables(plane, max(int(clip * h * w / _BINS), 1), rows, columns)
    y, x = np.arange(height) / h - 0.5, np.arange(width) / w - 0.5
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    dy, dx = (y - top)[:, None], (x - left)[None, :]
    ends = [np.clip(top + k, 0, rows - 1)[:, None] for k in (0, 1)]
    sides = [np.clip(left + k, 0, columns - 1)[None, :] for k in (0, 1)]
    upper = tables[ends[0], sides[0], plane] * (1 - dx) + tables[ends[0], sides[1], plane] * dx
    lower = tables[ends[1], sides[0], plane] * (1 - dx) + tables[ends[1], sides[1], plane] * dx
    return levels_of(upper * (1 - dy) + lower * dy)


_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = _TO_XYZ.sum(1)


def _to_lab(image: Images) -> Values:
    """Convert sRGB ``(H, W, 3)`` to CIE Lab under D65."""
    ratio = _linear(_LEVELS / 255.0)[image] @ _TO_XYZ.T / _WHITE
    f = _root(ratio)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    light = np.where(ratio[..., 1] > 0.008856, 116 * y - 16, 903.3 * ratio[..., 1])
    return np.stack([light, 500 * (x - y), 200 * (y - z)], axis=2)


def _from_lab(lab: Values) -> Images:
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=2)
    ratio = np.where(f > 0.206893, f**3, (f - 16 / 116) / 7.787)
    linear = np.clip((ratio * _WHITE) @ np.linalg.inv(_TO_XYZ).T, 0, 1)
    return levels_of(255 * _bent(linear))


FAMILY: Family = {
    Operation(
        "CLAHE", random=True, definition=2,
        about="Equalizes tiles with clipped histograms (contrast-limited, adaptive).",
    ): Kernel(opaque(clahe), compiled=clahe_compiled, keeps_alpha=True, constants=_CLAHE,
              settable={"clip": (0.01, 1e4), "tiles": (1.0, 64.0)}, definitions=2),
}  # fmt: skip
