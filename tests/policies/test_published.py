"""The published AutoAugment policies and spaces against torchvision's."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import (
    AutoAugment,
    AutoAugmentPolicy,
    RandAugment,
    TrivialAugmentWide,
)

from automorph.policies import load_policy


@pytest.mark.parametrize("name", ["cifar10", "svhn", "imagenet"])
def test_autoaugment_is_torchvisions(name):
    theirs = AutoAugment(AutoAugmentPolicy(name))._get_policies(AutoAugmentPolicy(name))
    policy = load_policy(f"autoaugment:{name}")
    assert len(policy.subpolicies) == len(theirs) == 25
    for ours, expected in zip(policy.subpolicies, theirs, strict=True):
        for step, (operation, probability, level) in zip(ours, expected, strict=True):
            assert step.operation == operation
            assert step.probability == probability
            if level is not None:
                assert step.magnitude == level / 9
            else:
                assert policy.space[operation].magnitude_free


@pytest.mark.parametrize(
    ("name", "transform", "arguments"),
    [
        ("autoaugment:imagenet", AutoAugment(), (10, (331, 331))),
        ("randaugment", RandAugment(), (31, (331, 331))),
        ("trivialaugment-wide", TrivialAugmentWide(), (31,)),
    ],
)
def test_values_are_torchvisions(name, transform, arguments):
    """Every operation has torchvision's values at all levels, with both signs."""
    policy = load_policy(name)
    theirs = transform._augmentation_space(*arguments)
    extra = {"Cutout", "SamplePairing"} if "autoaugment" in name else set()
    assert set(policy.space.names) == set(theirs) | extra
    for operation, (magnitudes, signed) in theirs.items():
        declared = policy.space[operation]
        assert declared.signed == signed, operation
        if magnitudes.ndim == 0:
            assert declared.magnitude_free
            continue
        levels = torch.linspace(0, 1, len(magnitudes), dtype=torch.float64).numpy()
        ours = declared.values(levels)
        if declared.identity == 1:
            ours = ours - 1  # torchvision adds 1 to the factors.
        if declared.unit == "share":
            ours = ours * 331
        assert torch.allclose(torch.as_tensor(ours), magnitudes.double(), rtol=1e-5, atol=1e-5)


def test_randaugment_counts_magnitudes_as_torchvision_does():
    policy = load_policy("randaugment(n=2,m=9)")
    theirs = RandAugment(2, 9)._augmentation_space(31, (331, 331))
    magnitude = policy.low
    assert policy.space["Rotate"].values(magnitude).item() == pytest.approx(
        theirs["Rotate"][0][9].item()
    )
    assert policy.space["Posterize"].values(magnitude).item() == theirs["Posterize"][0][9].item()
