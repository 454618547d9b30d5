"""Gamma by hand and against torchvision; that all paths agree is tested for every operation."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import functional

from automorph.engine import apply, apply_reference
from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream


def test_the_middle_of_its_range_changes_nothing() -> None:
    gamma = OPERATIONS["Gamma"]
    assert gamma.values([0, 0, 1, 1], [1, -1, 1, -1]).tolist() == [0, 0, 1.5, -1.5]
    assert (gamma.unit, gamma.signed, gamma.identity_at_zero) == ("octaves", True, True)


@pytest.mark.parametrize("path", [apply, apply_reference])
@pytest.mark.parametrize(
    ("octaves", "expected"),
    [
        (1, [0, 0, 16, 64, 145, 255]),
        (-1, [0, 35, 128, 181, 222, 255]),
        (0, [0, 5, 64, 128, 192, 255]),
    ],
)
def test_squares_and_roots(path, octaves, expected) -> None:  # type: ignore[no-untyped-def]
    levels = np.array([0, 5, 64, 128, 192, 255], np.uint8).reshape(1, 1, 6, 1)
    space = SearchSpace("one", (OPERATIONS["Gamma"].at(octaves),))
    out = path(levels, Sequences.of([[0]]), space, Stream(index=[0]))
    assert out.reshape(-1).tolist() == expected


@pytest.mark.parametrize("path", [apply, apply_reference])
@pytest.mark.parametrize("low", [-1e300, -2000, -50, 50, 2000, 1e300])
@pytest.mark.filterwarnings("error")
def test_extreme_values_overflow_nowhere(path, low) -> None:  # type: ignore[no-untyped-def]
    levels = np.array([0, 1, 254, 255], np.uint8).reshape(1, 1, 4, 1)
    space = SearchSpace("one", (OPERATIONS["Gamma"].at(low),))
    out = path(levels, Sequences.of([[0]]), space, Stream(index=[0]))
    assert out.reshape(-1).tolist()[1:3] == ([255, 255] if low < 0 else [0, 0])


@pytest.mark.parametrize("octaves", [-1.5, -0.7, -0.1, 0.3, 1.2, 1.5])
def test_equal_to_torchvision(octaves: float) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    space = SearchSpace("one", (OPERATIONS["Gamma"].at(octaves),))
    out = apply(levels, Sequences.of([[0]]), space, Stream(index=[0]))
    theirs = functional.adjust_gamma(Image.fromarray(levels[0, ..., 0]), 2.0**octaves)
    np.testing.assert_array_equal(out[0, ..., 0], np.asarray(theirs))
