"""A linear classifier on an early layer: difficulty for a part of a forward pass.

Alain and Bengio, "Understanding intermediate layers using linear classifier probes" (2016). The
probe learns from the candidates that it scores, with their known labels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from automorph.errors import UsageError
from automorph.targets import Target
from automorph.training import multiply_adds

RATE = 0.5


class Probe:
    """The classifier after the first ``layers`` children of an `nn.Sequential`."""

    def __init__(self, layers: int) -> None:
        self.layers = layers
        self.weight: Tensor | None = None
        self.share = 0.0

    def __call__(
        self, model: nn.Module, inputs: Tensor, labels: Tensor, target: Target
    ) -> tuple[Tensor, float]:
        """Return the logits ``(n, k)`` and their cost as a share of a forward pass of the model.

        The scores precede the update on this batch.
        """
        stem = self._stem(model)
        features = _pooled(stem(inputs)).float()
        if self.weight is None:
            shape = (labels.shape[1], features.shape[1])
            self.weight = torch.zeros(shape, device=features.device)
        self.weight = self.weight.to(features.device)
        if not self.share:
            self.share = multiply_adds(stem, inputs[:1]) / multiply_adds(model, inputs[:1])
        logits = features @ self.weight.T
        error = target.gradient(logits, labels)
        self.weight = self.weight - RATE / features.shape[1] * (error.T @ features / len(features))
        return logits, self.share

    def _stem(self, model: nn.Module) -> nn.Module:
        if not isinstance(model, nn.Sequential) or not 0 < self.layers < len(model):
            kind = type(model).__name__
            size = (
                f" with more than {self.layers} layers" if isinstance(model, nn.Sequential) else ""
            )
            raise UsageError(
                f"got probe={self.layers} with a {kind}; expected an nn.Sequential{size}: "
                "choose fewer layers, or make scoring cheaper in another way (size, every, "
                "precision)"
            )
        return model[: self.layers]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the weights, once there are any."""
        return {} if self.weight is None else {"probe": self.weight}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the result of ``state_dict``."""
        self.weight = state.get("probe")


def _pooled(maps: Tensor) -> Tensor:
    """Return means over image quarters, standardised over the batch, and a constant 1."""
    if maps.ndim == 4:
        maps = adaptive_avg_pool2d(maps, 2)
    features = maps.flatten(1)
    features = (features - features.mean(dim=0)) / (features.std(dim=0, unbiased=False) + 1e-5)
    return torch.cat([features, torch.ones_like(features[:, :1])], dim=1)
