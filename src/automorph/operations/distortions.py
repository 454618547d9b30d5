"""Perspective, grid and optical distortions, as torchvision and albumentations draw them.

Each reads every pixel of the result from a place of the input; what lies outside the image is the
policy's fill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from automorph import native
from automorph.native import Rows
from automorph.operations.affine import interpolate, within
from automorph.operations.geometric import GONE
from automorph.operations.kernels import (
    Bounds,
    CompiledKernel,
    Context,
    Family,
    Images,
    Kernel,
    Places,
    Read,
    Size,
    Values,
    evenly,
    settings_of,
)
from automorph.operations.spec import Operation

_PERSPECTIVE = {"scale": 0.5}
_GRID = {"steps": 5, "limit": (-0.1, 0.1), "normalized": 1}
_OPTICAL = {"limit": (-0.05, 0.05), "mode": "camera"}


def _read_perspective(places: Places, value: float, context: Context, size: Size) -> Places:
    """Move each corner inwards by up to ``scale`` times half a side (draws 1 to 8)."""
    a, b, c, d, e, f, g, h = _projections(context, size)[0]
    u, v = places[:, 0], places[:, 1]
    below = g * u + h * v + 1.0
    return np.stack([(a * u + b * v + c) / below, (d * u + e * v + f) / below], axis=1)


def _projections(context: Context, size: Size) -> Values:
    """Return the coefficients of the projective maps, ``(n, 8)``."""
    height, width = size
    scale = settings_of(context.operation, _PERSPECTIVE)["scale"]
    limits = np.array([int(scale * (side // 2)) + 1 for side in (width, height)] * 4)
    moves = ((context.words(8).astype(np.int64) >> 8) * limits) >> 24
    across, down = width - 1, height - 1
    corners = np.array([[0, 0], [across, 0], [across, down], [0, down]], np.float64)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    moved = corners + inwards * moves.reshape(-1, 4, 2)
    # For each corner an equation of x and one of y.
    sides = np.zeros((len(moved), 4, 2, 8))
    sides[:, :, 0, :2] = sides[:, :, 1, 3:5] = moved
    sides[:, :, 0, 2] = sides[:, :, 1, 5] = 1
    sides[..., 6:] = -corners[:, :, None] * moved[:, :, None, :]
    known = corners.ravel()
    found = [np.linalg.lstsq(one, known, rcond=None)[0] for one in sides.reshape(-1, 8, 8)]
    return np.stack(found)


def _read_grid(places: Places, value: float, context: Context, size: Size) -> Places:
    """Stretch the strips between grid lines by random factors, along x and along y."""
    found = [
        np.interp(places[:, axis] - 0.5, np.arange(side), line) + 0.5
        for axis, (side, line) in enumerate(
            zip((size[1], size[0]), _lines(context, size), strict=True)
        )
    ]
    return np.stack(found, axis=1)


def _grid_numbers(context: Context, size: Size) -> Values:
    """Return the places of the columns and then of the rows, ``(n, W + H)``."""
    rows = (context.row(row) for row in range(len(context.stream.index)))
    return np.stack([np.concatenate(_lines(row, size)) for row in rows]) + 0.5


def _lines(context: Context, size: Size) -> list[Values]:
    """Return the places that the pixels along each side are read from."""
    given = settings_of(context.operation, _GRID)
    steps = max(1, min(int(given["steps"]), *size))
    low, high = given["limit"]
    factors = 1.0 + low + (high - low) * context.uniform(2 * (steps + 1))[0].reshape(2, -1)
    return [
        _strips(side, steps, row, given)
        for side, row in zip((size[1], size[0]), factors, strict=True)
    ]


def _strips(side: int, steps: int, factors: Values, given: dict[str, object]) -> Values:
    """Return the place that each pixel along a side is read from, ``(side,)``."""
    step = side // steps
    factors = factors.copy()
    if given["normalized"]:
        factors[-1] *= (min(side, (steps + 1) * step) - steps * step) / step
        factors *= side / step / factors.sum()
    out, before = np.zeros(side), 0.0
    for number, factor in enumerate(factors):
        start, end = number * step, min((number + 1) * step, side)
        after = before + step * factor
        out[start:end] = evenly(before, after, end - start)
        before = after
    return out


def _read_optical(places: Places, value: float, context: Context, size: Size) -> Places:
    """Bulge or pinch with the distance from the middle (draw 1)."""
    given = settings_of(context.operation, _OPTICAL)
    k, _ = _optical_numbers(context, size)[0]
    middle = np.array([size[1] / 2.0, size[0] / 2.0])
    offset = places - 0.5 - middle
    if given["mode"] == "camera":
        square = ((offset / (2.0 * middle)) ** 2).sum(1, keepdims=True)
        factor = 1.0 + k * square + k * square * square
    else:
        factor = 1.0 + k * (offset**2).sum(1, keepdims=True) / (middle**2).sum()
    return np.asarray(offset * factor + middle + 0.5)


def _optical_numbers(context: Context, size: Size) -> Values:
    """Return the strengths, and whether the camera's model holds, ``(n, 2)``."""
    given = settings_of(context.operation, _OPTICAL)
    low, high = given["limit"]
    k = low + (high - low) * context.uniform(1)[:, 0]
    return np.column_stack([k, np.full(len(k), float(given["mode"] == "camera"))])


