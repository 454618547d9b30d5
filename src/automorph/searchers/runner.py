"""The loop that all searches share: ask, run unfinished jobs, store results, tell."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from automorph.errors import UsageError
from automorph.experiments import (
    Executor,
    ExternalTask,
    FinishedJob,
    Job,
    JobResult,
    Store,
    key_of,
    remove_checkpoints,
)
from automorph.searchers.base import Searcher
from automorph.searchers.budget import Plan
from automorph.searchers.child_training import trainings
from automorph.searchers.outlook import Outlook, Snapshot
from automorph.searchers.trial_analysis import Tried
from automorph.training import Task, Units

Phase = Literal["measure", "search", "final"]
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Finished:
    """A job that has just ended: what it tried, and its score (None: it failed)."""

    name: str
    score: float | None


@dataclass(frozen=True)
class NestedPlace:
    """Which search of a nested cross-validation runs: ``number`` of ``searches``.

    ``trainings`` is the cost of all of them, in plain trainings (None: not known yet).
    """

    number: int
    searches: int
    trainings: float | None


@dataclass(frozen=True)
class SearchProgress:
    """Progress of a search: ``share`` of its phase, best score, seconds left, its ``plan``.

    ``outlook`` is what it would choose now, once its plan is known. In a ``nested``
    cross-validation, ``share`` and seconds are those of all searches.
    """

    phase: Phase
    done: int
    share: float
    best: float | None = None
    seconds_left: float | None = None
    last: Finished | None = None
    plan: Plan | None = None
    outlook: Outlook | None = None
    nested: NestedPlace | None = None


class SearchRunner:
    """Runs a search against its record; its clock continues from the stored one."""

    def __init__(
        self,
        record: Store,
        progress: Callable[[SearchProgress], None] | None = None,
        *,
        own: bool = False,
    ) -> None:
        self.record = record
        self.own = own
        """True on the user's own training code: failed final trainings are tried again by the next
        call, and a result that is used twice costs nothing the second time."""
        self.progress = progress
        self.began = time.monotonic() - record.clock
        self.reported: list[FinishedJob] = []
        """The trials of the search itself, in the order in which they were reported to it."""
        self.asked: list[Job] = []
        """The jobs of these trials, in the same order."""
        self.plan: Plan | None = None
        self.now: Snapshot | None = None
        """What the search would return: as of its last generation."""
        self.ran = 0
        """How many jobs were run rather than read."""

    @property
    def clock(self) -> float:
        """Seconds of work on this search, including earlier calls."""
        return time.monotonic() - self.began

    def measure(self, jobs: Sequence[Job], executor: Executor, budget: float) -> list[JobResult]:
        """Run jobs that are not trials of the search; they are not stored.

        Raises `UsageError` if they take longer than ``budget``, the seconds for everything.
        """
        self._show("measure", 0.0)
        outcomes = dict(executor.run(jobs, deadline=self.began + budget))
        if len(outcomes) < len(jobs) or self.clock > budget:
            raise UsageError(
                f"the first training used up the budget of {budget:.0f} s; a search with its final "
                "table needs about twenty trainings. Allow more time, or reduce --epochs or --limit"
            )
        return [outcomes[index] for index in range(len(jobs))]

    def begin(self, plan: Plan, searcher: Searcher | None = None) -> None:
        """Report the plan and the searcher's first guess, before the first trial."""
        self.plan, self.now = plan, None if searcher is None else Snapshot.of(searcher)
        self._show("search", 0.0)

    def search(self, method: Searcher, executor: Executor, *, trials: int) -> bool:
        """Run a search; return True if version 0.1 ended it early, for lack of time.

        Results of an earlier run are reported again, in the order of the proposals, which brings
        the searcher back to the same state.
        """
        closed = self.record.noted("closed")
        generations = 0
        while closed is None or generations < closed["generations"]:
            jobs = method.ask()
            if not jobs:
                if closed is None:
                    self.record.note("closed", {"generations": generations, "stopped": False})
                return False

            def share(made: int) -> float:
                known = method.share()
                return (len(self.reported) + made) / max(1, trials) if known is None else known

            done = self._done(jobs, executor, share, "search")
            keys = [self.record.key(job) for job in jobs]
            method.tell([done[key].outcome for key in keys])
            self.now = Snapshot.of(method)
            # Equal jobs are one trial.
            asked = dict(zip(keys, jobs, strict=True))
            self.reported += [done[key] for key in asked]
            self.asked += asked.values()
            generations += 1
        return bool(closed["stopped"])

    def final(
        self,
        jobs: Mapping[K, Job],
        executor: Executor,
        *,
        before: int = 0,
        planned: int | None = None,
    ) -> dict[K, JobResult]:
        """Run trainings of the final table, the longest first.

        ``before`` are those that are finished, of ``planned`` (None: these jobs).
        """
        order = sorted(jobs, key=lambda name: -getattr(jobs[name], "epoch_multiplier", 1))
        whole = len(jobs) if planned is None else planned

        def share(made: int) -> float:
            return (before + made) / max(1, whole)

        done = self._done([jobs[name] for name in order], executor, share, "final")
        return {name: done[self.record.key(job)].outcome for name, job in jobs.items()}

    @property
    def tried(self) -> Tried:
        """The trials of the search, for analysis."""
        return Tried(self.asked, [trial.outcome for trial in self.reported])

    def close(self, folder: Path) -> None:
        """Remove the files that children left for one another; logs and results stay."""
        shutil.rmtree(folder / "children", ignore_errors=True)
        for job in (folder / "jobs").glob("*"):
            remove_checkpoints(job)

    @property
    def units(self) -> Units:
        """The cost of the search, without measurements and the final table."""
        return sum((units for _, units in self._costs()), Units())

    def _costs(self) -> Iterator[tuple[FinishedJob, Units]]:
        """Yield the reported trials and what each added to the cost of the search."""
        seen: set[str] = set()
        for trial in self.reported:
            again = self.own and trial.key in seen
            seen.add(trial.key)
            yield trial, Units() if again else trial.outcome.units

    def cost(self, task: Task | ExternalTask) -> float:
        """Return the same in plain trainings of the task."""
        return trainings(self.units, task)

    def trace(self, task: Task | ExternalTask) -> Iterator[dict[str, Any]]:
        """Yield the clock, cost, score and best score of every trial, in the order of proposals.

        The order in which parallel trials end is random, and would not be reproducible.
        """
        spent, best, clock = Units(), -math.inf, 0.0
        for trial, units in self._costs():
            spent, best = spent + units, max(best, trial.outcome.score)
            clock = max(clock, trial.clock)
            if math.isfinite(best):
                score = trial.outcome.score
                yield {
                    "clock": clock,
                    "trainings": trainings(spent, task),
                    "score": score if math.isfinite(score) else None,
                    "best": best,
                    "kind": trial.kind,
                }

    def _done(
        self,
        jobs: Sequence[Job],
        executor: Executor,
        share: Callable[[int], float],
        phase: Phase,
    ) -> dict[str, FinishedJob]:
        """Return the finished trials of the jobs by key."""
        by_key = {self.record.key(job): job for job in jobs}
        done = {k: self.record.by_key[k] for k in by_key if k in self.record.by_key}
        missing = [job for key, job in by_key.items() if key not in done]
        began, before = time.monotonic(), len(done)
        for index, outcome in executor.run(missing, test=phase == "final"):
            job = missing[index]
            if outcome.error and phase == "final" and self.own:
                trial = FinishedJob(key_of(job), "final", outcome, self.clock)
            else:
                trial = self.record.add(job, outcome, clock=self.clock)
            done[trial.key] = trial
            self.ran += 1
            part = share(len(done))
            left = None
            if phase == "final" and part > share(before):
                left = (time.monotonic() - began) / (part - share(before)) * (1 - part)
            score = outcome.score if math.isfinite(outcome.score) else None
            last = Finished(_name_of(missing[index]), score)
            self._show(phase, part, done=len(done), left=left, last=last)
        return done

    def _show(
        self,
        phase: Phase,
        share: float,
        *,
        done: int = 0,
        left: float | None = None,
        last: Finished | None = None,
    ) -> None:
        if self.progress is None:
            return
        scores = [t.outcome.score for t in self.record.finished if t.kind != "final"]
        best = max((score for score in scores if math.isfinite(score)), default=None)
        if phase == "search":
            done = len(self.record.finished)
            if left is None and share > 0:
                left = self.clock / min(1.0, share) * (1 - min(1.0, share))
        outlook = None if self.now is None else self.now.outlook
        self.progress(
            SearchProgress(phase, done, min(1.0, share), best, left, last, self.plan, outlook)
        )


def _name_of(job: Job) -> str:
    """Return a readable name of what a job tries."""
    policy = getattr(job, "policy", None)
    return str(getattr(policy, "name", None) or job.describe().get("job", "a job"))
