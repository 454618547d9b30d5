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
