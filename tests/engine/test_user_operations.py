"""User functions as operations: their arguments, return values and failures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from automorph.errors import AutomorphError, PolicyError
from automorph.operations import OPERATIONS, Operation, SearchSpace, Sequences, Stream, operation

Batch = NDArray[np.uint8]
Engine = Callable[..., Batch]


@operation(range=(-30, 30), unit="level", identity=0)
def lift(image: Batch, value: float) -> Batch:
    """Increase every value."""
    return np.clip(image.astype(float) + value, 0, 255).astype(np.uint8)


@operation(range=(-30, 30), unit="level", identity=0, batched=True, name="lift all")
def lift_all(images: Batch, values: NDArray[np.float64]) -> Batch:
    return np.clip(images + values[:, None, None, None], 0, 255).astype(np.uint8)


@operation()
def speckle(image: Batch, value: float, rng: np.random.Generator) -> Batch:
    image[rng.random(image.shape) < 0.5] = 0
    return image


def run(
    apply: Engine, operations: list[Operation], images: Batch, op: object, magnitude: object = 0.5
) -> Batch:
    sequences = Sequences.of(op, magnitude)
    stream = Stream(seed=1, index=np.arange(len(images)) + 40)
    return apply(images, sequences, SearchSpace("mine", tuple(operations)), stream)


def test_per_example_and_batched_agree(apply: Engine, colour_images: Batch) -> None:
    images = colour_images[:20]
    magnitude = np.linspace(0, 1, 20)[:, None]
    op = np.zeros((20, 1))
    one = run(apply, [lift], images, op, magnitude)
    np.testing.assert_array_equal(one, run(apply, [lift_all], images, op, magnitude))
    apart = one.astype(int) - images
    assert (apart > 0).any()
    assert (apart < 0).any()
    assert not apart[0].any()


def test_one_can_be_tried_out(colour_images: Batch) -> None:
    image = colour_images[0]
    kept = image.copy()
    expected = np.minimum(image.astype(int) + 20, 255)
    np.testing.assert_array_equal(lift(image, 20), expected)
    np.testing.assert_array_equal(lift_all(image, 20), expected)
    np.testing.assert_array_equal(speckle(image, 0), speckle(image, 0))
    other = speckle(image, 0, rng=np.random.default_rng(1))
    assert (other != speckle(image, 0)).any()
    np.testing.assert_array_equal(image, kept)
    shout = Operation("shout", domain="text", function=lambda text, value: text.upper())
    assert shout("a film", 1.0) == "A FILM"
    with pytest.raises(PolicyError, match="is a catalogue operation, which works on batches"):
        OPERATIONS["Rotate"](image, 20)


def test_mixes_with_the_catalogue(apply: Engine, colour_images: Batch) -> None:
    images = colour_images[:6]
    op = [[0, 1], [1, 0], [-1, 0], [0, -1], [1, 1], [0, 0]]
    out = run(apply, [OPERATIONS["Invert"], lift.at(10)], images, op)
    lifted = np.minimum(images.astype(int) + 10, 255).astype(np.uint8)
    np.testing.assert_array_equal(
        out[0], np.minimum(255 - images[0].astype(int) + 10, 255).astype(np.uint8)
    )
    np.testing.assert_array_equal(out[1], 255 - lifted[1])
    np.testing.assert_array_equal(out[2], 255 - images[2])
    np.testing.assert_array_equal(out[5], images[5])


def test_generator_is_the_examples_own(apply: Engine, colour_images: Batch) -> None:
    images = np.repeat(colour_images[:1], 10, axis=0)
    before = images.copy()
    out = run(apply, [speckle], images, np.zeros((10, 1)))
    np.testing.assert_array_equal(images, before)  # although the function writes into its argument
    assert (out[0] != out[1]).any()
    again = apply(
        images[3:5],
        Sequences.of([[0], [0]]),
        SearchSpace("mine", (speckle,)),
        Stream(seed=1, index=[43, 44]),
    )
    np.testing.assert_array_equal(again, out[3:5])


def test_none_refuses(apply: Engine, colour_images: Batch) -> None:
    @operation()
    def picky(image: Batch, value: float) -> Batch | None:
        return None if image[0, 0, 0] < 100 else 255 - image

    images = colour_images[:30]
    out = run(apply, [picky], images, np.zeros((30, 1)))
    dark = images[:, 0, 0, 0] < 100
    assert 0 < dark.sum() < 30
    np.testing.assert_array_equal(out[dark], images[dark])
    np.testing.assert_array_equal(out[~dark], 255 - images[~dark])

    @operation(batched=True)
    def never(images: Batch, values: object) -> None:
        return None

    np.testing.assert_array_equal(run(apply, [never], images, np.zeros((30, 1))), images)


def _float(image: Batch, value: float) -> object:
    return image / 255.0


def _cut(image: Batch, value: float) -> object:
    return image[:-1]


def _fail(image: Batch, value: float) -> object:
    raise KeyError("horse")


def _list(image: Batch, value: float) -> object:
    return "an image"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (_float, r"returned float64 \(32, 32, 3\); expected uint8 \(32, 32, 3\)"),
        (_cut, r"returned uint8 \(31, 32, 3\); expected uint8 \(32, 32, 3\)"),
        (_fail, "raised KeyError: 'horse'"),
        (_list, "returned <U8 "),
    ],
)
@pytest.mark.parametrize("batched", [False, True])
def test_failures_name_operation_and_example(
    apply: Engine, colour_images: Batch, function: object, says: str, batched: bool
) -> None:
    bad = operation(name="bad", batched=batched)(function)
    says = says.replace("(31", r"(1, 32").replace("(32", r"(2, 32") if batched else says
    with pytest.raises(AutomorphError, match=says) as caught:
        run(apply, [bad], colour_images[:3], [[-1], [0], [0]])
    assert "'bad'" in str(caught.value)
    assert ("examples 41, 42" if batched else "example 41 ") in str(caught.value)
    assert (caught.value.__cause__ is not None) == (function is _fail)


def test_unknown_kernel(apply: Engine) -> None:
    nobody = Operation("Sparkle")
    with pytest.raises(AutomorphError, match="'Sparkle', which does not exist"):
        run(apply, [nobody], np.zeros((1, 2, 2, 3), np.uint8), [[0]])
