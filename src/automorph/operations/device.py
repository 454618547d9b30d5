"""Helpers for operations on a device: exact arithmetic, random words, resampling (needs torch).

Family files import this module inside the functions that run on a device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from automorph.operations.affine import FARTHEST
from automorph.operations.kernels import DeviceContext, Outside, spread

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = 0xFFFFFFFF
_ROUNDS = 10


def quotient(dividend: Tensor | float, divisor: Tensor | float) -> Tensor:
    """Divide with correct rounding; at least one argument is a tensor.

    For Python numbers torch may multiply by the reciprocal, which differs in the last bit.
    """
    like = divisor if isinstance(divisor, Tensor) else dividend
    assert isinstance(like, Tensor)
    pair = (
        part if isinstance(part, Tensor) else torch.full_like(like, part)
        for part in (dividend, divisor)
    )
    return torch.div(*pair)


def random_words(counters: Tensor, keys: Tensor, *, count: int, draw: int) -> Tensor:
    """Generate words ``(m, count)``, int64 below 2^32, of the position from draw ``draw`` on."""
    blocks = (draw + count + 3) // 4
    c0, c1, c2, c3 = (word[:, None] for word in counters.unbind(1))
    c2 = c2 + torch.arange(blocks, device=counters.device)
    k0, k1 = (key[:, None] for key in keys.unbind(1))
    words = torch.stack(philox((c0, c1, c2, c3), (k0, k1)), dim=-1)
    return words.flatten(1)[:, draw : draw + count]


def philox(
    counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compute Philox 4x32-10 of four counter words and two key words, each int64 below 2^32.

    >>> zero = torch.tensor(0)
    >>> [hex(word) for word in philox((zero,) * 4, (zero,) * 2)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for turn in range(_ROUNDS):
        r0, r1 = (k0 + turn * _W0) & _LOW, (k1 + turn * _W1) & _LOW
        # Signed products wrap around, but their 64 bits are correct.
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (
            ((p1 >> 32) & _LOW) ^ c1 ^ r0,
            p1 & _LOW,
            ((p0 >> 32) & _LOW) ^ c3 ^ r1,
            p0 & _LOW,
        )
    return c0, c1, c2, c3


def nearest(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Resample by nearest neighbour with matrices ``(m, 6)`` in 16.16 fixed point, int32.

    Partial sums may wrap around; if the corners fit into 32 bits, the sums are correct.
    """
    height, width = images.shape[2:]
    across, down = _grid(images, torch.int32)
    a, b, x0, d, e, y0 = arguments[0].T[..., None, None].unbind()
    x, y = (x0 + a * across + b * down) >> 16, (y0 + d * across + e * down) >> 16
    if device.outside != "fill":
        return pick(images, within(y, height, device.outside), within(x, width, device.outside))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = pick(images, y.clamp(0, height - 1), x.clamp(0, width - 1))
    return torch.where(inside[:, None], found, spread(device.fill[None]))


def linear(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Resample bilinearly by matrices ``(m, 6)``; values are truncated."""
    height, width = images.shape[2:]
    across, down = (place + 0.5 for place in _grid(images, device.wide))
    a, b, c, d, e, f = arguments[0].T[..., None, None].unbind()
    x, y = a * across + b * down + c, d * across + e * down + f
    if device.outside != "fill":
        x, y = x.clamp(-FARTHEST, FARTHEST), y.clamp(-FARTHEST, FARTHEST)
        return interpolate(images, x, y, device.outside).to(torch.uint8)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    mixed = interpolate(images, x, y).to(torch.uint8)
    return torch.where(inside[:, None], mixed, spread(device.fill[None]))


def within(place: Tensor, side: int, outside: Outside) -> Tensor:
    """Return the row or column that is shown at a place, as `affine.within` does."""
    if outside == "edge":
        return place.clamp(0, side - 1)
    period = max(2 * (side - 1), 1)
    turned = torch.remainder(place, period)
    return torch.minimum(turned, period - turned)


def interpolate(images: Tensor, x: Tensor, y: Tensor, outside: Outside = "edge") -> Tensor:
    """Interpolate bilinearly at points ``(m, H, W)``: ``(m, C, H, W)``; edges are replicated."""
    height, width = images.shape[2:]
    left, top = torch.floor(x - 0.5), torch.floor(y - 0.5)
    dx, dy = (x - 0.5 - left)[:, None], (y - 0.5 - top)[:, None]
    if outside == "reflect":
        x0, x1 = (within(left.to(torch.int64) + i, width, outside) for i in (0, 1))
        y0, y1 = (within(top.to(torch.int64) + i, height, outside) for i in (0, 1))
    else:
        x0, x1 = (torch.clamp(left + i, 0, width - 1).to(torch.int64) for i in (0, 1))
        y0, y1 = (torch.clamp(top + i, 0, height - 1).to(torch.int64) for i in (0, 1))
    rows = []
    for line in (y0, y1):
        near, far = (pick(images, line, column).to(x.dtype) for column in (x0, x1))
        rows.append(near + (far - near) * dx)
    return rows[0] + (rows[1] - rows[0]) * dy


def pick(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Read pixels ``(y, x)``, each ``(m, H, W)``, of every image: ``(m, C, H, W)``."""
    m, channels, height, width = images.shape
    places = (y * width + x).to(torch.int64).view(m, 1, -1).expand(m, channels, -1)
    return images.reshape(m, channels, -1).gather(2, places).view(m, channels, height, width)


def _grid(images: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the column numbers ``(W,)`` and row numbers ``(H, 1)``."""
    height, width = images.shape[2:]
    across = torch.arange(width, dtype=dtype, device=images.device)
    return across, torch.arange(height, dtype=dtype, device=images.device)[:, None]
