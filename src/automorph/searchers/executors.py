"""Where the jobs of a search run: in this process, in worker processes, or on a Ray cluster.

Each engine sends the task to a worker once, runs every job on one thread, and replaces a worker
that dies. The results do not depend on the engine, so neither does the policy found.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from automorph.errors import AutomorphError, DiskError, MissingExtraError, UsageError
from automorph.registry import unknown
from automorph.searchers.base import Job, JobResult
from automorph.training import LostWorkerError, Task, Workers

ENGINES = ("local", "processes", "ray")
TRIES = 5
"""How often Ray repeats a job whose worker or node died."""

Done = Iterator[tuple[int, JobResult]]


class Engine(AbstractContextManager["Engine"], ABC):
    """Runs jobs on a task; ``jobs`` is how many run in parallel."""

    jobs: int = 1

    @abstractmethod
    def run(self, jobs: Sequence[Job], *, deadline: float = math.inf, test: bool = False) -> Done:
        """Yield the index and result of each job as it finishes.

        After ``deadline`` (of `time.monotonic`) no job starts, and jobs that run in other processes
        are ended. Jobs see no test part unless ``test`` is set, after the search is over.
        """

    def __exit__(self, *error: Any) -> None:
        """Release all workers."""


class Local(Engine):
    """Runs one job after the other, in this process."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.folder = task, folder

    def run(self, jobs: Sequence[Job], *, deadline: float = math.inf, test: bool = False) -> Done:
        """Run the jobs in order."""
        for index, job in enumerate(jobs):
            if time.monotonic() > deadline:
                return
            with one_thread():
                outcome = attempt(job, self.task, self.folder, test)
            yield index, outcome


class Processes(Engine):
    """Runs jobs in parallel worker processes."""

    def __init__(self, task: Task, folder: Path, jobs: int) -> None:
        self.jobs = jobs
        self.workers = Workers(jobs, _start, (task, folder))

    def run(self, jobs: Sequence[Job], *, deadline: float = math.inf, test: bool = False) -> Done:
        """Run the jobs; one whose worker dies repeatedly has failed."""
        handed = [(job, test) for job in jobs]
        for index, outcome in self.workers.run(_in_worker, handed, deadline=deadline):
            lost = isinstance(outcome, LostWorkerError)
            yield index, JobResult(-math.inf, error=str(outcome)) if lost else outcome

    def __exit__(self, *error: Any) -> None:
        """End all workers, including busy ones."""
        self.workers.end()


class Ray(Engine):
    """Runs jobs as tasks of a Ray cluster: the one at ``address``, or a new one on this machine.

    Ray repeats a job whose worker or node died. A machine that does not share the folder of the
    search uses a folder of its own.
    """

    def __init__(self, task: Task, folder: Path, jobs: int, address: str | None) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError(
                "the engine ray needs Ray, which is not installed; "
                "install it: pip install 'automorph[ray]'"
            ) from None
        if address is not None:
            check_address(address)
        self.ray: Any = ray
        # Disable Ray's usage reports: no data may leave a machine unasked.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self.mine = not ray.is_initialized()
        if self.mine:
            try:
                ray.init(
                    address=address, num_cpus=None if address else jobs, log_to_driver=False,
                    include_dashboard=None if address else False, logging_level=logging.ERROR,
                )  # fmt: skip
            except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
                raise UsageError(
                    f"cannot reach a Ray cluster at {address!r}: {error}; expected an address such "
                    "as 10.0.0.1:6379, or auto on a machine in the cluster"
                ) from error
        cluster = self.ray.cluster_resources()
        self.jobs = max(1, int(cluster.get("CPU", 1)))
        self.folder = folder
        self.task = ray.put(task)
        gpus = min(1.0, cluster.get("GPU", 0) / self.jobs)
        self.remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=TRIES)(_on_ray)

    def run(self, jobs: Sequence[Job], *, deadline: float = math.inf, test: bool = False) -> Done:
        """Submit all jobs; Ray distributes them."""
        waiting = {
            # In a list: a worker then fetches the task once, not for every job.
            self.remote.remote([self.task], job, str(self.folder), test): index
            for index, job in enumerate(jobs)
        }
        lost = 0
        while waiting:
            left = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
            done, _ = self.ray.wait(list(waiting), num_returns=1, timeout=left)
            if not done:
                for reference in waiting:
                    self.ray.cancel(reference, force=True)
                return
            for reference in done:
                gone = self.ray.exceptions
                try:
                    outcome = self.ray.get(reference)
                    lost = 0
                except (gone.WorkerCrashedError, gone.OutOfMemoryError) as error:
                    lost += 1
                    if lost > 1:
                        raise AutomorphError(
                            f"two consecutive jobs each crashed {TRIES + 1} Ray workers "
                            f"({error}); expected workers that survive a job: check their memory, "
                            "or reduce the batch size"
                        ) from error
                    outcome = JobResult(-math.inf, error=f"its Ray worker died: {error}")
                yield waiting.pop(reference), outcome

    def __exit__(self, *error: Any) -> None:
        """Leave the cluster, if this engine joined it."""
        if self.mine:
            self.ray.shutdown()


