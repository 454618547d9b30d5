"""Counter-based random numbers: each is a pure function of where it is used.

Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
maps a 128-bit counter and a 64-bit key to 128 random bits. The key is derived from the seed and the
name of the stream; the counter holds the sample index, the epoch, the number of the draw and the
number of the copy. No state is carried between calls, so an augmented batch is the same for any
number of workers, in any order, and after a resume.

The functions here are plain NumPy; the compiled engine, if in use, generates the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph import native

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_ROUNDS = 10
_WORD, _GOLDEN = 0xFFFFFFFF, 0x9E3779B1


def philox(counter: ArrayLike, key: ArrayLike) -> NDArray[np.uint32]:
    """Compute Philox 4x32-10 of counters ``(..., 4)`` with keys ``(..., 2)`` of 32-bit words.

    Keys broadcast against counters. Returns uint32 ``(..., 4)``.

    >>> [hex(word) for word in philox([0, 0, 0, 0], [0, 0])]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    words = np.asarray(counter, np.uint64)
    keys = np.asarray(key, np.uint64)
    c0, c1, c2, c3 = (words[..., i] for i in range(4))
    k0, k1 = keys[..., 0], keys[..., 1]
    for turn in range(_ROUNDS):
        # Round keys grow by Weyl constants, computed in 64-bit lanes that are cut to 32 bits.
        r0 = (k0 + np.uint64(turn * _W0)) & _LOW
        r1 = (k1 + np.uint64(turn * _W1)) & _LOW
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ r0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ r1, p0 & _LOW
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1).astype(np.uint32)


@lru_cache(maxsize=4096)
def stream_key(seed: int, name: str) -> tuple[int, int]:
    """Derive the 64-bit key of a seed's named stream, as two 32-bit words.

    Names are hashed, so adding a stream, or an operation to a space, changes no other number.

    >>> stream_key(0, "coins") == stream_key(0, "order")
    False
    """
    digest = blake2b(f"{int(seed)}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


@lru_cache(maxsize=256)
def _keys(seed: int, names: tuple[str, ...], prefix: str = "") -> NDArray[np.uint32]:
    """Return the keys of some streams, ``(names, 2)``."""
    keys = [stream_key(seed, prefix + name) for name in names]
    return np.array(keys, np.uint32).reshape(-1, 2)


def race_keys(seed: int, names: tuple[str, ...]) -> NDArray[np.uint32]:
    """Return the keys of the names in a seed's races, ``(names, 2)``."""
    return _keys(seed, names, "race:")


@dataclass(frozen=True, eq=False)
class Stream:
    """The random numbers of a batch: one row per example.

    ``index`` ``(n,)`` holds the numbers of the examples in their data set; ``copy`` (one number, or
    one per example) distinguishes the views of an example; ``stage`` distinguishes the parts of a
    pipeline. Standard names of streams: ``order``, ``policy``, ``coins``, ``op``.

    >>> a = Stream(seed=1, index=[7, 8, 9]).uniform("policy", 2)
    >>> b = Stream(seed=1, index=[9]).uniform("policy", 2)
    >>> bool((a[2] == b[0]).all())
    True
    """

    seed: int = 0
    epoch: int = 0
    index: Any = (0,)
    copy: Any = 0
    stage: int = 0

    def __post_init__(self) -> None:
        index = np.atleast_1d(np.asarray(self.index, np.int64))
        copy = np.empty(index.shape, np.int64)
        copy[...] = self.copy
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "copy", copy)

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: Any) -> Stream:
        """Select rows of the batch (indices or a mask)."""
        return replace(self, index=self.index[rows], copy=self.copy[rows])

    def at_stage(self, stage: int) -> Stream:
        """Return the stream of another pipeline stage, with independent numbers."""
        return replace(self, stage=stage)

    def counters(self, blocks: ArrayLike) -> NDArray[np.uint64]:
        """Return the batch's Philox counters ``(n, b, 4)`` for block numbers ``(b,)``.

        Words: sample index, epoch, block, then copy (24 bits) and stage (8 bits).
        """
        numbers = np.asarray(blocks, np.uint64)
        words = np.empty((len(self), len(numbers), 4), np.uint64)
        words[..., 0] = (self.index.astype(np.uint64) & _LOW)[:, None]
        words[..., 1] = np.uint64(self.epoch)
        words[..., 2] = numbers
        words[..., 3] = (self.copy.astype(np.uint64) | np.uint64(self.stage << 24))[:, None]
        return words

    def _compiled(self, end: int) -> bool:
        return native.available() and end <= 1 << 32 and self.epoch < 1 << 32

    def _compact(self) -> dict[str, Any]:
        """Return the counters in the form that the compiled engine takes."""
        return {
            "index": np.ascontiguousarray(self.index),
            "copy": self.copy.astype(np.uint32),
            "epoch": self.epoch,
            "stage": self.stage,
        }

    def bits(self, name: str, draws: int, *, start: int = 0) -> NDArray[np.uint32]:
        """Generate words uint32 ``(n, draws)`` of a stream, starting at draw ``start``."""
        key = _keys(self.seed, (name,))
        if self._compiled(start + draws):
            return native.random_bits(**self._compact(), key=key, start=start, draws=draws)
        first, last = start // 4, (start + draws + 3) // 4
        words = philox(self.counters(np.arange(first, last)), key)
        words = words.reshape(len(self), 4 * (last - first))
        return words[:, start - 4 * first : start - 4 * first + draws]

    def uniform(self, name: str, draws: int, *, start: int = 0) -> NDArray[np.float32]:
        """Generate numbers in [0, 1), float32 ``(n, draws)``, exact multiples of 2^-24."""
        return unit_interval(self.bits(name, draws, start=start))

    def race(self, names: tuple[str, ...], draws: int, *, start: int = 0) -> NDArray[np.int16]:
        """Choose uniformly among ``names``, int16 ``(n, draws)``: the name with the largest word.

        Every name has its own key. If a name is added, choices change only where the new name wins
        (rendezvous hashing; Thaler and Ravishankar 1998).
        """
        keys = race_keys(self.seed, names)
        if self._compiled(start + draws):
            return native.random_race(**self._compact(), keys=keys, start=start, draws=draws)
        first, last = start // 4, (start + draws + 3) // 4
        counters = self.counters(np.arange(first, last))[:, :, None, :]
        words = philox(counters, keys)  # (n, blocks, names, 4)
        winner: NDArray[np.int16] = words.argmax(axis=2).astype(np.int16)
        winner = winner.reshape(len(self), 4 * (last - first))
        return winner[:, start - 4 * first : start - 4 * first + draws]


