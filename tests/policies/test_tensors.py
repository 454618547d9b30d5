"""Policies on torch tensors: the same as on arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automorph.policies import load_policy
from automorph.policies.mixing import cutmix, mixup
from automorph.space import Stream

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 12, 10, 3), np.uint8)
TENSOR = torch.from_numpy(IMAGES.transpose(0, 3, 1, 2).copy())
LABELS = np.eye(6, dtype=np.float32)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_is_the_same(name):
    stream = Stream(seed=3, index=np.arange(6))
    mixing = mixup(stream, 0.4) if name == "mixup" else cutmix(stream, 1.0, 1.0, 12, 10)
    expected = mixing.examples(IMAGES)
    assert (as_array(mixing.examples(TENSOR)) == expected).all()
    floats = mixing.examples(TENSOR / 255)
    assert floats.dtype == torch.float32
    np.testing.assert_allclose(as_array(floats) * 255, expected, atol=0.51)


@pytest.mark.parametrize("name", ["none", "none + cutmix(p=1)", "mixup"])
def test_policies_without_operations_are_the_same(name):
    policy = load_policy(name)
    expected, soft = policy.augment(IMAGES, labels=LABELS, seed=1)
    out, labels = policy.augment(TENSOR, labels=torch.from_numpy(LABELS), seed=1)
    assert (as_array(out) == expected).all()
    assert isinstance(labels, torch.Tensor)
    assert (labels.numpy() == soft).all()
    assert out.data_ptr() != TENSOR.data_ptr()


@pytest.mark.parametrize(
    "name", ["randaugment", "augmix", "flip-crop + trivialaugment + cutout(4) + mixup"]
)
def test_policies_with_operations_are_the_same(name):
    pytest.importorskip("automorph.engine.tensors")
    policy = load_policy(name)
    expected, soft = policy.augment(IMAGES, labels=LABELS, seed=1, index=np.arange(5, 11))
    index = torch.arange(5, 11)
    out, labels = policy.augment(TENSOR, labels=LABELS, seed=1, index=index)
    assert (as_array(out) == expected).all()
    assert isinstance(labels, np.ndarray)
    assert (labels == soft).all()
    floats = policy.augment(TENSOR / 255, labels=LABELS, seed=1, index=index)[0]
    assert floats.dtype == torch.float32
    np.testing.assert_allclose(as_array(floats) * 255, expected, atol=0.51)