def open_engine(
    name: str, task: Task, folder: Path, *, jobs: int = 1, address: str | None = None
) -> Engine:
    """Return the engine of a name: ``local``, ``processes`` or ``ray``."""
    check_engine(name, address)
    if name == "ray":
        return Ray(task, folder, jobs, address)
    if name == "processes" and jobs > 1:
        return Processes(task, folder, jobs)
    return Local(task, folder)


def check_engine(name: str, address: str | None) -> None:
    """Raise `UsageError` for an unknown engine, or one that takes no address."""
    if name not in ENGINES:
        raise UsageError(unknown("engine", name, ENGINES))
    if address is not None and name != "ray":
        raise UsageError(
            f"got the address {address!r} with the engine {name}; only ray takes one: "
            "use --engine ray, or leave out --address"
        )


def check_address(address: str) -> None:
    """Raise `UsageError` if nothing listens at the address: Ray itself retries for minutes."""
    if address in ("auto", "local") or "://" in address:
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot reach a Ray cluster at {address!r}: {error}; expected an address such as "
            "10.0.0.1:6379, or auto on a machine of the cluster"
        ) from None


def attempt(job: Job, task: Task, folder: Path, test: bool = False) -> JobResult:
    """Run a job; one that fails with an `AutomorphError`, or for lack of memory, scores ``-inf``.

    A full disk is not a failure of the job: the error ends the search, which can resume later.
    """
    began = time.perf_counter()
    try:
        return job.run(task if test else task_without_test(task), folder)
    except DiskError:
        raise
    except (AutomorphError, MemoryError) as error:
        why = str(error) or "it ran out of memory"
        return JobResult(-math.inf, seconds=time.perf_counter() - began, error=why)


@lru_cache(maxsize=2)
def task_without_test(task: Task) -> Task:
    """Hide the test part; the same task gives the same object, so that caches keyed by it hit."""
    hidden = task.data.without_test()
    return task if hidden is task.data else replace(task, data=hidden)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: sums are then taken in the same order on every engine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


_shared: dict[str, Any] = {}


def _start(task: Task, folder: Path) -> None:
    _shared.update(task=task, folder=folder)


def _in_worker(job: Job, test: bool) -> JobResult:
    return attempt(job, _shared["task"], _shared["folder"], test)


def _own_folder() -> Path:
    """Return a folder of this user's on this machine, which no other user can have made."""
    who = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"automorph-{who}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != who):
        raise UsageError(f"{folder} belongs to another user; expected one that you own: set TMPDIR")
    return folder


def _on_ray(reference: list[Any], job: Job, folder: str, test: bool) -> JobResult:
    import ray

    if _shared.get("reference") != reference:
        _shared.update(reference=reference, task=ray.get(reference[0]))
    task: Task = _shared["task"]
    work = Path(folder)
    if not work.is_dir():
        work = _own_folder() / work.name
        work.mkdir(exist_ok=True)
    with one_thread():
        return attempt(job, task, work, test)