def occurrences(index: ArrayLike) -> NDArray[np.int64]:
    """Count how often each number came before, int64 ``(n,)``.

    >>> occurrences([4, 2, 4, 4]).tolist()
    [0, 0, 1, 2]
    """
    numbers = np.asarray(index, np.int64)
    order = np.argsort(numbers, kind="stable")
    run = numbers[order]
    starts = np.flatnonzero(np.diff(run, prepend=run[:1] - 1))
    counted = np.empty(len(run), np.int64)
    counted[order] = np.arange(len(run)) - np.repeat(starts, np.diff(starts, append=len(run)))
    return counted


def occurring(index: ArrayLike, occurrence: ArrayLike) -> NDArray[np.int64]:
    """Return the numbers under which repeats of examples draw: int64, as ``index`` broadcast.

    ``occurrence`` counts how often an example came before in its epoch. The first time, it draws
    under its own number; later ones have numbers far away, all different for one example.

    >>> occurring([7, 7, 9], [0, 1, 0]).tolist()
    [7, 2654435768, 9]
    """
    numbers, times = np.asarray(index, np.int64), np.asarray(occurrence, np.int64)
    # Multiples of the golden ratio stay farthest apart, so examples rarely share a number.
    far = (numbers + times * _GOLDEN) & _WORD
    return np.where(times == 0, numbers, far)


def unit_interval(bits: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Convert random words to float32 in [0, 1), exactly, from their upper 24 bits."""
    return (bits >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def weighted(weights: ArrayLike, uniform: Any) -> NDArray[np.int64]:
    """Sample indices in proportion to ``weights`` from numbers in [0, 1), in their shape.

    >>> weighted([1, 0, 3], [0.0, 0.2, 0.25, 0.99]).tolist()
    [0, 0, 2, 2]
    """
    edges = np.cumsum(weights)
    found = np.searchsorted(edges / edges[-1], uniform, side="right")
    return np.asarray(np.minimum(found, len(edges) - 1), np.int64)


def normal(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Convert two uniform numbers to a standard normal one (Box and Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log1p(-first.astype(np.float64)))
    return np.asarray(radius * np.cos(2.0 * np.pi * second.astype(np.float64)), np.float64)
