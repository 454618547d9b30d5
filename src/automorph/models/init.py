"""Weight initialisation of residual networks."""

from __future__ import annotations

from torch import nn


def he_initialised(model: nn.Sequential) -> nn.Sequential:
    """Draw all convolutions from N(0, 2 / fan-out) (He et al. 2015, eq. 14); return the network."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return model
