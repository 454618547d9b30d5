"""A small U-Net: a class for each pixel.

Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation" (2015): an
encoder that halves the image stage by stage, and a decoder that doubles it again and joins each
stage with the features of the encoder at its size. Here with batch normalisation, padded
convolutions, residual blocks in the encoder as in `resnet9`, and doubling by repetition.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, pad

from automorph.models.resnet9 import Residual

STAGES = 3


class UNet(nn.Module):
    """Maps ``(n, C, H, W)`` to logits ``(n, classes, H, W)``, for any H and W.

    Stages have w, 2w, 4w and 8w channels. With a stride s, the stem reduces the image by s, and the
    logits are enlarged to its size by bilinear interpolation.
    """

    def __init__(self, channels: int, classes: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        widths = [width << stage for stage in range(STAGES + 1)]
        self.stem = _conv(channels, width, kernel=3 if stride == 1 else 2 * stride, stride=stride)
        self.down = nn.ModuleList(
            nn.Sequential(
                _conv(before, after),
                Residual(nn.Sequential(_conv(after, after), _conv(after, after))),
            )
            for before, after in pairwise(widths)
        )
        self.up = nn.ModuleList(_conv(before + after, after) for after, before in pairwise(widths))
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(n, classes, H, W)``."""
        height, width = images.shape[2:]
        # Every stage halves the image: sides that do not divide are padded, and cut at the end.
        unit = self.stride << STAGES
        padded = pad(images, (0, -width % unit, 0, -height % unit))
        found = self.stem(padded)
        passed = []
        for stage in self.down:
            passed.append(found)
            found = stage(max_pool2d(found, 2))
        for stage, beside in zip(reversed(self.up), reversed(passed), strict=True):
            found = stage(torch.cat([interpolate(found, scale_factor=2.0), beside], dim=1))
        logits: Tensor = self.head(found)
        if self.stride > 1:
            logits = interpolate(logits, scale_factor=float(self.stride), mode="bilinear")
        return logits[:, :, :height, :width]


def build(
    channels: int, classes: int, size: tuple[int, int], *, width: int = 16, stride: int = 1
) -> nn.Module:
    """Build a U-Net with stages of w, 2w, 4w and 8w channels (w = 16: 0.5M weights)."""
    return UNet(channels, classes, width, stride)


def _conv(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(
            before, after, kernel, stride=stride, padding=(kernel - stride) // 2, bias=False
        ),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )  # fmt: skip