Numbers = Callable[[Context, Size], Values]
"""The numbers of each image that a compiled warp takes."""


def _by_numbers(kind: str, numbers: Numbers) -> CompiledKernel:
    def compiled(rows: Rows, values: Values, context: Context) -> None:
        native.run_step(
            kind, rows, numbers(context, (rows.shape[1], rows.shape[2])),
            bilinear=context.bilinear, outside=context.outside, fill=context.fill,
        )  # fmt: skip

    return compiled


def warp(
    read: Read,
    compiled: CompiledKernel,
    constants: Mapping[str, object],
    settable: dict[str, Bounds],
    definitions: int = 1,
) -> Kernel:
    """Return the kernel of a warp that reads each pixel of the result from a place of the input."""

    def warped(images: Images, values: Values, context: Context) -> Images:
        height, width = images.shape[1:3]
        grid = np.mgrid[0:height, 0:width][::-1].reshape(2, -1).T + 0.5
        out = np.empty_like(images)
        for row in range(len(images)):
            places = read(grid, float(values[row]), context.row(row), (height, width))
            x, y = (places[:, axis].reshape(1, height, width) for axis in (0, 1))
            out[row] = _read_at(images[row : row + 1], x, y, context)[0]
        return out

    return Kernel(
        warped, read=read, compiled=compiled, constants=constants, settable=settable,
        definitions=definitions,
    )  # fmt: skip


def _read_at(images: Images, x: Values, y: Values, context: Context) -> Images:
    height, width = images.shape[1:3]
    if context.bilinear:
        mode = "edge" if context.outside == "fill" else context.outside
        found = np.floor(interpolate(images, x, y, mode) + 0.5).astype(np.uint8)
    else:
        column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        outside = "edge" if context.outside == "fill" else context.outside
        found = images[:, within(row, height, outside)[0], within(column, width, outside)[0]]
    if context.outside != "fill":
        return found
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside[..., None], found, context.fill)


FAMILY: Family = {
    Operation(
        "Perspective", random=True, label_risk=GONE,
        about="Moves the four corners inwards by random amounts.",
    ): warp(_read_perspective, _by_numbers("perspective", _projections), _PERSPECTIVE,
             {"scale": (0.0, 1.0)}),
    Operation(
        "GridDistortion", random=True,
        about="Stretches the strips of a grid by random factors.",
    ): warp(_read_grid, _by_numbers("grid", _grid_numbers), _GRID,
             {"steps": (1.0, 1000.0), "limit": (-1.0, 10.0), "normalized": (0.0, 1.0)}),
    Operation(
        "OpticalDistortion", random=True,
        about="Bulges or pinches the image, as a lens does.",
    ): warp(_read_optical, _by_numbers("optical", _optical_numbers), _OPTICAL,
             {"limit": (-10.0, 10.0), "mode": ("camera", "fisheye")}),
}  # fmt: skip
