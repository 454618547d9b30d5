"""Operations that bend the image: bilinear always, edges continued."""

from __future__ import annotations

import numpy as np

from automorph.engine.context import Context, Images, Values
from automorph.engine.geometry import interpolate

_CELLS = 4
"""The random field of ``elastic`` has this many cells along each side."""


def read_at(images: Images, x: Values, y: Values) -> Images:
    """Images read at the places ``(m, H, W)``, rounded; pixel centres lie at halves."""
    return np.floor(interpolate(images, x, y) + 0.5).astype(np.uint8)


def _centred(images: Images) -> tuple[Values, Values, float, float]:
    height, width = images.shape[1:3]
    cy, cx = height / 2.0, width / 2.0
    x = np.broadcast_to(np.arange(width) + 0.5 - cx, (height, width))
    y = np.broadcast_to(np.arange(height)[:, None] + 0.5 - cy, (height, width))
    return x, y, cx, cy


def zoom(images: Images, values: Values, step: Context) -> Images:
    """Enlarges about the centre by the factor ``value``; shrinks if it is below 1."""
    x, y, cx, cy = _centred(images)
    factor = values[:, None, None]
    return read_at(images, x / factor + cx, y / factor + cy)


def swirl(images: Images, values: Values, step: Context) -> Images:
    """Turns by ``value exp(-r / R)`` radians, ``R`` half the shorter side.

    Counter-clockwise when positive. At 28 px it is the swirl of TANDA (scikit-image, radius 100).
    """
    x, y, cx, cy = _centred(images)
    fall = np.exp(-np.sqrt(x * x + y * y) / min(cx, cy))
    angle = values[:, None, None] * fall
    cos, sin = np.cos(angle), np.sin(angle)
    return read_at(images, cos * x - sin * y + cx, sin * x + cos * y + cy)


def elastic(images: Images, values: Values, step: Context) -> Images:
    """Moves pixels along a smooth random field, up to about ``value`` times the side.

    The field is a cubic B-spline over 4 x 4 cells whose 7 x 7 control points are uniform in
    [-1, 1]. It stands for the smoothed noise of Simard, Steinkraus and Platt (2003) and needs no
    more numbers for larger images.
    """
    controls = control_points(step)
    points = controls.shape[3]
    height, width = images.shape[1:3]
    moves = []
    for axis, side in ((0, width), (1, height)):
        # Sums of products in a fixed order: a batch and its single images get the same field.
        down, across = splines(height), splines(width)
        lines = np.zeros((len(images), height, points))
        field = np.zeros((len(images), height, width))
        for k in range(points):
            lines += down[:, k, None] * controls[:, axis, k, None, :]
        for k in range(points):
            field += across[:, k] * lines[:, :, k, None]
        moves.append(field * (values * side)[:, None, None])
    x, y, cx, cy = _centred(images)
    return read_at(images, x + cx + moves[0], y + cy + moves[1])


def control_points(step: Context) -> Values:
    """Uniform in [-1, 1], ``(m, 2, 7, 7)``; draws 1 to 49 move along x, 50 to 98 along y."""
    points = _CELLS + 3
    return (2.0 * step.uniform(2 * points * points) - 1.0).reshape(-1, 2, points, points)


def splines(side: int) -> Values:
    """Weights ``(side, 7)`` of the control points at every pixel centre; rows sum to 1."""
    place = (np.arange(side) + 0.5) / side * _CELLS
    cell = np.floor(place).astype(np.int64)
    t = place - cell
    weights = np.zeros((side, _CELLS + 3))
    basis = (
        (1 - t) ** 3,
        3 * t**3 - 6 * t**2 + 4,
        -3 * t**3 + 3 * t**2 + 3 * t + 1,
        t**3,
    )
    for k, part in enumerate(basis):
        weights[np.arange(side), cell + k] = part / 6.0
    return weights
