"""The default network for images of each size, by version of the defaults."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.data import Dataset, as_dataset
from automorph.training import default_model


def images_of(side: int) -> Dataset:
    return as_dataset((np.zeros((4, side, side, 3), np.uint8), [0, 1, 0, 1]))


@pytest.mark.parametrize(
    ("side", "earlier", "current"),
    [
        (28, "cnn", "cnn"),
        (32, "resnet9:16", "resnet9:16"),
        (64, "resnet9:16", "resnet9:16/2"),
        (96, "timm:resnet18", "resnet9:16/4"),
        (128, "timm:resnet18", "resnet9:16/4"),
        (224, "timm:resnet18", "timm:resnet18"),
    ],
)
def test_the_default_network_by_size(side: int, earlier: str, current: str) -> None:
    data = images_of(side)
    assert default_model(data) == current
    assert default_model(data, "0.1") == earlier
