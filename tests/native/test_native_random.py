"""The compiled random numbers equal those of NumPy, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from automorph import native
from automorph.operations import Stream, named_space

NAMES = named_space("randaugment").names


def _stream(rng: np.random.Generator) -> Stream:
    n = int(rng.integers(0, 70))
    return Stream(
        seed=int(rng.integers(1000)),
        epoch=int(rng.integers(2**32)),
        index=rng.integers(-(2**40), 2**40, n),
        copy=rng.integers(0, 2**24, n),
        stage=int(rng.integers(256)),
    )


@pytest.mark.parametrize("seed", range(40))
def test_bits_and_races(variant: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stream = _stream(rng)
    start = int(rng.integers(0, 30)) + (int(rng.integers(0, 200)) << 24)
    draws, names = int(rng.integers(0, 12)), NAMES[: int(rng.integers(1, 15))]
    bits = stream.bits("op", draws, start=start)
    winners = stream.race(names, draws, start=start)
    with native.using("reference"):
        expected = stream.bits("op", draws, start=start)
        np.testing.assert_array_equal(winners, stream.race(names, draws, start=start))
    np.testing.assert_array_equal(bits, expected)
    assert bits.dtype == expected.dtype
    assert winners.dtype == np.int16


def test_numbers_beyond_the_compiled_range(variant: str) -> None:
    stream = Stream(index=[1, 2])
    start = (1 << 32) - 2
    bits = stream.bits("op", 4, start=start)
    np.testing.assert_array_equal(bits[:, :2], stream.bits("op", 2, start=start))
