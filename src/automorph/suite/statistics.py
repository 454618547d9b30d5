"""The statistics of the suite: differences over sets and seeds, with their interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
"""Bootstrap draws."""

Tests = Mapping[str, Sequence[float]]
"""Test accuracies of a set by arm, one for each seed."""


def pairs(tests: Mapping[str, Tests], mine: str, other: str) -> NDArray[np.float64]:
    """Return one arm minus another ``(sets, seeds)``; sets in which one is missing are left out.

    >>> pairs({"mnist": {"a": [0.5, 0.75], "b": [0.25, 0.25]}}, "a", "b").tolist()
    [[0.25, 0.5]]
    """
    both = [(one[mine], one[other]) for one in tests.values() if one.get(mine) and one.get(other)]
    seeds = min((min(map(len, pair)) for pair in both), default=0)
    return np.array([np.subtract(a[:seeds], b[:seeds]) for a, b in both]).reshape(len(both), seeds)


def interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of ``(sets, seeds)``; None for a single value.

    A bootstrap of two levels: sets are drawn again with replacement, and seeds within each of them
    (Davison and Hinkley, "Bootstrap methods and their application", 1997, section 3.8).
    """
    if values.size < 2:
        return None
    rng = np.random.default_rng(0)
    sets, seeds = values.shape
    rows = rng.integers(sets, size=(DRAWS, sets, 1))
    drawn = values[rows, rng.integers(seeds, size=(DRAWS, sets, seeds))].mean((1, 2))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
