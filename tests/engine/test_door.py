"""The input that the engine rejects, with its messages; and vectors."""

from __future__ import annotations

import numpy as np
import pytest

import automorph.engine
from automorph.engine import apply
from automorph.errors import AutomorphError, DataError, UsageError
from automorph.operations import Operation, SearchSpace, Sequences, Stream, named_space
from automorph.operations.synthetic import unit_disc

SPACE = named_space("randaugment")
IMAGES = np.zeros((2, 5, 6, 3), np.uint8)
SEQUENCES = Sequences.of([[1], [2]], 0.5)
STREAM = Stream(index=[0, 1])


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (IMAGES.astype(float), "got float64 .*multiply by 255"),
        (IMAGES.transpose(0, 3, 1, 2), "channels first"),
        (IMAGES[0], "add an axis"),
        (IMAGES[..., :2], "1 .grey., 3 .RGB., 4 .RGBA. channels"),
        (IMAGES[:, :0], "at least one pixel"),
        (IMAGES.tolist(), "got list; expected a NumPy array"),
    ],
)
def test_images(images: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        apply(images, SEQUENCES, SPACE, STREAM)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sequences": Sequences.of([[1]])}, "2 examples, 1 sequences and a stream of 2"),
        ({"stream": Stream()}, "to the stream as `index=`"),
        ({"sequences": Sequences.of([[14], [0]])}, "expected 0 to 13"),
        ({"sequences": Sequences.of([[-2], [0]])}, "numbers from -2 to 0"),
        ({"fill": 256}, "got fill=256; expected a number from 0 to 255"),
        ({"fill": (1, 2)}, "3 such numbers"),
        ({"interpolation": "cubic"}, "expected 'nearest' or 'bilinear'"),
        ({"mode": "fast"}, "expected 'exact' or 'fused'"),
        ({"threads": 0}, "expected 1 or more"),
    ],
)
def test_arguments(changed: dict[str, object], says: str) -> None:
    arguments = {
        "images": IMAGES, "sequences": SEQUENCES, "space": SPACE, "stream": STREAM, **changed
    }  # fmt: skip
    with pytest.raises(UsageError, match=says):
        apply(**arguments)


def test_no_images() -> None:
    for prefixes, shape in ((False, (0, 5, 6, 3)), (True, (0, 3, 5, 6, 3))):
        out = apply(
            IMAGES[:0],
            Sequences.of(np.empty((0, 2), int)),
            SPACE,
            Stream(index=[]),
            prefixes=prefixes,
        )
        assert out.shape == shape


def test_views_of_images() -> None:
    """Reversed, strided and transposed arrays give the same result."""
    wide = np.random.default_rng(0).integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
    sequences = Sequences.of(np.arange(4)[:, None] + 1, 0.7)
    for view in (wide[::-1, ::2, ::-1], wide.transpose(0, 2, 1, 3)):
        out = apply(view, sequences, SPACE, Stream(index=range(4)))
        tidy = apply(np.ascontiguousarray(view), sequences, SPACE, Stream(index=range(4)))
        np.testing.assert_array_equal(out, tidy)
        assert out.flags.c_contiguous


def test_engine_name() -> None:
    assert automorph.engine.engine_name().split()[0] in ("reference", "native")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_vectors(kind: type) -> None:
    space = named_space("disc-axes")
    points = unit_disc(5).astype(kind)
    op = [[0, 1], [1, 0], [0, -1], [-1, -1], [0, 0]]
    steps = apply(points, Sequences.of(op), space, Stream(index=range(5)), prefixes=True)
    assert steps.shape == (5, 3, 2)
    assert steps.dtype == kind
    moved = np.array([[1, 1], [1, 1], [1, 0], [0, 0], [2, 0]]) * 0.75
    np.testing.assert_allclose(steps[:, 2], points + moved, rtol=1e-6)
    np.testing.assert_array_equal(steps[:, 0], points)


def test_vectors_one_at_a_time() -> None:
    double = Operation(
        "double", low=1, high=2, domain="vector", function=lambda vector, value: value * vector
    )
    space = SearchSpace("mine", (double,))
    points = unit_disc(4)
    out = apply(
        points, Sequences.of([[0]] * 4, [[0], [0.5], [1], [1]]), space, Stream(index=range(4))
    )
    np.testing.assert_allclose(out, points * np.array([[1], [1.5], [2], [2]]))


def test_vectors_are_floats() -> None:
    space = named_space("disc-axes")
    for wrong in (np.zeros((2, 2), int), np.zeros((2, 2, 2)), IMAGES):
        with pytest.raises(DataError, match="expected float vectors"):
            apply(wrong, Sequences.of([[0], [0]]), space, STREAM)


def test_texts_are_not_images() -> None:
    words = Operation("swap", domain="text", function=lambda text, value: text)
    with pytest.raises(AutomorphError, match="for texts"):
        apply(IMAGES, SEQUENCES, SearchSpace("texts", (words,)), STREAM)
