"""The networks that were released with model patching (Goel, Gu, Li and Ré 2021).

They are those of pix2pix (Isola et al., CVPR 2017) in Keras: batch normalisation with its defaults,
leaky rectifiers of slope 0.3, and padding that keeps half of a size, rounded up.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from automorph.errors import UsageError

SLOPE = 0.3
DEVIATION = 0.02
SMALLEST, LARGEST = 17, 256
"""Sides of images in pixels: smaller ones leave the discriminator no patch."""
WIDEST = 512


class ReleasedGenerator(nn.Module):
    """A U-Net from images to images of the same size, both in [-1, 1], down to a map of one pixel.

    Sides are padded with 0 to a power of two. All levels but the first are normalised by the
    statistics of the batch (in evaluation mode, by their running mean). Images of 128 pixels have
    dropout in the first two levels upwards, those of 256 in three, those of up to 32 in none.
    """

    def __init__(self, channels: int, side: int, *, width: int) -> None:
        super().__init__()
        _check_side(side)
        self.whole = 1 << (side - 1).bit_length()
        levels = self.whole.bit_length() - 1
        widths = [min(width * 2**level, WIDEST) for level in range(levels)]
        self.down = nn.ModuleList(
            _down(before, after, normalised=level > 0)
            for level, (before, after) in enumerate(
                zip((channels, *widths[:-1]), widths, strict=True)
            )
        )
        self.up = nn.ModuleList()
        before = widths[-1]
        for number, after in enumerate(reversed(widths[:-1])):
            self.up.append(_up(before, after, dropout=number < levels - 5))
            before = 2 * after  # The level on the way down is appended.
        self.last = nn.ConvTranspose2d(before, channels, 4, 2, 1)
        self.apply(_first_weights)

    def forward(self, x: Tensor) -> Tensor:
        """Translate float ``(n, C, H, W)``."""
        height, width = x.shape[-2:]
        left, top = (self.whole - width) // 2, (self.whole - height) // 2
        y = functional.pad(x, (left, self.whole - width - left, top, self.whole - height - top))
        seen: list[Tensor] = []
        for layer in self.down:
            y = layer(y)
            seen.append(y)
        for layer, twin in zip(self.up, reversed(seen[:-1]), strict=True):
            y = torch.cat([layer(y), twin], dim=1)
        y = torch.tanh(self.last(y))
        return y[..., top : top + height, left : left + width]


class ReleasedDiscriminator(nn.Module):
    """A PatchGAN of three convolutions of stride 2 for every size of images."""

    def __init__(self, channels: int, side: int, *, width: int) -> None:
        super().__init__()
        _check_side(side)
        self.down = nn.Sequential(
            _down(channels, width, normalised=False),
            _down(width, 2 * width),
            _down(2 * width, 4 * width),
        )
        self.head = nn.Sequential(
            nn.Conv2d(4 * width, 8 * width, 4, 1, 1, bias=False),
            _norm(8 * width),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(8 * width, 1, 4, 1, 1),
        )
        self.apply(_first_weights)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(n, 1, h, w)``, one per patch."""
        return cast(Tensor, self.head(self.down(x)))


class _Halving(nn.Conv2d):
    """A convolution whose output has half the size, rounded up, as with Keras' ``same``."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 4, 2, 0, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        return super().forward(functional.pad(x, (1, 1 + width % 2, 1, 1 + height % 2)))


def _down(before: int, after: int, *, normalised: bool = True) -> nn.Sequential:
    norm: list[nn.Module] = [_norm(after)] if normalised else []
    return nn.Sequential(_Halving(before, after), *norm, nn.LeakyReLU(SLOPE))


def _up(before: int, after: int, *, dropout: bool) -> nn.Sequential:
    drop: list[nn.Module] = [nn.Dropout(0.5)] if dropout else []
    conv = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
    return nn.Sequential(conv, _norm(after), *drop, nn.ReLU())


def _norm(channels: int) -> nn.BatchNorm2d:
    # Keras' epsilon, and its momentum of 0.99 for the running mean.
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _check_side(side: int) -> None:
    if not SMALLEST <= side <= LARGEST:
        raise UsageError(
            f"CycleGAN: got images of {side} pixels for the released networks; expected "
            f"{SMALLEST} to {LARGEST}: resize the images, or set networks='compact'"
        )


def _first_weights(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=DEVIATION)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
