"""Warps: zoom, swirl and elastic deformation; always bilinear, with replicated edges."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from automorph import native
from automorph.native import Rows
from automorph.operations.affine import interpolate
from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Family,
    Images,
    Kernel,
    Places,
    Size,
    Values,
    the_values,
)
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_CELLS = 4
"""The number of cells of the random field of ``elastic`` along each side."""


def read_at(images: Images, x: Values, y: Values) -> Images:
    """Sample images at points ``(m, H, W)``, rounded; pixel centres lie at halves."""
    return np.floor(interpolate(images, x, y) + 0.5).astype(np.uint8)


def _centred(images: Images) -> tuple[Values, Values, float, float]:
    height, width = images.shape[1:3]
    cy, cx = height / 2.0, width / 2.0
    x = np.broadcast_to(np.arange(width) + 0.5 - cx, (height, width))
    y = np.broadcast_to(np.arange(height)[:, None] + 0.5 - cy, (height, width))
    return x, y, cx, cy


def _read_at_on_device(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    import torch

    from automorph.operations.device import interpolate

    return torch.floor(interpolate(images, x, y) + 0.5).to(torch.uint8)


def _centred_on_device(
    images: Tensor, device: DeviceContext
) -> tuple[Tensor, Tensor, float, float]:
    import torch

    height, width = images.shape[2:]
    cy, cx = height / 2.0, width / 2.0
    x = torch.arange(width, dtype=device.wide, device=images.device) + 0.5 - cx
    y = torch.arange(height, dtype=device.wide, device=images.device)[:, None] + 0.5 - cy
    return x.expand(height, width), y.expand(height, width), cx, cy


def zoom(images: Images, values: Values, context: Context) -> Images:
    """Enlarge about the centre by the factor ``value``, or shrink if it is below 1."""
    x, y, cx, cy = _centred(images)
    factor = values[:, None, None]
    return read_at(images, x / factor + cx, y / factor + cy)


def zoom_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Enlarge about the centre."""
    native.run_step("zoom", rows, values)


def zoom_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Enlarge about the centre by a factor."""
    x, y, cx, cy = _centred_on_device(images, device)
    factor = arguments[0][:, None, None]
    return _read_at_on_device(images, x / factor + cx, y / factor + cy)


def _read_zoom(places: Places, value: float, context: Context, size: Size) -> Places:
    centre = np.array([size[1] / 2.0, size[0] / 2.0])
    return np.asarray((places - centre) / value + centre)


def swirl(images: Images, values: Values, context: Context) -> Images:
    """Rotate by ``value exp(-r / R)`` radians, where ``R`` is half the shorter side.

    Counter-clockwise if positive. At 28 px it is the swirl of TANDA (scikit-image, radius 100).
    """
    x, y, cx, cy = _centred(images)
    fall = np.exp(-np.sqrt(x * x + y * y) / min(cx, cy))
    angle = values[:, None, None] * fall
    cos, sin = np.cos(angle), np.sin(angle)
    return read_at(images, cos * x - sin * y + cx, sin * x + cos * y + cy)


@lru_cache(maxsize=16)
def _falls(height: int, width: int) -> tuple[Values, Values]:
    """Compute ``exp(-r / R)`` for each radius in the upper left quarter; the others mirror it.

    Also returns the number of each pixel's radius there, int32, packed: sines and cosines take the
    most time, and only a third of the radii differ.
    """
    cy, cx = height / 2.0, width / 2.0
    x = np.arange((width + 1) // 2) + 0.5 - cx
    y = np.arange((height + 1) // 2)[:, None] + 0.5 - cy
    fall = np.exp(-np.sqrt(x * x + y * y) / min(cx, cy))
    radii, number = np.unique(fall, return_inverse=True)
    return radii, native.packed(number.astype(np.int32))


def swirl_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Rotate by an angle that decreases with the distance from the centre."""
    falls, numbers = _falls(*rows.shape[1:3])
    angle = values[:, None] * falls
    turns = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    native.run_step("swirl", rows, turns, shared=numbers)


