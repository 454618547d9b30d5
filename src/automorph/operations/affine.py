"""Affine maps of whole images: one matrix per image, one function that resamples.

A matrix ``(a, b, c, d, e, f)`` maps a point of the *result* to the point of the input that it is
read from, ``(a x + b y + c, d x + e y + f)``; pixel centres lie at halves. Matrices and arithmetic
are those of torchvision on PIL images, so results are pixel-identical: nearest neighbours are
computed in 16.16 fixed point if all corners fit into it, and otherwise by adding floats up;
bilinear values are truncated, not rounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.native import Rows, run_step
from automorph.operations.kernels import (
    Context,
    Images,
    Kernel,
    Matrices,
    Matrix,
    Outside,
    Values,
    Whole,
)

_FIXED_LIMIT = 32768.0
FARTHEST = 2.0**30
"""Coordinates are clipped to this distance where pixels outside the image are repeated."""


def move(matrix: Matrix, *, native: int | None = None) -> Kernel:
    """Make the kernel of an operation that maps the image through a matrix."""

    def moved(images: Images, values: Values, context: Context) -> Images:
        matrices = matrix(values, context, (images.shape[1], images.shape[2]))
        return resample(
            images, matrices, fill=context.fill, bilinear=context.bilinear, outside=context.outside
        )

    def compiled(rows: Rows, values: Values, context: Context) -> None:
        matrices = matrix(values, context, (rows.shape[1], rows.shape[2]))
        run_step(
            "move", rows, matrices,
            bilinear=context.bilinear, outside=context.outside, fill=context.fill,
        )  # fmt: skip

    return Kernel(moved, matrix=matrix, native=native, compiled=compiled)


def matrices_of(
    n: int,
    a: float = 1.0,
    b: float | Values = 0.0,
    c: float | Values | Whole = 0.0,
    d: float | Values = 0.0,
    e: float = 1.0,
    f: float | Values | Whole = 0.0,
) -> Matrices:
    """Build ``n`` matrices; each entry is one number for all or one number each."""
    out = np.empty((n, 6))
    for column, value in enumerate((a, b, c, d, e, f)):
        out[:, column] = value
    return out


def compose(first: Matrices, then: Matrices) -> Matrices:
    """Compose two maps ``(m, 6)``, applied one after the other, so that they resample once."""
    # Points are mapped from the result back to the input, so the later matrix comes first.
    a, b, c, d, e, f = first.T
    p, q, r, s, t, u = then.T
    upper = a * p + b * s, a * q + b * t, a * r + b * u + c
    lower = d * p + e * s, d * q + e * t, d * r + e * u + f
    return np.stack([*upper, *lower], axis=1)


def unmoved(n: int) -> Matrices:
    """Return ``n`` identity matrices."""
    return matrices_of(n)


def resample(
    images: Images,
    matrices: Matrices,
    *,
    fill: Images,
    bilinear: bool,
    outside: Outside = "fill",
) -> Images:
    """Resample every image ``(m, H, W, C)`` by its matrix; ``fill`` ``(C,)`` fills the outside.

    ``outside`` "edge" repeats the pixels of the edge there instead, and "reflect" mirrors the image
    about them.
    """
    read = _linear if bilinear else _nearest
    return read(images, matrices, fill, outside)


def within(place: Whole, side: int, outside: Outside) -> Whole:
    """Return the row or column that is shown at a place, which may lie outside the image.

    >>> within(np.array([-2, -1, 0, 3, 4, 5]), 4, "reflect").tolist()
    [2, 1, 0, 3, 2, 1]
    """
    if outside == "edge":
        return np.clip(place, 0, side - 1)
    period = max(2 * (side - 1), 1)
    turned = place % period
    return np.asarray(np.minimum(turned, period - turned))


def _nearest(images: Images, matrices: Matrices, fill: Images, outside: Outside) -> Images:
    height, width = images.shape[1:3]
    x, y = _places(images, matrices)
    if outside != "fill":
        x, y = (np.clip(place, -int(FARTHEST), int(FARTHEST)) for place in (x, y))
        return _gather(images, within(y, height, outside), within(x, width, outside))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside[..., None], _gather(images, y, x), fill)


def _places(images: Images, matrices: Matrices) -> tuple[Whole, Whole]:
    """Compute the pixels ``(x, y)``, each ``(m, H, W)``, that the results are read from."""
    height, width = images.shape[1:3]
    across, down = np.arange(width), np.arange(height)[:, None]
    a, b, x0, d, e, y0 = fixed_point(matrices).T[..., None, None]
    x, y = (x0 + a * across + b * down) >> 16, (y0 + d * across + e * down) >> 16
    # PIL uses float sums for shifts and flips too; for whole pixels both ways agree.
    for row in np.flatnonzero(~fits_fixed_point(matrices, height, width)):
        x[row], y[row] = _walk(matrices[row], height, width)
    return x, y


def fits_fixed_point(matrices: Matrices, height: int, width: int) -> NDArray[np.bool_]:
    """Test whether all corners fit into 16.16 fixed point, bool ``(m,)``."""
    fits = np.ones(len(matrices), bool)
    for corner_x, corner_y in ((0, 0), (width, height), (0, height), (width, 0)):
        for a, b, c in (matrices.T[:3], matrices.T[3:]):
            fits &= np.abs(corner_x * a + corner_y * b + c) < _FIXED_LIMIT
    return fits


def fixed_point(matrices: Matrices) -> Whole:
    """Convert ``(m, 6)`` to 16.16 fixed point; offsets become the position of the first pixel."""
    places = matrices.copy()
    for shift, slopes in ((2, (0, 1)), (5, (3, 4))):
        for slope in slopes:
            places[:, shift] += matrices[:, slope] * 0.5
    return np.floor(places * 65536.0 + 0.5).astype(np.int64)


def _walk(matrix: Matrices, height: int, width: int) -> tuple[Whole, Whole]:
    """Compute positions as running float sums, in PIL's order of addition."""
    a, b, c, d, e, f = matrix

    def run(start: float, down: float, across: float) -> Whole:
        table = np.empty((height, width))
        table[0, 0], table[1:, 0], table[:, 1:] = start, down, across
        table[:, 0] = np.add.accumulate(table[:, 0])
        return np.floor(np.add.accumulate(table, axis=1)).astype(np.int64)

    return run(c + b * 0.5 + a * 0.5, b, a), run(f + e * 0.5 + d * 0.5, e, d)


