"""Shears of large images, which have ways of their own: the pixels of the reference path."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.engine import apply_native, apply_reference
from automorph.operations import SearchSpace, Sequences, Stream, named_space

SHEARS = SearchSpace(
    "shears",
    tuple(named_space("trivialaugment-wide")[name] for name in ("ShearX", "ShearY", "Rotate")),
)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("kind", ["noise", "steps", "two colours"])
def test_shears(variant: str, channels: int, interpolation: str, kind: str) -> None:
    rng = np.random.default_rng(channels)
    for height, width in ((70, 131), (131, 64), (1, 97), (3, 66)):
        shape = (6, height, width, channels)
        images = rng.integers(0, 256, shape, np.uint8)
        if kind == "steps":
            images = images[:, ::8, ::8].repeat(8, 1).repeat(8, 2)[:, :height, :width]
        elif kind == "two colours":
            images = images // 128 * 255
        # Slopes of all sizes, among them 0.25, which puts pixels between two others.
        magnitude = rng.random((6, 2)) ** 2
        magnitude[0, 0] = 0.25 / 0.99
        sequences = Sequences.of(rng.integers(0, 3, (6, 2)), magnitude)
        given = (np.ascontiguousarray(images), sequences, SHEARS, Stream(index=np.arange(6)))
        options = {"interpolation": interpolation, "fill": [9, 8, 7, 6][:channels]}
        np.testing.assert_array_equal(
            apply_native(*given, **options), apply_reference(*given, **options)
        )
