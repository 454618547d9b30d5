"""Small-data augmentation of the discriminator's inputs, real and generated alike.

Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020:
differentiable changes, drawn for every image and step, on real *and* generated images, so that the
generator need not produce them.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

Change = Literal["shift", "flip", "light", "cutout"]
CHANGES: tuple[str, ...] = get_args(Change)


def augmented(images: Tensor, changes: tuple[Change, ...], draw: torch.Generator) -> Tensor:
    """Change images ``(n, C, H, W)`` in [-1, 1], each with probability 1/2; gradients flow through.

    ``shift``: by up to an eighth of the side, edges repeated; ``flip``: left and right; ``light``:
    brightness by up to 0.2 and contrast by up to a quarter; ``cutout``: a square of half a side set
    to the image's mean. If all images were changed, the generator would learn to make changed
    ones (Karras et al. 2020, "Training GANs with limited data", section 2.2).
    """
    for change in changes:
        some = _uniform(images, draw)[:, :, None, None] < 0.5
        images = torch.where(some, _KINDS[change](images, draw), images)
    return images


def _uniform(images: Tensor, draw: torch.Generator, columns: int = 1) -> Tensor:
    return torch.rand(len(images), columns, generator=draw).to(images.device)


def _shift(images: Tensor, draw: torch.Generator) -> Tensor:
    n, _, height, width = images.shape
    far = max(1, round(min(height, width) / 8))
    by = (_uniform(images, draw, 2) * (2 * far + 1)).long().clamp(max=2 * far)
    padded = functional.pad(images, (far,) * 4, mode="replicate")
    rows = by[:, :1] + torch.arange(height, device=images.device)
    columns = by[:, 1:] + torch.arange(width, device=images.device)
    number = torch.arange(n, device=images.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None, :]]
    back: Tensor = moved.permute(0, 3, 1, 2)
    return back


def _flip(images: Tensor, draw: torch.Generator) -> Tensor:
    return images.flip(3)


def _light(images: Tensor, draw: torch.Generator) -> Tensor:
    drawn = _uniform(images, draw, 2)[:, :, None, None] - 0.5
    mean = images.mean((1, 2, 3), keepdim=True)
    changed: Tensor = (images - mean) * (1 + 0.5 * drawn[:, :1]) + mean + 0.4 * drawn[:, 1:]
    return changed


def _cutout(images: Tensor, draw: torch.Generator) -> Tensor:
    height, width = images.shape[-2:]
    centre = _uniform(images, draw, 2) * torch.tensor([height, width], device=images.device)
    y = torch.arange(height, device=images.device)[None, :, None]
    x = torch.arange(width, device=images.device)[None, None, :]
    hole = (y - centre[:, :1, None]).abs() <= height / 4
    hole = hole & ((x - centre[:, 1:, None]).abs() <= width / 4)
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.where(hole[:, None], mean, images)


_KINDS = {"shift": _shift, "flip": _flip, "light": _light, "cutout": _cutout}
