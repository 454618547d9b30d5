"""Which rows make up the batches of an epoch, when groups or mistakes come more often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.operations import Stream
from automorph.training import order, steps_per_epoch


def balanced_rows(
    groups: NDArray[np.int64], batch_size: int, *, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Batches in which every group that exists has as many rows, give or take one.

    As many rows and batches as in an epoch that shows every example once. A group is gone through
    in random order as often as needed, so none of its examples comes twice before all came once.

    >>> rows = balanced_rows(np.array([0, 0, 0, 0, 0, 0, 1, 1]), 4, seed=0, epoch=0)
    >>> [np.sort(batch // 6).tolist() for batch in rows]
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    n = len(groups)
    present = np.unique(groups)
    rows = np.empty(n, np.int64)
    for place, group in enumerate(present.tolist()):
        members = np.flatnonzero(groups == group)
        slots = np.arange(place, n, len(present))
        rows[slots] = members[_rounds(len(members), len(slots), seed, epoch, group)]
    return np.array_split(rows, steps_per_epoch(n, batch_size))


def repeated_rows(
    copies: NDArray[np.int64], batch_size: int, *, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Batches from a set in which example i lies ``copies[i]`` times.

    As many rows and batches as in an epoch that shows every example once, so that methods cost
    the same: an epoch goes through a part of the larger set.
    """
    n = len(copies)
    larger = np.repeat(np.arange(n), copies)
    rows = larger[order(len(larger), seed=seed, epoch=epoch)[:n]]
    return np.array_split(rows, steps_per_epoch(n, batch_size))


def _rounds(n: int, wanted: int, seed: int, epoch: int, group: int) -> NDArray[np.int64]:
    """``wanted`` numbers below n: one random order of all after the other."""
    count = -(-wanted // n)
    index = np.tile(np.arange(n), count)
    copy = np.repeat(np.arange(count), n)
    words = Stream(seed=seed, epoch=epoch, index=index, copy=copy).bits(f"group:{group}", 1)
    numbers = np.argsort(words.reshape(count, n), axis=1, kind="stable").reshape(-1)
    return numbers[:wanted]
