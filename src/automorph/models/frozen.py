"""A linear head on the features of a network that is not trained: ``features:NAME``."""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor, nn


class FrozenFeatures(nn.Module):
    """A backbone without gradients, in evaluation mode, and a linear head on its features.

    The head starts at zero: all classes are equally likely.
    """

    def __init__(self, backbone: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.backbone = backbone.eval().requires_grad_(False)
        self.head = nn.Linear(width, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, inputs: Tensor) -> Tensor:
        """Return features float32 ``(n, width)``."""
        found: Tensor = self.backbone(inputs)
        return found.float()

    def classify(self, features: Tensor) -> Tensor:
        """Return logits ``(n, classes)``, in full precision whatever that of the backbone is."""
        if torch.is_autocast_enabled(features.device.type):
            with torch.autocast(features.device.type, enabled=False):
                return self.classify(features)
        logits: Tensor = self.head(features)
        return logits

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits ``(n, classes)``."""
        return self.classify(self.features(inputs))


def on_sentences(inputs: int, classes: int) -> nn.Module:
    """Build ``features:sentence:NAME``: the encoder of its inputs computes the features."""
    return FrozenFeatures(nn.Identity(), inputs, classes)


def content_of(network: nn.Module) -> str:
    """Return a hash of a network's weights and buffers, with their names."""
    total = blake2b(digest_size=16)
    for name, tensor in network.state_dict().items():
        values = tensor.detach().cpu().contiguous()
        total.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        total.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
