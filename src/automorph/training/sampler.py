"""The order of the examples: a pure function of seed and epoch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from automorph.operations import Stream, occurrences


def order(n: int, *, seed: int, epoch: int, stream: str = "order") -> NDArray[np.int64]:
    """Return a permutation of 0 to n-1, int64 ``(n,)``.

    >>> sorted(order(5, seed=0, epoch=3).tolist())
    [0, 1, 2, 3, 4]
    """
    words = Stream(seed=seed, epoch=epoch, index=np.arange(n)).bits(stream, 1)[:, 0]
    return np.argsort(words, kind="stable")


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Return the number of batches of an epoch."""
    return -(-n // batch_size)


def repeats(rows: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Return, for each row of an epoch's batches, how often its example came before.

    >>> repeats([np.array([4, 2, 4]), np.array([4, 7])])
    [array([0, 0, 1]), array([2, 0])]
    """
    if not rows:
        return []
    ends = np.cumsum([len(batch) for batch in rows])
    return np.split(occurrences(np.concatenate(rows)), ends[:-1])


def batches(n: int, batch_size: int, *, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Return the epoch's batches: every example once, sizes differing by at most one.

    This avoids a small last batch with poor statistics, and drops no example.

    >>> [len(batch) for batch in batches(100, 32, seed=0, epoch=0)]
    [25, 25, 25, 25]
    """
    return np.array_split(order(n, seed=seed, epoch=epoch), steps_per_epoch(n, batch_size))


def balanced_rows(
    groups: NDArray[np.int64], batch_size: int, *, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return batches in which every present group has equally many rows, up to one.

    There are as many rows and batches as in an epoch that shows every example once. A group is
    traversed in random order as often as needed, so no example repeats before all were shown.

    >>> rows = balanced_rows(np.array([0, 0, 0, 0, 0, 0, 1, 1]), 4, seed=0, epoch=0)
    >>> [np.sort(batch // 6).tolist() for batch in rows]
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    n = len(groups)
    present = np.unique(groups)
    rows = np.empty(n, np.int64)
    for number, group in enumerate(present.tolist()):
        members = np.flatnonzero(groups == group)
        slots = np.arange(number, n, len(present))
        rows[slots] = members[_rounds(len(members), len(slots), seed, epoch, group)]
    return np.array_split(rows, steps_per_epoch(n, batch_size))


def unlabelled_rows(
    n: int, count: int, *, seed: int, step: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``count`` of ``n`` unlabelled examples for a step, and how often each came before.

    ``step`` counts from 0 over the whole training. The steps walk through the examples in random
    order, again and again: no example comes a second time before all have come once.

    >>> rows, times = unlabelled_rows(4, 3, seed=0, step=1)
    >>> times.tolist()
    [0, 1, 1]
    """
    times, places = np.divmod(step * count + np.arange(count), n)
    rows = np.empty(count, np.int64)
    for time in np.unique(times).tolist():
        rows[times == time] = _unlabelled_order(n, seed, time)[places[times == time]]
    return rows, times


@lru_cache(maxsize=4)
def _unlabelled_order(n: int, seed: int, time: int) -> NDArray[np.int64]:
    return order(n, seed=seed, epoch=time, stream="unlabelled")


def _rounds(n: int, wanted: int, seed: int, epoch: int, group: int) -> NDArray[np.int64]:
    """Return ``wanted`` indices below n: one random order of all after the other."""
    count = -(-wanted // n)
    index = np.tile(np.arange(n), count)
    copy = np.repeat(np.arange(count), n)
    words = Stream(seed=seed, epoch=epoch, index=index, copy=copy).bits(f"group:{group}", 1)
    numbers = np.argsort(words.reshape(count, n), axis=1, kind="stable").reshape(-1)
    return numbers[:wanted]
