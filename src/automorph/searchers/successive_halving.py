"""Successive halving: many treatments trained briefly, the better ones for longer.

Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization"
(AISTATS 2016). All treatments of a heat share their seeds, so they differ by the policy alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STARTS = (1.0, 0.5, 0.25, 0.125)
"""Possible lengths of the first heat, as shares of a whole training."""
ENOUGH = 3
"""Paired seeds that make a heat worth its length."""
MOST = 5
FINALISTS = 2


@dataclass(frozen=True)
class Heat:
    """This many treatments train up to this epoch, under this many paired seeds."""

    epochs: int
    treatments: int
    seeds: int


def heats(
    epochs: int, costs: Sequence[float], trainings: float, *, restarts: bool = False
) -> list[Heat]:
    """Plan the heats that this many plain trainings pay for; the last one has whole trainings.

    ``costs`` are those of the treatments, relative to plain training. Each heat lasts twice as long
    as the one before and keeps half of the treatments, at least two. The first is the longest that
    leaves three paired seeds to each; the remainder gives the two finalists more seeds, in a heat
    of their own. If not even the shortest first heat fits, the last treatments do not start. With
    ``restarts``, a longer training does not continue a shorter one, and costs more.

    >>> [(heat.epochs, heat.treatments, heat.seeds) for heat in heats(40, [1] * 8, 22)]
    [(20, 8, 3), (40, 4, 3), (40, 2, 5)]
    >>> [(heat.epochs, heat.treatments, heat.seeds) for heat in heats(40, [1] * 8, 7)]
    [(5, 8, 2), (10, 4, 2), (20, 2, 2), (40, 2, 2)]
    >>> plan = heats(40, [1] * 8, 22, restarts=True)
    >>> [(heat.epochs, heat.treatments, heat.seeds) for heat in plan]
    [(10, 8, 3), (20, 4, 3), (40, 2, 3), (40, 2, 5)]
    """
    count = len(costs)
    while True:
        mean = sum(costs[:count]) / max(1, count)
        chosen = None
        for start in STARTS:
            ladder = _ladder(epochs, count, start)
            seeds = min(
                MOST, math.floor(trainings / max(1e-9, mean * _cost(ladder, epochs, restarts)))
            )
            if seeds >= ENOUGH or (start == STARTS[-1] and seeds >= 1):
                chosen = ladder, max(1, seeds)
                break
        if chosen is not None or count <= FINALISTS:
            break
        count -= 1
    ladder, seeds = chosen or (_ladder(epochs, count, STARTS[-1]), 1)
    left = trainings - mean * seeds * _cost(ladder, epochs, restarts)
    plan = [Heat(stop_epoch, count, seeds) for stop_epoch, count in ladder]
    finalists = min(FINALISTS, count)
    more = min(MOST - seeds, math.floor(max(0.0, left) / (mean * finalists)))
    return [*plan, Heat(epochs, finalists, seeds + more)] if more else plan


def _ladder(epochs: int, count: int, start: float) -> list[tuple[int, int]]:
    """Return epochs and number of treatments of each heat; heats of equal length are merged."""
    steps: dict[int, int] = {}
    share, left = start, count
    while True:
        stop_epoch = max(1, round(min(1.0, share) * epochs))
        steps.setdefault(stop_epoch, left)
        if share >= 1:
            return sorted(steps.items())
        share, left = 2 * share, min(left, max(FINALISTS, math.ceil(left / 2)))


def _cost(ladder: Sequence[tuple[int, int]], epochs: int, restarts: bool = False) -> float:
    """Return the plain trainings of one seed; each heat continues the one before, or restarts."""
    total, done = 0.0, 0
    for stop_epoch, count in ladder:
        total += count * (stop_epoch - done) / epochs
        done = 0 if restarts else stop_epoch
    return total
