"""Population based augmentation: parallel trainings copy the best ones and perturb their policies.

Ho, Liang, Stoica, Abbeel, Chen, "Population based augmentation" (ICML 2019). The result is a
schedule: the policies of the best training's ancestors, epoch by epoch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import Job, JobResult
from automorph.operations import Stream
from automorph.policies import Piece, Policy, Schedule, Shuffled, Step, check_range, load_policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob

TOPS = (10, 9)
"""The largest probability (in tenths) and the largest magnitude (in ninths)."""
RESAMPLED = 0.2
"""Share of numbers that exploration redraws; the others move by 0 to 3."""

Ints = NDArray[np.int64]


class PopulationBased(Searcher):
    """Trains ``members`` in parallel; every ``every`` epochs the worst quarter copies the best.

    A member is a table of (probability 0 to 10, magnitude 0 to 9) for ``copies`` of every
    operation, all 0 at first; an image gets at most two of them (`Shuffled`). After each
    generation, members of the lowest quarter copy weights and table of a random one of the highest
    quarter (exploit), and perturb the table (`explore`).

    A member trains the recipe's epochs, so it counts as one trial: ``members`` None means as many
    as there are trials. ``every`` None is 3 of 200 epochs, as published, and the same share of
    other schedules.
    """

    def __init__(
        self,
        setting: SearchContext,
        *,
        members: int | None = None,
        every: int | None = None,
        copies: int = 2,
    ) -> None:
        check_range("pba", "members", members or 1, int, 1, 10_000)
        check_range("pba", "every", every or 1, int, 1, 100_000)
        check_range("pba", "copies", copies, int, 1, 10)
        self.setting = setting
        self.epochs = setting.epochs
        self.every = every or max(1, round(self.epochs * 3 / 200))
        count = members or setting.trials
        self.names = setting.space.names * copies
        self.tables: list[Ints] = [np.zeros((len(self.names), 2), np.int64)] * count
        self.lines: list[tuple[Piece, ...]] = [()] * count
        self.jobs: list[Job | None] = [None] * count
        self.scores = [-math.inf] * count
        self.fresh: list[Piece] = []
        self.epoch = self.generation = 0

    def child(self, policy: Policy, *, member: int, parent: Job | None, stop_epoch: int) -> Job:
        """Return a member's training up to an epoch, from its parent's weights."""
        assert parent is None or isinstance(parent, TrainJob)
        return TrainJob(
            policy=policy, post_policy=self.setting.post_policy,
            seed=self.setting.seed + member, parent=parent, stop_epoch=stop_epoch,
        )  # fmt: skip

    def ask(self) -> Sequence[Job]:
        """Return every member's next epochs."""
        if self.epoch >= self.epochs:
            return []
        stop_epoch = min(self.epochs, self.epoch + self.every)
        policies = [self._policy(table) for table in self.tables]
        jobs = [
            self.child(policy, member=i, parent=self.jobs[i], stop_epoch=stop_epoch)
            for i, policy in enumerate(policies)
        ]
        self.fresh = [Piece(stop_epoch - self.epoch, policy) for policy in policies]
        self.jobs = list(jobs)
        return jobs

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Exploit and explore; failed members are among the worst."""
        self.scores = [outcome.score for outcome in outcomes]
        self.lines = [(*line, piece) for line, piece in zip(self.lines, self.fresh, strict=True)]
        self.epoch += self.fresh[0].epochs
        order = sorted(range(len(self.scores)), key=lambda i: -self.scores[i])
        well = [i for i in order if math.isfinite(self.scores[i])]
        if not well:
            self.epoch = self.epochs  # No member is left to copy.
            return
        self.generation += 1
        if self.epoch >= self.epochs:
            return
        quarter = max(1, len(order) // 4)
        best = well[:quarter]
        worst = [i for i in order[-quarter:] if i not in best]
        worst += [i for i in order if i not in well and i not in worst]
        stream = Stream(seed=self.setting.seed, epoch=self.generation, index=worst)
        chosen = (stream.uniform("pba: exploit", 1)[:, 0] * len(best)).astype(int)
        numbers = stream.uniform("pba: explore", 4 * self.tables[0].size).reshape(
            len(worst), len(self.names), 2, 4
        )
        for loser, source, uniform in zip(worst, chosen, numbers, strict=True):
            winner = best[source]
            self.jobs[loser], self.lines[loser] = self.jobs[winner], self.lines[winner]
            self.tables[loser] = explore(self.tables[winner], uniform)

    def result(self) -> Policy:
        """Return the schedule of the best member over the epochs it was trained."""
        best = max(range(len(self.scores)), key=self.scores.__getitem__)
        if not math.isfinite(self.scores[best]) or not self.lines[best]:
            return load_policy("none")
        label = f"pba of {len(self.scores)} members over {self.epoch} epochs"
        return Schedule(pieces=self.lines[best], label=label)

    def share(self) -> float:
        """Return the finished share of the epochs."""
        return self.epoch / self.epochs

    def _policy(self, table: Ints) -> Policy:
        steps = tuple(
            Step(name, chance / TOPS[0], magnitude / TOPS[1])
            for name, (chance, magnitude) in zip(self.names, table.tolist(), strict=True)
            if chance
        )
        return Shuffled(label="pba", operations=self.setting.space, steps=steps)


def explore(table: Ints, uniform: NDArray[np.float32]) -> Ints:
    """Redraw each number of a table, or move it by up to 3 either way and clip it.

    ``table`` ``(steps, 2)`` holds probabilities 0 to 10 and magnitudes 0 to 9, ``uniform``
    ``(steps, 2, 4)`` numbers in [0, 1): whether to redraw (one in five), the new value, how far
    to move (0 to 3, equally likely) and which way (Ho et al. 2019, algorithm 2).
    """
    tops = np.array(TOPS)
    anew = np.floor(uniform[..., 1] * (tops + 1)).astype(np.int64)
    way = np.where(uniform[..., 3] < 0.5, -1, 1)
    moved = np.clip(table + way * np.floor(uniform[..., 2] * 4).astype(np.int64), 0, tops)
    return np.asarray(np.where(uniform[..., 0] < RESAMPLED, anew, moved))
