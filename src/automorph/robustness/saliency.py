"""Saliency maps of two models on the same images, and their share on the mark.

SmoothGrad: Smilkov, Thorat, Kim, Viegas, Wattenberg (2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.errors import MissingExtraError
from automorph.models import evaluating
from automorph.robustness.translators.base import Images
from automorph.training import Encoder

Maps = NDArray[np.float32]
_COPIES, _AT_ONCE = 4, 2**21
"""Noisy copies of an image, and pixels of all images, that go through a network at once: 10 images
of 224 px. Gradients of a few hundred such images at once would need tens of gigabytes."""


def saliency(
    model: nn.Module,
    images: Images,
    labels: NDArray[np.int64],
    *,
    encoder: Encoder,
    copies: int = 20,
    deviation: float = 0.1,
    seed: int = 0,
) -> Maps:
    """Return each pixel's effect on the margin of the true class: float32 ``(n, H, W)``, sums 1.

    |d (logit of the class - mean of the others) / d pixel|, summed over channels and averaged over
    ``copies`` of the input with noise (SmoothGrad; ``deviation`` is a share of the range of the
    inputs). Raises `MissingExtraError` without captum.
    """
    attribution = _captum()

    def margin(inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        logits = model(inputs).float()
        own = logits.gather(1, classes[:, None])[:, 0]
        others = (logits.sum(1) - own) / max(1, logits.shape[1] - 1)
        gap: torch.Tensor = own - others
        return gap

    device = next(model.parameters()).device
    inputs = encoder(images, device).detach()
    spread = deviation * float(inputs.max() - inputs.min())
    classes = torch.from_numpy(labels).to(device)
    size = max(1, _AT_ONCE // (_COPIES * inputs.shape[-1] * inputs.shape[-2]))
    with evaluating(model), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tunnel = attribution.NoiseTunnel(attribution.Saliency(margin))
        gradients = [
            tunnel.attribute(
                some.requires_grad_(),
                nt_type="smoothgrad",
                nt_samples=copies,
                nt_samples_batch_size=_COPIES,
                stdevs=spread,
                additional_forward_args=own,
            ).detach()
            for some, own in zip(torch.split(inputs, size), torch.split(classes, size), strict=True)
        ]
    maps = torch.cat(gradients).abs().sum(dim=1).cpu().numpy()
    total = maps.sum(axis=(1, 2), keepdims=True)
    return np.asarray(maps / np.maximum(total, 1e-12), np.float32)


def share_on_mark(maps: Maps, images: Images, others: Images) -> NDArray[np.float64]:
    """Return saliency on the mark relative to its area, ``(n,)``; 1 means indifference.

    The mark is where an image and its rendering in another subgroup differ by more than a tenth of
    the range of pixels; NaN if there is none.
    """
    gaps = np.abs(images.astype(np.int16) - others).max(axis=3) > 25
    area = gaps.mean(axis=(1, 2))
    inside = (maps * gaps).sum(axis=(1, 2)) / np.maximum(maps.sum(axis=(1, 2)), 1e-12)
    ratio = np.divide(inside, area, out=np.full(len(area), np.nan), where=area > 0)
    return np.asarray(ratio, np.float64)


def overlay(images: Images, maps: Maps) -> Images:
    """Return maps as warm colours over faded images: uint8 ``(n, H, W, 3)``."""
    grey = np.repeat(images[..., :3].mean(axis=3, keepdims=True), 3, axis=3)
    top = np.quantile(maps, 0.99, axis=(1, 2), keepdims=True)
    heat = np.clip(maps / np.maximum(top, 1e-12), 0, 1)[..., None]
    warm = np.concatenate([255 * np.ones_like(heat), 200 * (1 - heat), 40 * (1 - heat)], axis=3)
    mixed = (1 - heat) * (0.5 * grey) + heat * warm
    return np.ascontiguousarray(mixed.round().astype(np.uint8))


def available() -> bool:
    """Return True if captum is installed."""
    from importlib.util import find_spec

    return find_spec("captum") is not None


def _captum() -> Any:
    try:
        from captum import attr  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError(
            "saliency maps need captum, which is not installed; install it: "
            "pip install 'automorph[saliency]'"
        ) from error
    return attr
