"""Known answers of Philox, and the guarantees of streams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automorph.operations import OPERATIONS, Stream, normal, occurring, philox, unit_interval
from automorph.operations.random import stream_key

# Random123's known answers for philox4x32-10: zeros, ones, and digits of pi.
KNOWN = [
    (
        [0, 0, 0, 0],
        [0, 0],
        [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
    ),
    (
        [0xFFFFFFFF] * 4,
        [0xFFFFFFFF] * 2,
        [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
    ),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_known_answers(counter: list[int], key: list[int], answer: list[int]) -> None:
    assert philox(counter, key).tolist() == answer


def test_philox_broadcasts() -> None:
    counters = np.array([known[0] for known in KNOWN])
    keys = np.array([known[1] for known in KNOWN])
    answers = np.array([known[2] for known in KNOWN])
    np.testing.assert_array_equal(philox(counters, keys), answers)
    square = philox(counters[:, None], keys)
    np.testing.assert_array_equal(np.diagonal(square).T, answers)


def test_streams_are_philox() -> None:
    """A word is Philox of (index, epoch, block, copy and stage) under the key of seed and name."""
    stream = Stream(seed=9, epoch=3, index=[5, 2**32 + 6], copy=[1, 2], stage=4)
    words = stream.bits("op", 6, start=3)
    key = stream_key(9, "op")
    for row, (index, copy) in enumerate([(5, 1), (6, 2)]):
        blocks = [philox([index, 3, block, copy | 4 << 24], key) for block in range(3)]
        assert words[row].tolist() == np.concatenate(blocks)[3:9].tolist()


@given(
    st.integers(0, 2**40), st.integers(1, 50), st.integers(0, 40), st.integers(0, 12),
    st.sampled_from(("order", "policy", "coins", "op")),
)  # fmt: skip
def test_any_part_of_a_stream_is_the_same(
    first: int, n: int, start: int, draws: int, name: str
) -> None:
    stream = Stream(seed=first % 97, epoch=first % 5, index=np.arange(n) + first)
    whole = stream.bits(name, start + draws)
    assert whole.shape == (n, start + draws)
    assert whole.dtype == np.uint32
    np.testing.assert_array_equal(stream.bits(name, draws, start=start), whole[:, start:])
    rows = np.random.default_rng(n).permutation(n)[: n // 2]
    np.testing.assert_array_equal(stream.take(rows).bits(name, start + draws), whole[rows])


def test_every_coordinate_moves_the_numbers() -> None:
    base = {"seed": 0, "epoch": 0, "index": [7], "copy": 0, "stage": 0}
    seen = [Stream(**base).bits("op", 4).tobytes(), Stream(**base).bits("coins", 4).tobytes()]
    for name, other in (("seed", 1), ("epoch", 1), ("index", [8]), ("copy", 1), ("stage", 1)):
        seen.append(Stream(**{**base, name: other}).bits("op", 4).tobytes())
    assert len(set(seen)) == len(seen)


def test_uniform_numbers_are_uniform() -> None:
    u = Stream(seed=1, index=np.arange(20000)).uniform("policy", 5)
    assert u.dtype == np.float32
    assert u.min() >= 0
    assert u.max() < 1
    counts = np.histogram(u, 50, (0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 90  # chi-square, 49 degrees of freedom
    assert np.abs(np.corrcoef(u.T) - np.eye(5)).max() < 0.03
    assert unit_interval(np.array([0, 255, 2**32 - 1], np.uint32)).tolist() == [0, 0, 1 - 2**-24]


def test_normal_numbers_are_normal() -> None:
    u = Stream(seed=1, index=np.arange(50000)).uniform("policy", 2)
    z = normal(u[:, 0], u[:, 1])
    assert abs(z.mean()) < 0.02
    assert abs(z.std() - 1) < 0.02
    assert abs((np.abs(z) < 1.96).mean() - 0.95) < 0.005


def test_race_is_fair() -> None:
    names = tuple(OPERATIONS)[:7]
    winner = Stream(seed=2, index=np.arange(7000)).race(names, 3)
    assert winner.dtype == np.int16
    counts = np.bincount(winner.reshape(-1), minlength=7)
    assert ((counts - 3000) ** 2 / 3000).sum() < 23  # chi-square, 6 degrees of freedom


@given(st.permutations(list(OPERATIONS)), st.integers(1, 10), st.integers(0, 2**32))
def test_race_is_stable_under_an_added_name(order: list[str], count: int, seed: int) -> None:
    """Adding a name changes only the choices that fall on it, wherever it is inserted."""
    stream = Stream(seed=seed, index=np.arange(60))
    few, newcomer = tuple(order[:count]), order[count]
    many = (*few[: count // 2], newcomer, *few[count // 2 :])
    before = np.array(few)[stream.race(few, 3)]
    after = np.array(many)[stream.race(many, 3)]
    np.testing.assert_array_equal(before[after != newcomer], after[after != newcomer])


def test_race_of_one() -> None:
    assert not Stream(index=range(9)).race(("only",), 4, start=2).any()


def test_empty_streams() -> None:
    nobody = Stream(index=[])
    assert nobody.bits("op", 3).shape == (0, 3)
    assert nobody.race(("a", "b"), 3).shape == (0, 3)
    assert Stream(index=[1, 2]).bits("op", 0).shape == (2, 0)


def test_occurrences_draw_under_numbers_of_their_own() -> None:
    index = np.repeat(np.arange(300), 300)
    times = np.tile(np.arange(300), 300)
    numbers = occurring(index, times)
    assert len(np.unique(numbers)) == len(numbers)
    np.testing.assert_array_equal(numbers[times == 0], np.arange(300))
    assert numbers.min() >= 0
    assert numbers.max() < 1 << 32
    # One example never repeats a number, however often it comes; hashes are numbers, too.
    many = occurring(np.full(1 << 16, (1 << 32) - 1), np.arange(1 << 16))
    assert len(np.unique(many)) == len(many)
