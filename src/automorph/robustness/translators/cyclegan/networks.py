"""The generator (a U-Net) and the discriminator (a PatchGAN) of a CycleGAN, for 8 to 256 pixels.

Isola, Zhu, Zhou, Efros (CVPR 2017), section 3.2; Zhu et al. (ICCV 2017), section 7.1.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
"""Slope of leaky rectifiers, as in the original CycleGAN."""
DEVIATION = 0.02
"""Standard deviation of initial weights, N(0, 0.02) (Zhu et al. 2017, section 7.1)."""


class ImageGenerator(nn.Module):
    """A U-Net from images to images of the same size, both in [-1, 1].

    4x4 convolutions of stride 2 lead down to a map of 2 pixels, transposed ones up again, and every
    level on the way up also receives its twin on the way down (Isola et al. 2017, section 3.2.1).
    Sides that are not a power of two are padded. Normalisation is over groups of channels of *one*
    image, so a translation does not depend on the other images of the batch.

    With ``residual`` the network adds a change to the image, min(1, max(-1, x + 2 tanh(f(x)))),
    and starts as the identity: only the edit is learned.
    """

    def __init__(
        self,
        channels: int,
        side: int,
        *,
        width: int = 16,
        residual: bool = True,
        outputs: int | None = None,
    ) -> None:
        super().__init__()
        self.residual = residual
        self.whole = 1 << max(side - 1, 4).bit_length()
        levels = self.whole.bit_length() - 2
        widths = [width * min(2**level, 8) for level in range(levels)]
        self.down = nn.ModuleList()
        before = channels
        for level, after in enumerate(widths):
            # Neither the first nor the 2-pixel map is normalised: the first would lose the
            # brightness of the image, the other has too few values for statistics.
            plain = level in (0, levels - 1)
            self.down.append(_down(before, after, normalised=not plain))
            before = after
        self.up = nn.ModuleList()
        for level in range(levels - 1, 0, -1):
            twin = 0 if level == levels - 1 else widths[level]
            self.up.append(_up(before + twin, widths[level - 1]))
            before = widths[level - 1]
        self.last = nn.ConvTranspose2d(before + widths[0], outputs or channels, 4, 2, 1)
        self.apply(_first_weights)
        if residual:
            nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Translate float ``(n, C, H, W)``."""
        y = torch.tanh(self.raw(x))
        return (x + 2 * y).clamp(-1, 1) if self.residual else y

    def raw(self, x: Tensor) -> Tensor:
        """Return the output of the last convolution ``(n, outputs, H, W)``."""
        height, width = x.shape[-2:]
        gaps = (self.whole - width, self.whole - height)
        pads = (gaps[0] // 2, gaps[0] - gaps[0] // 2, gaps[1] // 2, gaps[1] - gaps[1] // 2)
        # Repeat the edge: padding with -1 would put a black frame around photographs.
        y = functional.pad(x, pads, mode="replicate") if any(pads) else x
        seen: list[Tensor] = []
        for layer in self.down:
            y = layer(y)
            seen.append(y)
        seen.pop()
        for number, layer in enumerate(self.up):
            y = layer(y if number == 0 else torch.cat([y, seen.pop()], 1))
        raw: Tensor = self.last(torch.cat([y, seen.pop()], 1))
        return raw[..., pads[2] : pads[2] + height, pads[0] : pads[0] + width]


class PatchDiscriminator(nn.Module):
    """A PatchGAN: a map of logits, one per patch (Isola et al. 2017, section 3.2).

    ``depth`` convolutions of stride 2, one of stride 1 and one to a single channel. Depth 3 is the
    published one (patches of 70 pixels); 2 has patches of 34 pixels, enough for up to 32 pixels.
    """

    def __init__(self, channels: int, *, width: int = 32, depth: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for level in range(depth + 1):
            after = width * min(2**level, 8)
            stride = 2 if level < depth else 1
            layers.append(nn.Conv2d(before, after, 4, stride, 1, bias=level == 0))
            layers += [] if level == 0 else [_norm(after)]
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
            before = after
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, 1, 1))
        self.apply(_first_weights)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(n, 1, h, w)``, one per patch."""
        return cast(Tensor, self.layers(x))


def depth_for(side: int) -> int:
    """Return the depth of the discriminator for a size of images."""
    return 1 if side < 16 else 2 if side <= 32 else 3


def _down(before: int, after: int, *, normalised: bool) -> nn.Sequential:
    norm: list[nn.Module] = [_norm(after)] if normalised else []
    conv = nn.Conv2d(before, after, 4, 2, 1, bias=not normalised)
    return nn.Sequential(conv, *norm, nn.LeakyReLU(SLOPE))


def _up(before: int, after: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
    return nn.Sequential(conv, _norm(after), nn.ReLU())


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // 8), channels)


def _first_weights(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=DEVIATION)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
