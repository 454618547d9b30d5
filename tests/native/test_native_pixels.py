"""The compiled engine gives the pixels of the reference path."""

from __future__ import annotations

import numpy as np
import pytest
from native_programs import case, pictures

from automorph.engine import apply_native, apply_reference
from automorph.operations import Sequences, Stream, named_space


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("space", ["catalogue", "trivialaugment-wide", "autoaugment"])
def test_every_operation_at_31_magnitudes(
    variant: str, space: str, channels: int, interpolation: str
) -> None:
    rng = np.random.default_rng(channels)
    operations = named_space(space)
    for number, operation in enumerate(operations):
        if operation.function or operation.name in ("Elastic", "Noise"):
            continue
        images = pictures(rng, (31, 19, 37, channels))
        sequences = Sequences.of(np.full((31, 1), number), np.arange(31)[:, None] / 30)
        stream = Stream(seed=number, index=np.arange(31))
        options = {"interpolation": interpolation, "fill": list(range(50, 50 + channels))}
        ours = apply_native(images, sequences, operations, stream, **options)
        theirs = apply_reference(images, sequences, operations, stream, **options)
        np.testing.assert_array_equal(ours, theirs, err_msg=operation.name)


@pytest.mark.parametrize("part", range(10))
def test_random_programs(variant: str, part: int) -> None:
    for number in range(12 * part, 12 * (part + 1)):
        drawn = case(number)
        np.testing.assert_array_equal(
            drawn.through(apply_native), drawn.through(apply_reference), err_msg=f"case {number}"
        )


@pytest.mark.slow
@pytest.mark.parametrize("part", range(40))
def test_ten_thousand_random_images(variant: str, part: int) -> None:
    seen = 0
    number = 1_000_000 + 1000 * part
    while seen < 250:
        drawn = case(number)
        np.testing.assert_array_equal(
            drawn.through(apply_native), drawn.through(apply_reference), err_msg=f"case {number}"
        )
        seen += len(drawn.images)
        number += 1


@pytest.mark.parametrize("operation", ["ShearX", "ShearY", "Rotate"])
@pytest.mark.parametrize("shape", [(3, 40000), (40000, 2)])
def test_beyond_fixed_point(variant: str, operation: str, shape: tuple[int, int]) -> None:
    space = named_space("catalogue")
    images = pictures(np.random.default_rng(0), (2, *shape, 1))
    sequences = Sequences.of([[space.number(operation)]] * 2, [[0.4], [1.0]])
    stream = Stream(index=[1, 2])
    np.testing.assert_array_equal(
        apply_native(images, sequences, space, stream, fill=9),
        apply_reference(images, sequences, space, stream, fill=9),
    )


@pytest.mark.parametrize("side", [224, 300])
def test_large_images(variant: str, side: int) -> None:
    space = named_space("autoaugment")
    images = pictures(np.random.default_rng(side), (16, side, side + 7, 3))
    sequences = Sequences.of(np.arange(32).reshape(16, 2) % 16, 0.7)
    stream = Stream(index=np.arange(16))
    for interpolation in ("nearest", "bilinear"):
        np.testing.assert_array_equal(
            apply_native(images, sequences, space, stream, interpolation=interpolation),
            apply_reference(images, sequences, space, stream, interpolation=interpolation),
        )


@pytest.mark.parametrize("shape", [(20, 25), (720, 725), (800, 1000)])
def test_equalize_divides_exactly(variant: str, shape: tuple[int, int]) -> None:
    space = named_space("autoaugment")
    rng = np.random.default_rng(3)
    images = (rng.beta(0.5, 2.0, (1, *shape, 3)) * 255).astype(np.uint8)
    sequences = Sequences.of([[space.number("Equalize"), space.number("Contrast")]], 0.5)
    np.testing.assert_array_equal(
        apply_native(images, sequences, space, Stream()),
        apply_reference(images, sequences, space, Stream()),
    )
