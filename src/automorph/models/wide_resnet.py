"""Wide ResNets.

Zagoruyko and Komodakis, "Wide Residual Networks" (BMVC 2016): table 1, figure 1 (d without
dropout), pre-activation order BN-ReLU-conv.
"""

from __future__ import annotations

from torch import Tensor, nn

from automorph.errors import UsageError
from automorph.models.init import he_initialised


class WideBlock(nn.Module):
    """x + conv(relu(bn(conv(relu(bn(x)))))); where the shape changes, x is projected by 1x1."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.activate = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(inplace=True))
        self.branch = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
        )
        self.project = None if before == after else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w) to (n, after, h / stride, w / stride)."""
        active: Tensor = self.activate(x)
        # The projection receives the activated input, as in the authors' code.
        shortcut: Tensor = x if self.project is None else self.project(active)
        change: Tensor = self.branch(active)
        return shortcut + change


def build(
    channels: int, classes: int, size: tuple[int, int], *, depth: int, widen: int
) -> nn.Module:
    """Build WRN-depth-widen: three groups of (depth - 4) / 6 blocks, 16k, 32k, 64k channels.

    WRN-16-2 has 0.7M weights, WRN-40-2 2.2M, WRN-28-10 36.5M (table 4 of the paper).
    """
    if depth < 10 or (depth - 4) % 6:
        raise UsageError(
            f"wrn-{depth}-{widen}: the depth of a Wide ResNet must be 6n + 4 "
            "(10, 16, 22, 28, 34, 40, ...); choose one of these"
        )
    before, blocks = 16, list[nn.Module]()
    for after, stride in ((16 * widen, 1), (32 * widen, 2), (64 * widen, 2)):
        for i in range((depth - 4) // 6):
            blocks.append(WideBlock(before, after, stride if i == 0 else 1))
            before = after
    model = nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1, bias=False),
        *blocks,
        nn.BatchNorm2d(before),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(before, classes),
    )
    return he_initialised(model)
