"""ResNet-9, the network of fast CIFAR-10 training.

David Page, "How to train your ResNet" (2018), part 4: a stem and three stages of one convolution
and a pooling each, the first and last followed by a residual block of two convolutions.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus the branch's output."""
        return x + cast(Tensor, self.branch(x))


class Scale(nn.Module):
    """Logits times a constant, as in the original (0.125), which keeps the first losses small."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Multiply."""
        return x * self.factor


def build(
    channels: int, classes: int, size: tuple[int, int], *, width: int = 64, stride: int = 1
) -> nn.Module:
    """Build ResNet-9 with stages of w, 2w, 4w and 8w channels; w = 64 is published (6.6M weights).

    Works from 8x8 pixels up. With a stride s the stem reduces the image by s (a convolution of
    2s x 2s), so that images of 64 pixels cost with s = 2 what 32 pixels cost without.
    """
    w = width
    return nn.Sequential(
        _conv(channels, w, kernel=3 if stride == 1 else 2 * stride, stride=stride),
        _conv(w, 2 * w, pool=True),
        Residual(nn.Sequential(_conv(2 * w, 2 * w), _conv(2 * w, 2 * w))),
        _conv(2 * w, 4 * w, pool=True),
        _conv(4 * w, 8 * w, pool=True),
        Residual(nn.Sequential(_conv(8 * w, 8 * w), _conv(8 * w, 8 * w))),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(8 * w, classes, bias=False),
        Scale(0.125),
    )


def _conv(
    before: int, after: int, *, kernel: int = 3, stride: int = 1, pool: bool = False
) -> nn.Sequential:
    padding = (kernel - stride) // 2  # The side is divided by the stride.
    layers: list[nn.Module] = [
        nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []))
