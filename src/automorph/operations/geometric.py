"""Geometric operations: shears, translations, rotations, flips, padded crops."""

from __future__ import annotations

import math

import numpy as np

from automorph.operations.affine import matrices_of, move
from automorph.operations.kernels import (
    Context,
    Family,
    Images,
    Kernel,
    Matrices,
    Size,
    Values,
    Whole,
    truncated,
)
from automorph.operations.spec import Operation

_MIRROR = "a mirrored object can mean something else (digits, letters, left and right)"
_TURN = "large angles turn some digits and letters into others (6 and 9)"
GONE = "the object can leave the image"


def identity(images: Images, values: Values, context: Context) -> Images:
    """Return the images unchanged."""
    return images.copy()


def _shear_x(values: Values, context: Context, size: Size) -> Matrices:
    # torchvision computes degrees(atan(v)); do the same to match its last bits.
    ratios = [math.tan(math.radians(math.degrees(math.atan(v)))) for v in values]
    return matrices_of(len(values), b=np.array(ratios))


def _shear_y(values: Values, context: Context, size: Size) -> Matrices:
    angles = [math.radians(math.degrees(math.atan(v))) for v in values]
    return matrices_of(len(values), d=np.array([-math.sin(-a) / math.cos(a) for a in angles]))


def pixels(values: Values, context: Context, side: int) -> Whole:
    """Convert values to pixels, truncated towards zero; a share is a share of ``side``."""
    return truncated(values * side if context.operation.unit == "share" else values)


def _translate_x(values: Values, context: Context, size: Size) -> Matrices:
    return matrices_of(len(values), c=-pixels(values, context, size[1]))


def _translate_y(values: Values, context: Context, size: Size) -> Matrices:
    return matrices_of(len(values), f=-pixels(values, context, size[0]))


def _rotate(values: Values, context: Context, size: Size) -> Matrices:
    """Rotate counter-clockwise about the centre: ``Image.rotate`` without its special cases."""
    cy, cx = size[0] / 2.0, size[1] / 2.0
    rows = []
    for value in values:
        angle = -math.radians(float(value) % 360.0)
        cos, sin = round(math.cos(angle), 15), round(math.sin(angle), 15)
        minus = round(-math.sin(angle), 15)
        c = (cos * -cx + sin * -cy) + cx
        f = (minus * -cx + cos * -cy) + cy
        rows.append((cos, sin, c, minus, cos, f))
    return np.array(rows, np.float64).reshape(-1, 6)


def _flip_x(values: Values, context: Context, size: Size) -> Matrices:
    return matrices_of(len(values), a=-1.0, c=float(size[1]))


def _flip_y(values: Values, context: Context, size: Size) -> Matrices:
    return matrices_of(len(values), e=-1.0, f=float(size[0]))


def _pad_crop(values: Values, context: Context, size: Size) -> Matrices:
    """Place the window at ``floor(u * (2 pad + 1))`` along x (draw 1) and y (draw 2)."""
    pad_y, pad_x = (np.rint(values * side).astype(np.int64) for side in size)
    x = context.below(2 * pad_x + 1, draw=1) - pad_x
    y = context.below(2 * pad_y + 1, draw=2) - pad_y
    return matrices_of(len(values), c=x, f=y)


FAMILY: Family = {
    Operation("Identity", identity=0.0, about="Changes nothing."): Kernel(identity, native=0),
    Operation(
        "ShearX", low=-0.99, high=0.99, identity=0, unit="ratio",
        about="Shears horizontally; the value is the tangent of the angle.",
    ): move(_shear_x, native=1),
    Operation(
        "ShearY", low=-0.99, high=0.99, identity=0, unit="ratio",
        about="Shears vertically; the value is the tangent of the angle.",
    ): move(_shear_y, native=2),
    Operation(
        "TranslateX", low=-0.5, high=0.5, identity=0, unit="share", label_risk=GONE,
        about="Shifts the image horizontally by whole pixels (fractions refer to the width).",
    ): move(_translate_x, native=3),
    Operation(
        "TranslateY", low=-0.5, high=0.5, identity=0, unit="share", label_risk=GONE,
        about="Shifts the image vertically by whole pixels (fractions refer to the height).",
    ): move(_translate_y, native=4),
    Operation(
        "Rotate", low=-135, high=135, identity=0, unit="deg", label_risk=_TURN,
        about="Rotates the image about its centre, counter-clockwise if positive.",
    ): move(_rotate, native=5),
    Operation("HorizontalFlip", label_risk=_MIRROR, about="Mirrors the image horizontally."): move(
        _flip_x, native=18
    ),
    Operation("VerticalFlip", label_risk=_MIRROR, about="Mirrors the image vertically."): move(
        _flip_y, native=19
    ),
    Operation(
        "PadCrop", low=0, high=0.25, identity=0, unit="share", random=True,
        about="Pads all sides and crops the original size at a random position.",
    ): move(_pad_crop, native=20),
}  # fmt: skip
