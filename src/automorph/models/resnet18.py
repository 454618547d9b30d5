"""ResNet-18 with the stem for small images.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (CVPR 2016), with the 3x3 stem
of its section 4.2 in place of the 7x7 one with stride 2 and the pooling.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from automorph.models.init import he_initialised


class BasicBlock(nn.Module):
    """relu(shortcut(x) + conv(relu(conv(x)))), each convolution normalised (figure 2, left)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = (
            nn.Identity()
            if stride == 1 and before == after
            else nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w) to (n, after, h / stride, w / stride)."""
        return relu(self.branch(x) + self.shortcut(x))


def build(channels: int, classes: int, size: tuple[int, int]) -> nn.Module:
    """Build four stages of two blocks with 64, 128, 256 and 512 channels: 11.2M weights."""
    stages: list[nn.Module] = []
    before = 64
    for after, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        stages += [BasicBlock(before, after, stride), BasicBlock(after, after, 1)]
        before = after
    model = nn.Sequential(
        nn.Conv2d(channels, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        *stages,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, classes),
    )
    return he_initialised(model)
