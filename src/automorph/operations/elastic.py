"""Elastic distortion: pixels are displaced by noise smoothed with a Gaussian (Simard et al. 2003).

The second definition computes in single precision, and one random word gives the noise of a pixel
along both axes; the first, in double precision, remains for files that state it.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.native import Rows, packed
from automorph.operations.distortions import warp
from automorph.operations.filters import normal_table
from automorph.operations.kernels import Context, Family, Places, Size, Values, settings_of
from automorph.operations.spec import Operation

_ELASTIC = {"alpha_x": 120.0, "alpha_y": 120.0, "sigma": 6.0, "noise": "normal"}
_LEAST = 1e-6
"""The least of the largest noises of an image, by which all are divided."""

Field = NDArray[np.floating]


def _read(places: Places, value: float, context: Context, size: Size) -> Places:
    """Displace by smoothed noise, the largest of which is 1, times ``alpha`` px."""
    given = settings_of(context.operation, _ELASTIC)
    at = np.clip(places - 0.5, 0, [size[1] - 1, size[0] - 1])
    fields = _double_fields if context.operation.definition == 1 else _fields
    noises, most = fields(context, size)
    found = []
    for axis, noise in enumerate(noises):
        reach = given["alpha_y" if axis else "alpha_x"] / most
        found.append(_between(_smooth(noise, given["sigma"]), at) * reach)
    return np.asarray(places + np.stack(found, axis=1))


def _fields(context: Context, size: Size) -> tuple[NDArray[np.float32], float]:
    """Return noise ``(2, H, W)`` along x and along y, and its largest size."""
    words = context.words(math.prod(size))[0].reshape(size)
    halves = np.stack([words & 0xFFFF, words >> 16])
    if settings_of(context.operation, _ELASTIC)["noise"] == "uniform":
        middle = halves.astype(np.float32) + np.float32(0.5)
        return middle / np.float32(2**15) - np.float32(1), 1.0
    fields = _single_normal_table()[halves]
    return fields, max(float(np.abs(fields).max()), _LEAST)


@cache
def _single_normal_table() -> NDArray[np.float32]:
    return normal_table().astype(np.float32)


def _double_fields(context: Context, size: Size) -> tuple[Values, float]:
    """Return noise ``(2, H, W)`` of the first definition, already divided by its largest size."""
    words = context.words(2 * math.prod(size))[0].reshape(2, *size)
    if settings_of(context.operation, _ELASTIC)["noise"] == "uniform":
        return words / 2.0**31 - 1.0, 1.0
    fields = normal_table()[words >> 16]
    return np.asarray(fields / max(float(np.abs(fields).max()), _LEAST)), 1.0


def _reach(sigma: float) -> int:
    """Return how many neighbours on each side SciPy's Gaussian filter weighs."""
    return int(4.0 * sigma + 0.5)


def _weights(sigma: float) -> Values:
    """Return the weights of SciPy's Gaussian filter, from the centre outwards."""
    reach = _reach(sigma)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(-reach, reach + 1) ** 2)
    return np.asarray((weights / weights.sum())[reach:], np.float64)


def _smooth(field: Field, sigma: float) -> Field:
    """Smooth a field ``(H, W)`` along y and then along x, outermost weights first.

    Edges are replicated. In double precision this is SciPy's ``gaussian_filter``, to the bit.
    """
    weights = _weights(sigma).astype(field.dtype)
    reach = len(weights) - 1
    for axis, side in enumerate(field.shape):
        shown = np.take(field, np.clip(np.arange(-reach, side + reach), 0, side - 1), axis)
        line = np.moveaxis(shown, axis, 0)
        sums = line[reach : reach + side] * weights[0]
        for k in range(reach, 0, -1):
            both = line[reach - k : reach - k + side] + line[reach + k : reach + k + side]
            sums += both * weights[k]
        field = np.moveaxis(sums, 0, axis)
    return field


def _between(field: Field, at: Places) -> Values:
    """Interpolate a field ``(H, W)`` bilinearly at points ``(k, 2)`` inside it."""
    height, width = field.shape
    x0, y0 = np.floor(at[:, 0]).astype(np.int64), np.floor(at[:, 1]).astype(np.int64)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    dx, dy = at[:, 0] - x0, at[:, 1] - y0
    upper = field[y0, x0] * (1 - dx) + field[y0, x1] * dx
    return np.asarray(upper * (1 - dy) + (field[y1, x0] * (1 - dx) + field[y1, x1] * dx) * dy)


def elastic_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Displace by smoothed noise."""
    given = settings_of(context.operation, _ELASTIC)
    normal, first = given["noise"] == "normal", context.operation.definition == 1
    numbers = [given["alpha_x"], given["alpha_y"], float(normal)]
    weights, table = _weights(given["sigma"]), normal_table() if normal else np.empty(0)
    if not first:
        weights, table = (packed(one.astype(np.float32)) for one in (weights, table))
    native.run_step(
        "double-field" if first else "field", rows, np.tile(numbers, (len(rows), 1)),
        shared=np.concatenate([[_reach(given["sigma"])], weights, table]),
        words=context.word_source(), bilinear=context.bilinear, outside=context.outside,
        fill=context.fill,
    )  # fmt: skip


FAMILY: Family = {
    Operation(
        "ElasticTransform", random=True, definition=2,
        about="Displaces pixels by smoothed noise.",
    ): warp(_read, elastic_compiled, _ELASTIC,
            {"alpha_x": (0.0, 1e5), "alpha_y": (0.0, 1e5), "sigma": (0.1, 1000.0),
             "noise": ("normal", "uniform")}, definitions=2),
}  # fmt: skip
