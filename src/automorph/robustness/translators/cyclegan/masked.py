"""A generator with a learned mask: outside of it an image stays the same to the pixel.

Attention-guided translation: Mejjati, Richardt, Tompkin, Cosker and Kim, NeurIPS 2018; Tang, Xu,
Sebe and Yan, "Attention-guided generative adversarial networks", IJCNN 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor

from automorph.robustness.translators.cyclegan.networks import ImageGenerator

FAINT = 0.1
"""A mask below this value is 0 in evaluation mode, so that pixels outside of it stay the same."""


class MaskedGenerator(ImageGenerator):
    """A U-Net that returns mask * generated + (1 - mask) * image, both in [-1, 1].

    The mask, one for all channels, is a sigmoid; in evaluation mode faint values are 0. The
    generated image is that of `ImageGenerator` with ``residual``, so that training starts as the
    identity.
    """

    def __init__(self, channels: int, side: int, *, width: int = 16) -> None:
        super().__init__(channels, side, width=width, outputs=channels + 1)

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Translate float ``(n, C, H, W)``; ``seen`` is what the network sees of it (None: all)."""
        return self.with_mask(x, seen)[0]

    def with_mask(self, x: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the translation and the mask ``(n, 1, H, W)``."""
        raw = self.raw(x if seen is None else seen)
        mask = raw[:, -1:].sigmoid()
        if not self.training:
            mask = torch.where(mask < FAINT, 0.0, mask)
        generated = (x + 2 * torch.tanh(raw[:, :-1])).clamp(-1, 1)
        return x + mask * (generated - x), mask


def roughness(mask: Tensor) -> Tensor:
    """Return the mean absolute difference between neighbours of a mask (its total variation).

    >>> roughness(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])).item()
    0.5
    """
    down, across = mask.diff(dim=2).abs(), mask.diff(dim=3).abs()
    return (down.sum() + across.sum()) / (down.numel() + across.numel())
