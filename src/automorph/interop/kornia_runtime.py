"""A module that exports to kornia need beside kornia's own."""

from __future__ import annotations

import torch
from torch import nn


class OneOf(nn.Module):
    """Every image of a batch through one of some modules, drawn by weight."""

    def __init__(self, *options: nn.Module, weights: list[float] | None = None) -> None:
        super().__init__()
        self.options = nn.ModuleList(options)
        self.weights = [1.0] * len(options) if weights is None else weights

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images ``(n, C, H, W)``, floats in [0, 1]."""
        chosen = torch.multinomial(torch.tensor(self.weights), len(images), replacement=True)
        out = images.clone()
        for number in sorted(set(chosen.tolist())):
            rows = (chosen == number).to(images.device)
            out[rows] = self.options[number](images[rows]).to(out.dtype)
        return out