def _linear(images: Images, matrices: Matrices, fill: Images, outside: Outside) -> Images:
    height, width = images.shape[1:3]
    across, down = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    a, b, c, d, e, f = (v[:, None, None] for v in matrices.T)
    x, y = a * across + b * down + c, d * across + e * down + f
    if outside != "fill":
        x, y = (np.clip(place, -FARTHEST, FARTHEST) for place in (x, y))
        return interpolate(images, x, y, outside).astype(np.uint8)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    mixed = interpolate(images, x, y).astype(np.uint8)
    return np.where(inside[..., None], mixed, fill)


def interpolate(images: Images, x: Values, y: Values, outside: Outside = "edge") -> Values:
    """Interpolate bilinearly at points ``(m, H, W)``: ``(m, H, W, C)``; edges are replicated."""
    height, width = images.shape[1:3]
    left, top = np.floor(x - 0.5), np.floor(y - 0.5)
    dx, dy = (x - 0.5 - left)[..., None], (y - 0.5 - top)[..., None]
    if outside == "reflect":
        x0, x1 = (within(left.astype(np.int64) + i, width, outside) for i in (0, 1))
        y0, y1 = (within(top.astype(np.int64) + i, height, outside) for i in (0, 1))
    else:
        x0, x1 = (np.clip(left + i, 0, width - 1).astype(np.int64) for i in (0, 1))
        y0, y1 = (np.clip(top + i, 0, height - 1).astype(np.int64) for i in (0, 1))
    rows = []
    for line in (y0, y1):
        near = _gather(images, line, x0).astype(np.float64)
        rows.append(near + (_gather(images, line, x1) - near) * dx)
    return rows[0] + (rows[1] - rows[0]) * dy


def _gather(images: Images, y: Whole, x: Whole) -> Images:
    n, height, width, channels = images.shape
    flat = (np.arange(n)[:, None, None] * height + y) * width + x
    found: Images = images.reshape(-1, channels).take(flat, axis=0, mode="clip")
    return found
