"""The repr of the adapters."""

from __future__ import annotations

import pytest
import torch

from automorph.integrations import Augmented, AugmentedClassifier, Collate, OnDevice, RayMap
from automorph.integrations.huggingface import transform


@pytest.mark.parametrize(("adapter", "expected"), [
    (Augmented([torch.zeros(3, 8, 8)], "flip-crop", copies=2),
     "Augmented('flip-crop', seed=0, copies=2)"),
    (Collate("cutmix(p=1)", classes=3, label="y"),
     "Collate('cutmix(alpha=1,p=1)', seed=0, label='y', classes=3)"),
    (RayMap("crop", epoch=2), "RayMap('crop', image='image', seed=0, epoch=2)"),
    (transform("crop", "img", seed=4), "Transform('crop', image='img', seed=4)"),
    (OnDevice("crop", seed=1), "OnDevice('crop', seed=1)"),
    (AugmentedClassifier(policy="crop"), "AugmentedClassifier(policy='crop')"),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_a_line_says_what_it_does(adapter, expected):
    assert repr(adapter) == expected


def test_of_trainers():
    pytest.importorskip("lightning.pytorch", reason="automorph[lightning] is not installed")
    pytest.importorskip("transformers", reason="automorph[text] is not installed")
    from automorph.integrations import AugmentCallback, EpochCallback

    assert repr(AugmentCallback("crop", seed=2)) == "AugmentCallback('crop', seed=2)"
    assert repr(EpochCallback(Collate("crop"))) == "EpochCallback(Collate('crop', seed=0))"
