"""Magnitudes and signs map to values: by hand, and for every operation of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automorph.errors import PolicyError
from automorph.operations import (
    CATALOGUE,
    LABELS,
    LIBRARY_OPERATIONS,
    OPERATIONS,
    Operation,
    named_space,
    operation,
)
from strategies import magnitudes

# name: value at magnitude 0, at 1 with sign +, at 1 with sign -, unit, is it the identity at 0
TABLE = {
    "Identity": (0, 0, 0, "", True),
    "ShearX": (0, 0.99, -0.99, "ratio", True),
    "ShearY": (0, 0.99, -0.99, "ratio", True),
    "TranslateX": (0, 0.5, -0.5, "share", True),
    "TranslateY": (0, 0.5, -0.5, "share", True),
    "Rotate": (0, 135, -135, "deg", True),
    "AutoContrast": (0, 0, 0, "", False),
    "Equalize": (0, 0, 0, "", False),
    "Invert": (0, 0, 0, "", False),
    "Solarize": (256, 0, 0, "level", True),
    "SolarizeAdd": (0, 110, 110, "level", True),
    "Posterize": (8, 2, 2, "bits", True),
    "Contrast": (1, 1.99, 0.01, "factor", True),
    "Color": (1, 1.99, 0.01, "factor", True),
    "Brightness": (1, 1.99, 0.01, "factor", True),
    "Sharpness": (1, 1.99, 0.01, "factor", True),
    "Cutout": (0, 0.5, 0.5, "share", True),
    "SamplePairing": (0, 0.4, 0.4, "weight", True),
    "HorizontalFlip": (0, 0, 0, "", False),
    "VerticalFlip": (0, 0, 0, "", False),
    "PadCrop": (0, 0.25, 0.25, "share", True),
    "ResizedCrop": (1, 0.08, 0.08, "area", True),
    "Hue": (0, 0.5, -0.5, "turn", True),
    "Zoom": (1, 2, 0.5, "factor", True),
    "Swirl": (0, 2, -2, "strength", True),
    "Elastic": (0, 0.2, 0.2, "share", True),
    "Erosion": (0, 3, 3, "px", True),
    "Dilation": (0, 3, 3, "px", True),
    "Blur": (0, 3, 3, "px", True),
    "Noise": (0, 0.3, 0.3, "share", True),
    "RandomErasing": (0, 0.4, 0.4, "area", True),
}


def test_every_operation_is_in_the_table_or_has_a_test_of_its_own() -> None:
    assert list(OPERATIONS) == [op.name for op in (*CATALOGUE, *LIBRARY_OPERATIONS, *LABELS)]
    assert list(TABLE) == list(named_space("catalogue").names)
    own = [path.stem for path in Path(__file__).parent.glob("by_hand/test_*.py")]
    library = {op.name for op in LIBRARY_OPERATIONS}  # tests/interop/test_library_operations.py
    assert set(OPERATIONS) - set(TABLE) - library == {
        name for name in OPERATIONS if f"test_{name.lower()}" in own
    }


@pytest.mark.parametrize("name", TABLE)
def test_catalogue(name: str) -> None:
    zero, plus, minus, unit, identity = TABLE[name]
    op = OPERATIONS[name]
    np.testing.assert_allclose(op.values([0, 0, 1, 1], [1, -1, 1, -1]), [zero, zero, plus, minus])
    assert op.unit == unit
    assert op.identity_at_zero == identity
    assert op.signed == (plus != minus)
    assert op.magnitude_free == (zero == plus)
    assert op.ends == pytest.approx((zero, plus))
    assert op.kernel == name
    assert op.about.endswith(".")


@given(st.sampled_from(CATALOGUE), magnitudes, magnitudes, st.sampled_from((1.0, -1.0)))
def test_values_go_away_from_the_identity(
    op: Operation, first: float, second: float, sign: float
) -> None:
    """Values stay within the range, and whole ones are whole."""
    less, more = sorted((first, second))
    near, far = op.values([less, more], [sign, sign])
    assert op.low <= near <= op.high
    assert op.low <= far <= op.high
    if op.identity is not None:
        assert abs(near - op.identity) <= abs(far - op.identity)
    if op.whole:
        assert far == np.rint(far)


def test_identity_beyond_the_range() -> None:
    """Values go from the nearer end to the farther one."""
    augmix = OPERATIONS["Posterize"].between(1, 4)
    assert augmix.values([0, 0.34, 1]).tolist() == [4, 3, 1]
    assert not augmix.signed
    assert not augmix.identity_at_zero
    above = Operation("up", low=2, high=6, identity=1)
    assert above.values([0, 1]).tolist() == [2, 6]


def test_without_identity() -> None:
    plain = Operation("level", low=-1, high=3)
    assert plain.values([0, 0.5, 1], [-1, -1, -1]).tolist() == [-1, 1, 3]
    assert not plain.identity_at_zero


def test_lopsided_range() -> None:
    zoom = OPERATIONS["Zoom"]
    assert zoom.values([0.5, 0.5], [1, -1]).tolist() == [1.5, 0.75]


def test_held_at_a_value() -> None:
    held = OPERATIONS["Rotate"].at(-2.5)
    assert held.name == "Rotate[-2.5]"
    assert held.kernel == "Rotate"
    assert held.magnitude_free
    assert not held.signed
    assert not held.identity_at_zero
    assert held.values([0, 0.3, 1], [1, -1, 1]).tolist() == [-2.5] * 3
    assert OPERATIONS["Rotate"].at(0).identity_at_zero


def test_range_the_wrong_way_round() -> None:
    with pytest.raises(PolicyError, match=r"range \(8, 4\).*set `identity` to the high end"):
        Operation("Posterize", low=8, high=4)
    with pytest.raises(PolicyError, match="expected low <= high"):
        replace(OPERATIONS["Rotate"], low=200)


def test_decorator() -> None:
    @operation(range=(-30, 30), unit="deg", identity=0, label_risk="turns digits")
    def turn(image: object, value: float) -> object:
        """Turns the image.

        More about it.
        """
        return image

    assert (turn.name, turn.kernel, turn.unit, turn.about) == (
        "turn", "user", "deg", "Turns the image.",
    )  # fmt: skip
    assert turn.signed
    assert turn.identity_at_zero
    assert turn.label_risk == "turns digits"
    assert turn.function is not None
    assert turn.function("image", 3.0) == "image"

    named = operation(name="Upper", domain="text", whole=True, range=(0, 3), batched=True)(str)
    assert (named.name, named.domain, named.batched) == ("Upper", "text", True)
    assert named.values(0.5).item() == 2.0
