"""PyramidNet with ShakeDrop.

Han, Kim, Kim, "Deep pyramidal residual networks" (CVPR 2017): every block has a few more channels;
bottlenecks (figure 6 d), shortcuts padded with zeros. Yamada, Iwamura, Akiba, Kise, "ShakeDrop
regularization for deep residual learning" (2018): residual branches are shaken, or not, at random.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad

from automorph.errors import UsageError
from automorph.models.init import he_initialised

FIRST = 16
EXPANSION = 4
SURVIVAL = 0.5
"""The probability that the last block's branch is not shaken; that of the first is near 1."""


class ShakeDrop(nn.Module):
    """(c + a - c a) x forward, (c + b - c b) x backward; in evaluation mode the mean, p x.

    c ~ Bernoulli(p) once for the batch; a ~ U(-1, 1) and b ~ U(0, 1) for each image (Yamada et al.
    2018, equation 6).
    """

    def __init__(self, keep: float) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        """Shake (n, C, H, W)."""
        if not self.training:
            return self.keep * x
        c = (torch.rand((), device=x.device) < self.keep).to(x.dtype)
        u, b = torch.rand((2, len(x), 1, 1, 1), device=x.device, dtype=x.dtype)
        forward, backward = (c + share - c * share for share in (2 * u - 1, b))
        # The detached term sets the values; only the other has a gradient.
        shaken: Tensor = backward * x + ((forward - backward) * x).detach()
        return shaken


class PyramidBlock(nn.Module):
    """A pre-activation bottleneck without the first ReLU, shaken, added to its input."""

    def __init__(self, before: int, width: int, stride: int, keep: float) -> None:
        super().__init__()
        self.after = EXPANSION * width
        self.stride = stride
        self.branch = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, self.after, 1, bias=False),
            nn.BatchNorm2d(self.after),
            ShakeDrop(keep),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w) to (n, 4 width, h / stride, w / stride)."""
        shaken: Tensor = self.branch(x)
        shortcut = x if self.stride == 1 else avg_pool2d(x, 2, ceil_mode=True)
        return shaken + pad(shortcut, (0, 0, 0, 0, 0, self.after - x.shape[1]))


def build(
    channels: int, classes: int, size: tuple[int, int], *, depth: int, widen: int
) -> nn.Module:
    """Build PyramidNet-depth with bottlenecks: three stages of (depth - 2) / 9 blocks.

    The width of the bottlenecks grows evenly from 16 to 16 + ``widen``. Depth 272 with 200 has
    26.0M weights, 236 with 220 26.8M, 200 with 240 26.6M (table 4 of the paper).
    """
    if depth < 11 or (depth - 2) % 9:
        raise UsageError(
            f"pyramidnet-{depth}-{widen}: the depth of a bottleneck PyramidNet must be 9n + 2 "
            "(11, 20, 29, .. 164, 200, 272); choose one of these"
        )
    each = (depth - 2) // 9
    count, before = 3 * each, FIRST
    blocks = list[nn.Module]()
    for number in range(1, count + 1):
        stride = 2 if number in (each + 1, 2 * each + 1) else 1
        keep = 1 - number / count * (1 - SURVIVAL)
        block = PyramidBlock(before, FIRST + widen * number // count, stride, keep)
        blocks.append(block)
        before = block.after
    model = nn.Sequential(
        nn.Conv2d(channels, FIRST, 3, padding=1, bias=False),
        nn.BatchNorm2d(FIRST),
        *blocks,
        nn.BatchNorm2d(before),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(before, classes),
    )
    return he_initialised(model)
