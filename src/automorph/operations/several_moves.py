"""Rotation, translation, scale and shear at once, composed as the libraries compose them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from automorph.operations.affine import move
from automorph.operations.geometric import GONE
from automorph.operations.kernels import (
    Context,
    Family,
    Matrices,
    Matrix,
    Size,
    Values,
    settings_of,
)
from automorph.operations.spec import Operation

_AFFINE = {
    "order": "torchvision",
    "rotate": (-30.0, 30.0),
    "translate_x": (-0.1, 0.1),
    "translate_y": (-0.1, 0.1),
    "scale_x": (0.9, 1.1),
    "scale_y": (0.9, 1.1),
    "same_scale": 1,
    "shear_x": (0.0, 0.0),
    "shear_y": (0.0, 0.0),
    "unit": "share",
}
_ORDERS = ("torchvision", "albumentations", "kornia", "ultralytics")
_DRAWN = ("rotate", "translate_x", "translate_y", "scale_x", "scale_y", "shear_x", "shear_y")


def _affine(values: Values, context: Context, size: Size) -> Matrices:
    """Draw every move from its range (draws 1 to 7, in the order of the constants)."""
    given = settings_of(context.operation, _AFFINE)
    chance = context.uniform(len(_DRAWN))
    ends = [given[name] for name in _DRAWN]
    drawn = np.stack(
        [low + (high - low) * chance[:, k] for k, (low, high) in enumerate(ends)], axis=1
    )
    if given["same_scale"]:
        drawn[:, 4] = drawn[:, 3]
    return np.array(
        [_inverse(row.tolist(), given["order"], given["unit"], size) for row in drawn]
    ).reshape(-1, 6)


def _inverse(row: list[float], order: str, unit: str, size: Size) -> list[float]:
    """Return the map from the result to the input; pixel centres lie at halves."""
    angle, x, y, scale_x, scale_y, shear_x, shear_y = row
    height, width = size
    if unit == "share":
        x, y = x * width, y * height
    if order == "torchvision":
        x, y = round(x), round(y)
    elif order == "albumentations":
        x, y = math.trunc(x), math.trunc(y)
    cx, cy = width / 2.0, height / 2.0
    turn = _turn(angle)
    scale = np.array([[scale_x, 0.0], [0.0, scale_y]])
    if order == "torchvision":
        # Rotation after the shear along y, then the shear along x (its paper's decomposition).
        b = math.radians(shear_y)
        skew = np.array([[1.0, -math.tan(math.radians(shear_x))], [0.0, 1.0]])
        skew = np.array([[1.0, 0.0], [-math.tan(b), 1.0]]) @ skew
        linear = scale_x * turn @ skew
    elif order == "albumentations":
        tan_x, tan_y = (-math.tan(math.radians(s)) for s in (shear_x, shear_y))
        linear = np.array([[1.0, tan_x], [tan_y, 1.0]]) @ turn @ scale
    elif order == "kornia":
        tan_x, tan_y = (math.tan(math.radians(s)) for s in (shear_x, shear_y))
        linear = turn @ scale @ np.array([[1.0, -tan_x], [-tan_y, 1.0 + tan_x * tan_y]])
    else:
        tan_x, tan_y = (math.tan(math.radians(s)) for s in (shear_x, shear_y))
        linear = np.array([[1.0, tan_x], [tan_y, 1.0]]) @ turn @ scale
    (a, b), (d, e) = np.linalg.inv(linear)
    return [
        a, b, cx - a * (cx + x) - b * (cy + y),
        d, e, cy - d * (cx + x) - e * (cy + y),
    ]  # fmt: skip


def _turn(degrees: float) -> Matrices:
    """Return the forward rotation, counter-clockwise as it looks (y points down)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, sin], [-sin, cos]])


_MATRIX: Matrix = _affine

FAMILY: Family = {
    Operation(
        "Affine", random=True, label_risk=GONE,
        about="Rotates, shifts, scales and shears at once, each by an amount from its range.",
    ): replace(
        move(_MATRIX), constants=_AFFINE,
        settable={
            "order": _ORDERS, "unit": ("share", "px"), "same_scale": (0.0, 1.0),
            "rotate": (-360.0, 360.0), "translate_x": (-1e6, 1e6), "translate_y": (-1e6, 1e6),
            "scale_x": (1e-3, 1e3), "scale_y": (1e-3, 1e3),
            "shear_x": (-89.0, 89.0), "shear_y": (-89.0, 89.0),
        },
    ),
}  # fmt: skip
