"""Checks for an executor: what runs jobs in this process, in others or on a cluster."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

from automorph.experiments import Executor, Job, JobResult, task_without_test
from automorph.testing.checks import Check, Kit, require
from automorph.testing.jobs import Die, Fail, Look
from automorph.testing.samples import one_thread, small_task
from automorph.training import Task

KIT = Kit("executor", callable, "a function of a task and a folder that opens the executor")
Open = Callable[[Task, Path], Executor]
PATIENCE = 60.0
"""Seconds after a deadline within which an executor must return, with the start of workers."""


def executor_checks() -> list[Check]:
    """Return the checks for an executor, each a function of what opens it.

    >>> [check.name for check in executor_checks()][:2]
    ['every_job_has_its_result', 'results_are_those_of_this_process']
    """
    return list(KIT)


def check_executor(open_executor: Open, *, skip: Iterable[str] = ()) -> None:
    """Run all checks for an executor.

    ``open_executor`` is a function of a task and a folder, or the executor's class. The executor
    is opened once for all checks, and runs about twenty small jobs, some of which kill the process
    that runs them (but never this one). ``skip`` names checks to leave out. Raises one
    `AssertionError` that lists all failures.

    >>> from functools import partial
    >>> from automorph.experiments import open_executor
    >>> check_executor(partial(open_executor, "local"))
    """
    KIT.check_kind(open_executor)
    with Session(open_executor) as session:
        KIT.run(open_executor, session=session, skip=skip)


class Session(AbstractContextManager["Session"]):
    """An open executor, and the results of jobs that several checks look at."""

    def __init__(self, open_executor: Open) -> None:
        self.task = small_task()
        self.folder = tempfile.TemporaryDirectory(
            prefix="automorph-kit-", ignore_cleanup_errors=True
        )
        try:
            self.executor = open_executor(self.task, Path(self.folder.name))
            self.executor.__enter__()
        except BaseException:
            self.folder.cleanup()
            raise

    def __exit__(self, *error: Any) -> None:
        """Close the executor and remove its folder."""
        try:
            self.executor.__exit__(None, None, None)
        finally:
            self.folder.cleanup()

    def run(self, *jobs: Job, **options: Any) -> list[tuple[int, JobResult]]:
        """Run jobs, and return what the executor yields."""
        return list(self.executor.run(jobs, **options))

    @cached_property
    def looks(self) -> list[tuple[int, JobResult]]:
        """The results of five jobs, of which the first takes longest, in order of completion."""
        return self.run(Look(0, 0.5), Look(1), Look(2), Look(3), Look(4, 0.2))


@KIT.add
def every_job_has_its_result(open_executor: Open, *, session: Session | None = None) -> None:
    """Each job has exactly one result, with the job's own index, in any order."""
    with _opened(open_executor, session) as used:
        indices = sorted(index for index, _ in used.looks)
        require(
            indices == [0, 1, 2, 3, 4],
            f"five jobs gave results with the indices {indices}",
            "0 to 4, each once",
            "yield (index, result) for every job",
        )
        nothing = used.run()
        require(not nothing, f"no jobs gave {nothing}", "no results", "yield nothing")


@KIT.add
def results_are_those_of_this_process(
    open_executor: Open, *, session: Session | None = None
) -> None:
    """Results equal those of the jobs run here, one after the other, to the bit."""
    with _opened(open_executor, session) as used, one_thread():
        hidden = task_without_test(used.task)
        for index, result in used.looks:
            here = Look(index).run(hidden, Path(used.folder.name))
            require(
                result.score == here.score and not result.error,
                f"job {index} scored {result.score!r} {result.error}, and {here.score!r} here",
                "the same score",
                "pass the result on unchanged; compute on one thread and the same kind of device",
            )


@KIT.add
def jobs_have_what_they_need(open_executor: Open, *, session: Session | None = None) -> None:
    """Jobs compute on one thread, and find the folder that they share."""
    with _opened(open_executor, session) as used:
        for index, result in used.looks:
            threads, folder = result.facts.get("threads"), result.facts.get("folder")
            require(
                threads == 1,
                f"job {index} ran with {threads} threads of torch",
                "one: sums are then taken in the same order everywhere",
                "call torch.set_num_threads(1) in the worker, for the time of the job",
            )
            require(
                folder,
                f"job {index} got a folder that does not exist",
                "a folder that exists where the job runs",
                "create it on machines that do not share it",
            )


