"""A small convolutional network for 8 to 28 pixels: fast on a CPU, good with few examples."""

from __future__ import annotations

from torch import nn

SMALLEST = 3
"""The side of the smallest feature map; a smaller one has no interior for a 3x3 filter."""
MOST = 4


def build(channels: int, classes: int, size: tuple[int, int], *, width: int = 16) -> nn.Module:
    """Build a convolution to w channels, then stages of two convolutions with 2w, 4w, 8w channels.

    Each stage halves the side first (except the first stage of images below 16 pixels), as long as
    3 pixels remain; the last map is averaged. So 28 pixels make three stages of 14, 7 and 3 pixels
    (0.3M weights), 8 pixels two of 8 and 4. Works for any size.
    """
    side = min(size)
    layers = _conv(channels, width)
    before, halve = width, side >= 16
    side = side // 2 if halve else side
    for stage in range(MOST):
        after = width * 2 ** (stage + 1)
        layers += [nn.MaxPool2d(2)] if halve else []
        layers += [*_conv(before, after), *_conv(after, after)]
        before, halve, side = after, True, side // 2
        if side < SMALLEST:
            break
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def _conv(before: int, after: int) -> list[nn.Module]:
    # Batch normalisation has its own shift, so the convolution needs no bias.
    return [
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]
