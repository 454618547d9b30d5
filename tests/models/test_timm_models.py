"""timm networks, by name and without a download."""

from __future__ import annotations

import pytest
import torch

from automorph.errors import UsageError
from automorph.models import build_model

pytest.importorskip("timm")


@pytest.mark.parametrize("name", ["timm:resnet10t", "timm:test_vit", "timm:test_efficientnet"])
def test_a_network_is_made_for_the_data(name):
    model = build_model(name, channels=1, classes=7, size=32)

    assert model.training
    assert model(torch.rand(2, 1, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("timm:resnt18", 32, "Did you mean .*'resnet18'"),
        ("timm:resnet18:trained", 32, "expected one of timm:NAME"),
        ("timm:", 32, "unknown timm network ''"),
        ("timm:convnext_atto", 28, "larger images"),
    ],
)
def test_what_cannot_be_built_is_refused(name, size, words):
    with pytest.raises(UsageError, match=words):
        build_model(name, channels=1, classes=7, size=size)
