"""Shake-Shake networks.

Gastaldi, "Shake-Shake regularization" (2017), section 2: two branches in every residual block,
mixed by random shares that differ between forward and backward pass, and between images.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from automorph.models.init import he_initialised


def shake(first: Tensor, second: Tensor) -> Tensor:
    """Return a x1 + (1 - a) x2; backward uses b instead of a; a, b ~ U(0, 1) for each image.

    (Gastaldi 2017, equation 2 and section 2.3, "Shake-Shake-Image".)
    """
    shape = (len(first), *[1] * (first.ndim - 1))
    a, b = torch.rand((2, *shape), device=first.device, dtype=first.dtype)
    # The detached term sets the values; only b has a gradient.
    mixed: Tensor = torch.lerp(second, first, b) + ((a - b) * (first - second)).detach()
    return mixed


class Shortcut(nn.Module):
    """Halve the side: every other pixel, and those shifted by one, each projected by 1x1."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.here = nn.Conv2d(before, after // 2, 1, bias=False)
        self.there = nn.Conv2d(before, after // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w) to (n, after, h / 2, w / 2)."""
        active = relu(x)
        here = active[:, :, ::2, ::2]
        there = pad(active[:, :, 1:, 1:], (0, 1, 0, 1))[:, :, ::2, ::2]
        return cast(Tensor, self.norm(torch.cat([self.here(here), self.there(there)], dim=1)))


class ShakeBlock(nn.Module):
    """x + shake(branch(x), branch(x)); in evaluation mode the branches are averaged."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = _branch(before, after, stride)
        self.second = _branch(before, after, stride)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1:
            self.shortcut = Shortcut(before, after)
        elif before != after:
            self.shortcut = nn.Sequential(
                nn.ReLU(), nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w) to (n, after, h / stride, w / stride)."""
        first, second = self.first(x), self.second(x)
        mixed = shake(first, second) if self.training else 0.5 * (first + second)
        return mixed + cast(Tensor, self.shortcut(x))


def build(channels: int, classes: int, size: tuple[int, int], *, width: int) -> nn.Module:
    """Build Shake-Shake 26 2xWd: three stages of four blocks with w, 2w and 4w channels.

    2x32d has 2.9M weights, 2x64d 11.7M, 2x96d 26.2M (table 1 of the paper).
    """
    blocks, before = list[nn.Module](), 16
    for after, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
        blocks += [
            ShakeBlock(before, after, stride),
            *(ShakeBlock(after, after, 1) for _ in range(3)),
        ]
        before = after
    model = nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        *blocks,
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(before, classes),
    )
    return he_initialised(model)


def _branch(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        # Not in place: the branches share their input.
        nn.ReLU(),
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
    )
