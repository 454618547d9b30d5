"""Named spaces against the tables of torchvision and the papers; sequences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import AutoAugment, RandAugment, TrivialAugmentWide

from automorph.errors import PolicyError
from automorph.operations import (
    NOTHING,
    OPERATIONS,
    Operation,
    SearchSpace,
    Sequences,
    find_operation,
    list_spaces,
    named_space,
)
from pil_oracle import FACTORS

SIZE = (20, 30)  # height, width


def torchvision_space(name: str, bins: int) -> dict[str, tuple[torch.Tensor, bool]]:
    if name == "randaugment":
        return RandAugment()._augmentation_space(bins, SIZE)
    if name == "autoaugment":
        return AutoAugment()._augmentation_space(bins, SIZE)
    return TrivialAugmentWide()._augmentation_space(bins)


@pytest.mark.parametrize("bins", [31, 11])
@pytest.mark.parametrize(
    ("name", "ours_only"),
    [
        ("randaugment", ()),
        ("trivialaugment-wide", ()),
        ("autoaugment", ("Cutout", "SamplePairing")),
    ],
)
def test_values_are_torchvisions(name: str, ours_only: tuple[str, ...], bins: int) -> None:
    space = named_space(name)
    theirs = torchvision_space(name, bins)
    assert set(space.names) == {*theirs, *ours_only}
    for operation_name, (their_values, signed) in theirs.items():
        op = space[operation_name]
        assert op.signed == signed, operation_name
        assert op.magnitude_free == (their_values.ndim == 0), operation_name
        values = op.values(np.linspace(0, 1, bins), 1.0)
        mirrored = op.values(np.linspace(0, 1, bins), -1.0)
        if operation_name in FACTORS:
            values, mirrored = values - 1, mirrored - 1
        elif op.unit == "share":
            side = SIZE[1] if operation_name.endswith("X") else SIZE[0]
            values, mirrored = values * side, mirrored * side
        expected = np.broadcast_to(their_values.numpy().astype(np.float64), bins)
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-5)
        np.testing.assert_allclose(mirrored, -expected if signed else expected, atol=1e-5)


def test_trivialaugment_standard() -> None:
    """Mueller and Hutter 2021: shear 0.3, 10 px, 30 degrees, factors 0.1 to 1.9, 8 to 4 bits."""
    space = named_space("trivialaugment")
    ends = {op.name: (op.low, op.high, op.unit) for op in space}
    assert ends["ShearX"] == ends["ShearY"] == (-0.3, 0.3, "ratio")
    assert ends["TranslateX"] == ends["TranslateY"] == (-10, 10, "px")
    assert ends["Rotate"] == (-30, 30, "deg")
    assert ends["Posterize"] == (4, 8, "bits")
    assert [ends[name][:2] for name in FACTORS] == [pytest.approx((0.1, 1.9))] * 4
    assert space.names == named_space("trivialaugment-wide").names


def test_augmix_leaves_out_what_its_corruptions_have() -> None:
    names = set(named_space("augmix").names)
    assert names == {
        "AutoContrast", "Equalize", "Posterize", "Rotate", "Solarize",
        "ShearX", "ShearY", "TranslateX", "TranslateY",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "count"), [("tanda-mnist", 25), ("tanda-cifar10", 33)])
def test_tanda_holds_every_value(name: str, count: int) -> None:
    space = named_space(name)
    assert len(space) == count
    assert all(op.magnitude_free and not op.signed for op in space)
    for op in space:
        catalogue = OPERATIONS[op.kernel]
        assert catalogue.low <= op.low <= catalogue.high
    assert space["rotate[-2.5]"].low == -2.5
    assert space["rotate[2.5]"].low == 2.5


def test_every_named_space_is_there() -> None:
    for name, about in list_spaces().items():
        space = named_space(name)
        assert about
        assert len(space) > 0
        assert named_space(name.upper().replace("-", "_")).names == space.names
        assert {op.domain for op in space} == {space.domain}


def test_unknown_names() -> None:
    with pytest.raises(PolicyError, match="Did you mean 'randaugment'"):
        named_space("randaugmnt")
    with pytest.raises(PolicyError):
        find_operation("Rotato")
    with pytest.raises(PolicyError, match="duplicate operation names"):
        SearchSpace("mine", (OPERATIONS["Invert"], OPERATIONS["Invert"]))
    with pytest.raises(PolicyError, match="mixes the domains image, text"):
        SearchSpace("mine", (OPERATIONS["Invert"], Operation("swap", domain="text")))


def test_sequences() -> None:
    first = Sequences.of([[0, NOTHING]], [[0.5, 0]], [[True, False]])
    second = Sequences.of([[1, NOTHING]])
    both = first.then(second, offset=3)
    assert both.op.tolist() == [[0, NOTHING, 4, NOTHING]]
    assert both.op.dtype == np.int16
    assert both.magnitude.dtype == np.float32
    assert both.fire.tolist() == [[True, False, True, True]]
    assert both.length == 4
    assert len(both.take([0, 0, 0])) == 3
    assert Sequences.empty(5).length == 0
    with pytest.raises(ValueError, match="expected one shape"):
        Sequences(both.op, both.magnitude[:, :2], both.fire)
