"""The order of the examples: a pure function of seed and epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.operations import Stream


def order(n: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """A permutation of 0 to n-1, int64 ``(n,)``.

    >>> sorted(order(5, seed=0, epoch=3).tolist())
    [0, 1, 2, 3, 4]
    """
    words = Stream(seed=seed, epoch=epoch, index=np.arange(n)).bits("order", 1)[:, 0]
    return np.argsort(words, kind="stable")


def steps_per_epoch(n: int, batch_size: int) -> int:
    """How many batches an epoch has."""
    return -(-n // batch_size)


def batches(n: int, batch_size: int, *, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """The epoch's batches: every example once, and sizes that differ by one at most.

    So there is no small last batch whose statistics are poor, and none is dropped.

    >>> [len(batch) for batch in batches(100, 32, seed=0, epoch=0)]
    [25, 25, 25, 25]
    """
    return np.array_split(order(n, seed=seed, epoch=epoch), steps_per_epoch(n, batch_size))
