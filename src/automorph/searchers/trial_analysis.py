"""Which operations a search tried over time, and how trials that used more of one scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import Job, JobResult, Treatment, mean_difference, policy_of
from automorph.policies import usage

FEW = 8
"""Fewer trials than this say nothing about operations."""
LEAST = 0.02
"""Smallest spread of an operation's share over the trials for which its effect is reported."""


@dataclass(frozen=True)
class Course:
    """Shares of operations ``(places,)`` by name, over the course of a search or of its learning.

    ``across`` is the unit of ``places``: ``trial`` (each share is then the mean of the last
    ``over`` trials), or the ``epoch`` or ``step`` of a single trial that learned its distribution.
    """

    across: str
    places: tuple[float, ...]
    operations: dict[str, tuple[float, ...]]
    over: int = 1


@dataclass(frozen=True)
class Effect:
    """Mean score of trials that used an operation more than the median, minus that of the rest."""

    operation: str
    mean: float
    low: float
    high: float
    trials: int


@dataclass(frozen=True)
class Tried:
    """The trials of a search: their jobs and results, in the order of the proposals."""

    jobs: Sequence[Job]
    outcomes: Sequence[JobResult]

    def course(self) -> Course | None:
        """Return what was tried from trial to trial; if trials learn, what the best one learned."""
        learned = [outcome for outcome in self.outcomes if outcome.facts.get("course")]
        if len(learned) > len(self._places):
            best: Mapping[str, Any] = max(learned, key=lambda one: one.score).facts["course"]
            operations = {name: tuple(values) for name, values in best["operations"].items()}
            return Course(best["across"], tuple(best["places"]), operations)
        if len(self._places) < FEW:
            return None
        over = max(1, len(self._places) // 8)
        means = _running(self._shares, over).T.tolist()
        operations = {name: tuple(one) for name, one in zip(self._names, means, strict=True)}
        places = tuple(float(place + 1) for place in self._places)
        return Course("trial", places, operations, over)

    def effects(self) -> tuple[Effect, ...]:
        """Return the effect of each operation on the score, over comparable trials; largest first.

        An association, not a cause: a search does not try operations at random.
        """
        alike = self._alike()
        rows = [row for row, index in enumerate(self._places) if index in alike]
        if len(rows) < FEW:
            return ()
        scores = np.array([self.outcomes[self._places[row]].score for row in rows])
        effects = []
        for name, share in zip(self._names, self._shares[rows].T, strict=True):
            more = share > np.median(share)
            if np.ptp(share) < LEAST or min(more.sum(), (~more).sum()) < 3:
                continue
            gap = mean_difference(scores[more], scores[~more])
            if gap.low is not None and gap.high is not None:
                effects.append(Effect(name, gap.mean, gap.low, gap.high, len(rows)))
        return tuple(sorted(effects, key=lambda effect: -effect.mean))

    def _alike(self) -> set[int]:
        """Return the indices of the trials whose scores compare: the commonest kind and length."""
        kinds: dict[str, set[int]] = {}
        for index, (job, outcome) in enumerate(zip(self.jobs, self.outcomes, strict=True)):
            if math.isfinite(outcome.score):
                content = job.describe()
                kind = [content.get(key) for key in ("job", "epochs", "until", "limit")]
                kinds.setdefault(repr([*kind, outcome.facts.get("epochs")]), set()).add(index)
        return max(kinds.values(), key=len, default=set())

    @cached_property
    def _used(self) -> dict[int, dict[str, float]]:
        """Share of each operation in each trial's policy, by the trial's index."""
        shares = {index: _usage_of(job) for index, job in enumerate(self.jobs)}
        return {index: used for index, used in shares.items() if used}

    @property
    def _places(self) -> list[int]:
        return list(self._used)

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for used in self._used.values() for name in used))

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """The same shares as an array ``(trials, operations)``."""
        rows = [[used.get(name, 0.0) for name in self._names] for used in self._used.values()]
        return np.array(rows, np.float64).reshape(len(rows), len(self._names))


def _usage_of(job: Job) -> dict[str, float]:
    """Return shares of operations by name; values held fixed count as their operation."""
    policy: Treatment | None = getattr(job, "policy", None)
    shares: dict[str, float] = {}
    for one in usage(policy_of(policy)) if policy is not None else ():
        name = one.operation.partition("[")[0]
        shares[name] = min(1.0, shares.get(name, 0.0) + one.share)
    return shares


def _running(values: NDArray[np.float64], over: int) -> NDArray[np.float64]:
    """Return the mean of each row and those before it, ``over`` rows at most."""
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    end = np.arange(1, len(values) + 1)
    start = np.maximum(end - over, 0)
    return np.asarray((sums[end] - sums[start]) / (end - start)[:, None])
