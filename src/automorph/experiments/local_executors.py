"""Jobs on this machine: in this process, or in worker processes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from automorph.experiments.executor import Done, Executor, OnShare, attempt, failure, one_thread
from automorph.experiments.job import Job, JobResult
from automorph.experiments.progress import Listener
from automorph.experiments.workers import LostWorkerError, Workers


class Local(Executor):
    """Runs one job after the other, in this process."""

    def __init__(self, task: Any, folder: Path) -> None:
        self.task, self.folder = task, folder

    def run(
        self,
        jobs: Sequence[Job],
        *,
        deadline: float = math.inf,
        test: bool = False,
        progress: OnShare | None = None,
    ) -> Done:
        """Run the jobs in order."""
        for index, job in enumerate(jobs):
            if time.monotonic() > deadline:
                return
            listener = None if progress is None else partial(progress, index)
            with one_thread():
                outcome = attempt(job, self.task, self.folder, test, listener)
            yield index, outcome


class Processes(Executor):
    """Runs jobs in parallel worker processes."""

    def __init__(self, task: Any, folder: Path, jobs: int) -> None:
        self.jobs = jobs
        self.workers = Workers(jobs, _start, (task, folder))

    def run(
        self,
        jobs: Sequence[Job],
        *,
        deadline: float = math.inf,
        test: bool = False,
        progress: OnShare | None = None,
    ) -> Done:
        """Run the jobs; one whose worker dies repeatedly has failed."""
        handed = [(job, test) for job in jobs]
        done = self.workers.run(_in_worker, handed, deadline=deadline, progress=progress)
        for index, outcome in done:
            lost = isinstance(outcome, LostWorkerError)
            yield index, failure(str(outcome)) if lost else outcome

    def __exit__(self, *error: Any) -> None:
        """End all workers, including busy ones."""
        self.workers.end()


_shared: dict[str, Any] = {}


def _start(task: Any, folder: Path) -> None:
    _shared.update(task=task, folder=folder)


def _in_worker(listener: Listener, job: Job, test: bool) -> JobResult:
    return attempt(job, _shared["task"], _shared["folder"], test, listener)
