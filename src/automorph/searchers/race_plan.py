"""The plan of a race: which candidates train up to which epoch, on how many splits.

The race cuts its candidates where that costs little and spends what it saves on the last decisions:
in our trials, more than half of the loss against the best candidate came from deciding between the
last two by one seed and one validation part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

DECIDING = 2
"""The rung from which candidates are chosen, half of a training; those before only drop some."""
SHARES = (0.125, 0.25, 0.5, 1.0)
CONTENDERS, FINALISTS = 4, 2
"""Candidates at half of a training, no augmentation among them, and at its end."""
MOST_SPLITS = 5
FEWEST = 6
"""With fewer candidates, one split and more of them are worth more than two splits."""


@dataclass(frozen=True)
class Rung:
    """This many candidates train up to this epoch, on so many splits into training and validation.

    On every split they share the seed.
    """

    epochs: int
    candidates: int
    splits: int


@dataclass(frozen=True)
class RacePlan:
    """The rungs of a race, and its cost in plain trainings if no candidate drops out early."""

    rungs: tuple[Rung, ...]
    cost: float


def plan_race(
    epochs: int, candidates: int, trainings: float, *, restarts: bool = False, held_out: float = 0.0
) -> RacePlan:
    """Plan a race that costs at most so many plain trainings, if two candidates fit.

    Half of the candidates end after an eighth of a training, all but four after a quarter and all
    but two after half of it. The last two rungs take as many splits as the budget allows; if it
    does not pay for two, the last candidates do not start, and then there is one split. The further
    splits hold the share ``held_out`` of the training part back, which makes them cheaper. With
    ``restarts``, a longer training does not continue a shorter one.

    >>> plan = plan_race(40, 16, 8, held_out=0.2)
    >>> [(rung.epochs, rung.candidates, rung.splits) for rung in plan.rungs]
    [(5, 16, 1), (10, 8, 1), (20, 4, 2), (40, 2, 2)]
    >>> round(plan.cost, 2)
    7.4
    """
    for count, splits in _sizes(candidates):
        rungs = _ladder(epochs, count, splits)
        cost = _cost(rungs, epochs, restarts, held_out)
        if cost <= trainings + 1e-9:
            return RacePlan(rungs, cost)
    return RacePlan(rungs, cost)


def _sizes(candidates: int) -> Iterator[tuple[int, int]]:
    """Yield numbers of candidates and splits, in the order of preference."""
    for splits in range(MOST_SPLITS, 1, -1):
        yield candidates, splits
    for count in range(candidates - 1, FEWEST - 1, -1):
        yield count, 2
    for count in range(candidates, 1, -1):
        yield count, 1
    if candidates < 2:
        yield candidates, 1


def _ladder(epochs: int, count: int, splits: int) -> tuple[Rung, ...]:
    rungs, left = [], count
    for number, share in enumerate(SHARES):
        rungs.append(Rung(max(1, round(share * epochs)), left, splits if number >= DECIDING else 1))
        left = min(left, (math.ceil(left / 2), CONTENDERS, FINALISTS, FINALISTS)[number])
    return tuple(rungs)


def _cost(rungs: tuple[Rung, ...], epochs: int, restarts: bool, held_out: float) -> float:
    total, before = 0.0, Rung(0, 0, 0)
    for rung in rungs:
        for split in range(rung.splits):
            done = before.epochs if split < before.splits else 0
            fresh = rung.epochs if restarts and rung.epochs > done else rung.epochs - done
            total += rung.candidates * fresh / epochs * (1 - held_out if split else 1)
        before = rung
    return total
