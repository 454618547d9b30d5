"""Moves of whole images: read through an affine matrix, as ``engine.geometry`` does."""

from __future__ import annotations

import torch
from torch import Tensor

from automorph.engine.torch.kernel import DeviceContext, spread


def nearest(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Nearest neighbours, found through matrices ``(m, 6)`` in 16.16 fixed point, int32.

    Parts of the sums may wrap around; where the corners fit into 32 bits, the sums are right.
    """
    height, width = images.shape[2:]
    across, down = _grid(images, torch.int32)
    a, b, x0, d, e, y0 = arguments[0].T[..., None, None].unbind()
    x, y = (x0 + a * across + b * down) >> 16, (y0 + d * across + e * down) >> 16
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = pick(images, y.clamp(0, height - 1), x.clamp(0, width - 1))
    return torch.where(inside[:, None], found, spread(setting.fill[None]))


def linear(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Bilinear values, cut, at places given by matrices ``(m, 6)``."""
    height, width = images.shape[2:]
    across, down = (place + 0.5 for place in _grid(images, setting.wide))
    a, b, c, d, e, f = arguments[0].T[..., None, None].unbind()
    x, y = a * across + b * down + c, d * across + e * down + f
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    mixed = interpolate(images, x, y).to(torch.uint8)
    return torch.where(inside[:, None], mixed, spread(setting.fill[None]))


def interpolate(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Bilinear values ``(m, C, H, W)`` at places ``(m, H, W)``; edges are continued."""
    height, width = images.shape[2:]
    left, top = torch.floor(x - 0.5), torch.floor(y - 0.5)
    dx, dy = (x - 0.5 - left)[:, None], (y - 0.5 - top)[:, None]
    x0, x1 = (torch.clamp(left + i, 0, width - 1).to(torch.int64) for i in (0, 1))
    y0, y1 = (torch.clamp(top + i, 0, height - 1).to(torch.int64) for i in (0, 1))
    rows = []
    for line in (y0, y1):
        near, far = (pick(images, line, column).to(x.dtype) for column in (x0, x1))
        rows.append(near + (far - near) * dx)
    return rows[0] + (rows[1] - rows[0]) * dy


def pick(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The values ``(m, C, H, W)`` of the pixels ``(y, x)``, each ``(m, H, W)``, of every image."""
    m, channels, height, width = images.shape
    places = (y * width + x).to(torch.int64).view(m, 1, -1).expand(m, channels, -1)
    return images.reshape(m, channels, -1).gather(2, places).view(m, channels, height, width)


def _grid(images: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The columns ``(W,)`` and the rows ``(H, 1)``."""
    height, width = images.shape[2:]
    across = torch.arange(width, dtype=dtype, device=images.device)
    return across, torch.arange(height, dtype=dtype, device=images.device)[:, None]
