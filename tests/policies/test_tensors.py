"""Policies on torch tensors give the same results as on arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automorph.errors import DataError
from automorph.operations import Stream
from automorph.policies import load_policy
from automorph.policies.mixing import cutmix, mixup

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


NORMALISED = (TENSOR / 255 - 0.45) / 0.225
NOT_A_NUMBER = TENSOR / 255 * torch.where(torch.arange(10) == 3, torch.nan, 1.0)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("images", "message"), [
    (NORMALISED, r"got floats from -2 to 2\.4\d; expected uint8, or floats in \[0, 1\]"),
    (TENSOR.float(), "got floats from 0 to 25.; expected .*divide levels from 0 to 255 by 255"),
    (NOT_A_NUMBER, "got floats with NaN"),
    (-torch.inf * (TENSOR > 9), "got floats with NaN"),
], ids=["normalised", "levels", "nan", "inf"])  # fmt: skip
def test_floats_outside_0_to_1_are_refused(images, message, kind):
    """They would be clipped: a normalised image would become black and white."""
    with pytest.raises(DataError, match=message):
        load_policy("flip").augment(images.to(kind))


def test_floats_a_hair_outside_0_to_1_are_rounded():
    images = TENSOR / 255 * 1.002 - 0.001
    out = load_policy("crop").augment(images, seed=1)
    expected = load_policy("crop").augment(TENSOR, seed=1) / 255
    np.testing.assert_allclose(out, expected, atol=0.5 / 255)


def test_floats_that_are_not_rounded_may_be_any():
    """Mixing alone clips nothing."""
    out, _ = load_policy("mixup").augment(NORMALISED, labels=LABELS, seed=1)
    assert out.min() < -1
