"""Operations that bend the image, as ``engine.warps`` has them: bilinear, edges continued."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from automorph.engine.context import Context, Values
from automorph.engine.torch.affine import interpolate
from automorph.engine.torch.kernel import Arguments, DeviceContext, Size
from automorph.engine.warps import control_points, splines


def draw_values(values: Values, step: Context, size: Size) -> Arguments:
    """The values themselves."""
    return (values,)


def zoom(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Enlarges about the centre by a factor."""
    x, y, cx, cy = _centred(images, setting)
    factor = arguments[0][:, None, None]
    return _read_at(images, x / factor + cx, y / factor + cy)


def swirl(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Turns by an angle that falls off from the centre."""
    x, y, cx, cy = _centred(images, setting)
    fall = torch.exp(-torch.sqrt(x * x + y * y) / min(cx, cy))
    angle = arguments[0][:, None, None] * fall
    cos, sin = torch.cos(angle), torch.sin(angle)
    return _read_at(images, cos * x - sin * y + cx, sin * x + cos * y + cy)


def draw_field(values: Values, step: Context, size: Size) -> Arguments:
    """The control points ``(m, 2, 7, 7)`` of the random field, and how far it moves, ``(m, 2)``."""
    height, width = size
    reach = values[:, None] * (width, height)
    return control_points(step), reach


def elastic(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Moves pixels along a smooth random field."""
    controls, reach = arguments
    m, _, height, width = images.shape
    down = _splines(height, images.device, setting.wide)
    across = _splines(width, images.device, setting.wide)
    moved = []
    for axis in (0, 1):
        # In the order of the reference path, so that sums are equal to the last bit.
        lines = torch.zeros((m, height, controls.shape[3]), dtype=setting.wide, device=down.device)
        field = torch.zeros((m, height, width), dtype=setting.wide, device=down.device)
        for k in range(controls.shape[2]):
            lines += down[:, k, None] * controls[:, axis, k, None, :]
        for k in range(controls.shape[3]):
            field += across[:, k] * lines[:, :, k, None]
        moved.append(field * reach[:, axis, None, None])
    x, y, cx, cy = _centred(images, setting)
    return _read_at(images, x + cx + moved[0], y + cy + moved[1])


@lru_cache(maxsize=64)
def _splines(side: int, device: torch.device, wide: torch.dtype) -> Tensor:
    return torch.from_numpy(splines(side)).to(wide).to(device)


def _read_at(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.floor(interpolate(images, x, y) + 0.5).to(torch.uint8)


def _centred(images: Tensor, setting: DeviceContext) -> tuple[Tensor, Tensor, float, float]:
    height, width = images.shape[2:]
    cy, cx = height / 2.0, width / 2.0
    x = torch.arange(width, dtype=setting.wide, device=images.device) + 0.5 - cx
    y = torch.arange(height, dtype=setting.wide, device=images.device)[:, None] + 0.5 - cy
    return x.expand(height, width), y.expand(height, width), cx, cy