def swirl_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Rotate by an angle that decreases with the distance from the centre."""
    import torch

    x, y, cx, cy = _centred_on_device(images, device)
    fall = torch.exp(-torch.sqrt(x * x + y * y) / min(cx, cy))
    angle = arguments[0][:, None, None] * fall
    cos, sin = torch.cos(angle), torch.sin(angle)
    return _read_at_on_device(images, cos * x - sin * y + cx, sin * x + cos * y + cy)


def _read_swirl(places: Places, value: float, context: Context, size: Size) -> Places:
    cy, cx = size[0] / 2.0, size[1] / 2.0
    x, y = places[:, 0] - cx, places[:, 1] - cy
    angle = value * np.exp(-np.sqrt(x * x + y * y) / min(cx, cy))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x - sin * y + cx, sin * x + cos * y + cy], axis=1)


def elastic(images: Images, values: Values, context: Context) -> Images:
    """Displace pixels along a smooth random field, by up to about ``value`` times the side.

    The field is a cubic B-spline over 4 x 4 cells whose 7 x 7 control points are uniform in
    [-1, 1]. It replaces the smoothed noise of Simard, Steinkraus and Platt (2003), and larger
    images need no more random numbers.
    """
    controls = control_points(context)
    points = controls.shape[3]
    height, width = images.shape[1:3]
    moves = []
    for axis, side in ((0, width), (1, height)):
        # Sum in a fixed order, so that an image gets the same field alone and in a batch.
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


def elastic_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Displace pixels along a smooth random field."""
    height, width = rows.shape[1:3]
    reach = values[:, None] * np.array([width, height])
    numbers = np.concatenate([reach, control_points(context).reshape(len(rows), -1)], axis=1)
    native.run_step("elastic", rows, numbers, shared=_both_splines(height, width))


@lru_cache(maxsize=16)
def _both_splines(height: int, width: int) -> Values:
    return np.concatenate([splines(height).ravel(), splines(width).ravel()])


def control_points(context: Context) -> Values:
    """Draw control points in [-1, 1], ``(m, 2, 7, 7)``: x from draws 1 to 49, y from 50 to 98."""
    points = _CELLS + 3
    return (2.0 * context.uniform(2 * points * points) - 1.0).reshape(-1, 2, points, points)


def splines(side: int) -> Values:
    """Compute weights ``(side, 7)`` of the control points at each pixel centre; rows sum to 1."""
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


def _field(values: Values, context: Context, size: Size) -> Arguments:
    """Return the random field's control points ``(m, 2, 7, 7)`` and amplitude ``(m, 2)``."""
    height, width = size
    reach = values[:, None] * (width, height)
    return control_points(context), reach


def elastic_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Displace pixels along a smooth random field."""
    import torch

    controls, reach = arguments
    m, _, height, width = images.shape
    down = _splines_on_device(height, images.device, device.wide)
    across = _splines_on_device(width, images.device, device.wide)
    moved = []
    for axis in (0, 1):
        # Sum in the order of the reference path, so that results are bit-identical.
        lines = torch.zeros((m, height, controls.shape[3]), dtype=device.wide, device=down.device)
        field = torch.zeros((m, height, width), dtype=device.wide, device=down.device)
        for k in range(controls.shape[2]):
            lines += down[:, k, None] * controls[:, axis, k, None, :]
        for k in range(controls.shape[3]):
            field += across[:, k] * lines[:, :, k, None]
        moved.append(field * reach[:, axis, None, None])
    x, y, cx, cy = _centred_on_device(images, device)
    return _read_at_on_device(images, x + cx + moved[0], y + cy + moved[1])


@lru_cache(maxsize=64)
def _splines_on_device(side: int, device: torch.device, wide: torch.dtype) -> Tensor:
    import torch

    return torch.from_numpy(splines(side)).to(wide).to(device)


def _read_elastic(places: Places, value: float, context: Context, size: Size) -> Places:
    controls = control_points(context)[0]
    height, width = size
    down, across = (_between(splines(s), places[:, a]) for s, a in ((height, 1), (width, 0)))
    moves = [np.einsum("ka,ab,kb->k", down, controls[axis], across) for axis in (0, 1)]
    bent = np.stack([moves[0] * value * width, moves[1] * value * height], axis=1)
    return np.asarray(places + bent)


def _between(weights: Values, place: Values) -> Values:
    """Interpolate weights between pixel centres; edges are replicated."""
    last = len(weights) - 1
    at = np.clip(place - 0.5, 0, last)
    lower = np.minimum(np.floor(at).astype(np.int64), max(last - 1, 0))
    share = (at - lower)[:, None]
    return np.asarray((1 - share) * weights[lower] + share * weights[np.minimum(lower + 1, last)])


_BENT = {"interpolation": "bilinear", "edges": "replicate"}

FAMILY: Family = {
    Operation(
        "Zoom", low=0.5, high=2, identity=1, unit="factor",
        about="Enlarges or shrinks about the centre; edges are replicated.",
    ): Kernel(zoom, zoom_on_device, the_values, read=_read_zoom, straight=True,
              compiled=zoom_compiled, constants=_BENT),
    Operation(
        "Swirl", low=-2, high=2, identity=0, unit="strength",
        about="Rotates by an angle that decreases with the distance from the centre.",
    ): Kernel(swirl, swirl_on_device, the_values, read=_read_swirl, compiled=swirl_compiled,
              constants=_BENT),
    Operation(
        "Elastic", low=0, high=0.2, identity=0, unit="share", random=True,
        about="Displaces pixels along a smooth random field (amplitude as a fraction of the side).",
    ): Kernel(elastic, elastic_on_device, _field, read=_read_elastic,
              compiled=elastic_compiled, constants={**_BENT, "cells": _CELLS}),
}  # fmt: skip
