"""What runs jobs, whether in this process, in worker processes or on a cluster.

An executor sends what the jobs share to a worker once, runs every job on one thread, and replaces
a worker that dies. Results do not depend on the executor.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from automorph.errors import AutomorphError, DiskError
from automorph.experiments.job import Job, JobResult
from automorph.experiments.progress import Listener, listening
from automorph.training import Task

Done = Iterator[tuple[int, JobResult]]
OnShare = Callable[[int, float], object]
"""Called with the index of a running job and its finished share."""


class Executor(AbstractContextManager["Executor"], ABC):
    """Runs jobs; ``jobs`` is how many run in parallel."""

    jobs: int = 1

    @abstractmethod
    def run(
        self,
        jobs: Sequence[Job],
        *,
        deadline: float = math.inf,
        test: bool = False,
        progress: OnShare | None = None,
    ) -> Done:
        """Yield the index and result of each job as it finishes.

        After ``deadline`` (of `time.monotonic`) no job starts, and jobs that run in other processes
        are ended. Jobs see no test part unless ``test`` is set. ``progress`` is called while jobs
        run, where the executor can tell.
        """

    def __exit__(self, *error: Any) -> None:
        """Release all workers."""


def attempt(
    job: Job, task: Any, folder: Path, test: bool = False, listener: Listener | None = None
) -> JobResult:
    """Run a job; one that fails with an `AutomorphError`, or for lack of memory, scores ``-inf``.

    A full disk is not a failure of the job: the error ends the run, which can resume later.
    """
    began = time.perf_counter()
    try:
        with listening(listener):
            return job.run(task if test else task_without_test(task), folder)
    except DiskError:
        raise
    except (AutomorphError, MemoryError) as error:
        why = str(error) or "it ran out of memory; try a smaller network or batch"
        return failure(why, time.perf_counter() - began)


def failure(why: str, seconds: float = 0.0) -> JobResult:
    """Return the result of a job that failed."""
    return JobResult(-math.inf, seconds=seconds, error=why)


@lru_cache(maxsize=2)
def task_without_test(task: Any) -> Any:
    """Hide the test part; the same task gives the same object, so that caches keyed by it hit."""
    if not isinstance(task, Task):
        return task.without_test()
    hidden = task.data.without_test()
    return task if hidden is task.data else replace(task, data=hidden)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: sums are then taken in the same order on every executor."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