@KIT.add
def the_test_part_is_sealed(open_executor: Open, *, session: Session | None = None) -> None:
    """Jobs see no test part unless ``test=True`` is passed."""
    with _opened(open_executor, session) as used:
        during = used.looks[0][1].facts.get("parts", ())
        ((_, after),) = used.run(Look(7), test=True)
        require(
            "test" not in during,
            f"jobs see the parts {', '.join(during)}",
            "no test part",
            "run jobs on automorph.experiments.task_without_test(task)",
        )
        require(
            "test" in after.facts.get("parts", ()),
            "with test=True, jobs do not see the test part",
            "all parts",
            "pass `test` on to the worker",
        )


@KIT.add
def a_failed_job_costs_only_itself(open_executor: Open, *, session: Session | None = None) -> None:
    """A job that raises an `AutomorphError` scores -inf with its message; the others go on."""
    with _opened(open_executor, session) as used:
        results = dict(used.run(Look(1), Fail(), Look(2)))
        _require_own(results, 1, "raised an error")
        require(
            "the loss is not finite" in results[1].error,
            f"a failed job has the error {results[1].error!r}",
            "the message of the exception",
            "catch AutomorphError around the job, and return JobResult(-math.inf, error=...)",
        )


@KIT.add
def a_dead_worker_costs_only_its_job(
    open_executor: Open, *, session: Session | None = None
) -> None:
    """A job that kills its process each time has failed; the others end well, also later ones."""
    with _opened(open_executor, session) as used:
        results = dict(used.run(Look(1), Die(os.getpid()), Look(2)))
        _require_own(results, 1, "killed its process")
        later = dict(used.run(Look(3)))
        require(
            0 in later and not later[0].error,
            "after a worker died, the executor runs no more jobs",
            "a new worker in its place",
            "start another worker",
        )


@KIT.add
def deadlines_are_kept(open_executor: Open, *, session: Session | None = None) -> None:
    """After the deadline no job starts, and the executor returns what has finished."""
    with _opened(open_executor, session) as used:
        late = used.run(Look(1), deadline=time.monotonic() - 1)
        require(
            not late,
            f"{len(late)} jobs ran although the deadline had passed",
            "none",
            "compare time.monotonic() with the deadline before each job",
        )
        began, jobs = time.monotonic(), [Look(number, 0.4) for number in range(400)]
        results = used.run(*jobs, deadline=began + 0.5)
        seconds = time.monotonic() - began
        require(
            len(results) < len(jobs) and seconds < PATIENCE,
            f"with half a second for {len(jobs)} jobs of 0.4 s, {len(results)} ended in "
            f"{seconds:.0f} s",
            "fewer, and an end soon after the deadline",
            "start no job after the deadline, and end those that run elsewhere",
        )
        require(
            not any(result.error for _, result in results),
            "jobs that the deadline cut count as failed",
            "no result for them: they run when the work is resumed",
            "yield finished jobs only",
        )


@KIT.add
def progress_is_a_share(open_executor: Open, *, session: Session | None = None) -> None:
    """`progress`, if it is called, gets the index of a job and a share from 0 to 1."""
    seen: list[tuple[int, float]] = []
    with _opened(open_executor, session) as used:
        used.run(Look(1), Look(2, 0.3), progress=lambda index, share: seen.append((index, share)))
    require(
        all(index in (0, 1) and 0 <= share <= 1 for index, share in seen),
        f"progress got {seen}",
        "indices of the jobs, and shares from 0 to 1",
        "pass on what the job reports, with its index in this call",
    )


def _opened(open_executor: Open, session: Session | None) -> AbstractContextManager[Session]:
    return Session(open_executor) if session is None else nullcontext(session)


def _require_own(results: dict[int, JobResult], failed: int, what: str) -> None:
    """Raise unless exactly one of three jobs has failed."""
    require(
        sorted(results) == [0, 1, 2],
        f"of three jobs, of which one {what}, {sorted(results)} have a result",
        "all three",
        "yield a result for a failed job too, and go on with the others",
    )
    require(
        results[failed].score == -math.inf and results[failed].error,
        f"the job that {what} scored {results[failed].score}, error {results[failed].error!r}",
        "-inf, and the reason",
        "return JobResult(-math.inf, error=...)",
    )
    for index in {0, 1, 2} - {failed}:
        require(
            math.isfinite(results[index].score) and not results[index].error,
            f"job {index} failed because another one {what}: {results[index].error}",
            "its own result",
            "try jobs again that were lost with the worker of another one",
        )
