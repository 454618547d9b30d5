"""Jobs in separate processes: one that dies does not affect the others."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from pickle import PicklingError
from queue import Empty
from typing import Any

from automorph.errors import AutomorphError, TrainingError, UsageError
from automorph.processes import (
    guarded,
    process_pool,
    process_queue,
    uninterrupted_start,
    workers_of,
)

TRIES = 3
"""How often a job may kill its worker before it counts as lost."""
_TICK = 0.2


class LostWorkerError(TrainingError):
    """A job whose process died each time it was tried, for example for lack of memory."""


class Workers(AbstractContextManager["Workers"]):
    """``count`` processes with one thread each; ``start(*arguments)`` prepares each of them."""

    def __init__(
        self, count: int, start: Callable[..., object], arguments: tuple[Any, ...]
    ) -> None:
        self.count, self.start, self.arguments = count, start, arguments
        self.pool: ProcessPoolExecutor | None = None
        self.reports: Any = None

    def run(
        self,
        work: Callable[..., Any],
        jobs: Sequence[tuple[Any, ...]],
        *,
        deadline: float = math.inf,
        progress: Callable[[int, float], object] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Yield the number of each job and the result of ``work(report, *job)``, as they finish.

        After ``deadline`` (of `time.monotonic`) no job is started, and running ones are ended.
        ``progress`` is called with the number of a job and each share that the work passes to
        ``report``. When a process dies, the running jobs are tried
        again one by one to find the one that kills it: its result is a `LostWorkerError`. Raises
        `AutomorphError` when two jobs in a row are lost: then the jobs are not the cause.
        """
        queue, suspects = deque(range(len(jobs))), deque[int]()
        deaths, waiting, lost = Counter[int](), dict[Future[Any], int](), 0
        self._pass_on(None)  # Late reports of an earlier call would name other jobs.
        while queue or suspects or waiting:
            alone = bool(suspects) or any(deaths[number] for number in waiting.values())
            try:
                # Few jobs are submitted at a time, so that none is started after the deadline.
                while len(waiting) < (1 if alone else self.count) and (suspects or queue):
                    if time.monotonic() >= deadline:
                        break
                    number = (suspects or queue)[0]
                    waiting[self._submit(work, number, jobs[number])] = number
                    (suspects or queue).popleft()
                left = max(0.0, deadline - time.monotonic())
                done, _ = wait(waiting, timeout=min(_TICK, left), return_when=FIRST_COMPLETED)
                self._pass_on(progress)
                if not done and time.monotonic() >= deadline:
                    self.end()
                    return
                for future in done:
                    made = future.result()
                    yield waiting.pop(future), made
                    lost = 0
            except BrokenProcessPool:
                workers = [] if self.pool is None else workers_of(self.pool)
                self.end()
                guarded(workers)
                struck = sorted(waiting.values())
                waiting.clear()
                suspects.extend(struck)
                for number in struck:
                    deaths[number] += 1
                if len(struck) == 1 and deaths[struck[0]] >= TRIES:
                    suspects.remove(struck[0])
                    lost += 1
                    if lost > 1:
                        raise AutomorphError(_GIVEN_UP) from None
                    yield struck[0], LostWorkerError(_LOST)

    def _submit(self, work: Callable[..., Any], number: int, job: tuple[Any, ...]) -> Future[Any]:
        """Submit a job; starts a process for it if fewer than ``count`` are running."""
        try:
            pool = self._pool()
            with uninterrupted_start():
                return pool.submit(_work, work, number, job)
        except (PicklingError, AttributeError, TypeError) as error:
            raise UsageError(
                f"the jobs cannot be sent to other processes ({error}); expected "
                "networks and operations that can be imported: define them at the top "
                "level of a module, not in a function or as a lambda, or use jobs=1"
            ) from error

    def _pool(self) -> ProcessPoolExecutor:
        if self.pool is None:
            self.reports = process_queue()
            handed = (self.start, self.arguments)
            self.pool = process_pool(self.count, _enter, handed, shared=(self.reports,))
        return self.pool

    def _pass_on(self, progress: Callable[[int, float], object] | None) -> None:
        while self.reports is not None:
            try:
                number, share = self.reports.get_nowait()
            except (Empty, OSError):
                return
            if progress is not None:
                progress(number, share)

    def end(self) -> None:
        """End all processes, including running jobs."""
        if self.pool is not None:
            workers = workers_of(self.pool)
            self.pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.join()
            # A process may have died while it wrote: nothing more is read from this queue.
            self.reports.close()
            self.reports.cancel_join_thread()
            self.pool = self.reports = None

    def __exit__(self, *error: Any) -> None:
        """End all processes."""
        self.end()


_LOST = (
    f"its process died {TRIES} times (out of memory?); use a smaller "
    "network or batch, or run fewer jobs at once with --jobs"
)
_GIVEN_UP = (
    f"worker processes keep dying: two jobs failed {TRIES} times each (out of memory?); "
    "run fewer jobs at once with --jobs. Finished results are kept"
)


_reports: list[Any] = []


def _enter(reports: Any, start: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    import torch

    torch.set_num_threads(1)
    _reports[:] = [reports]
    start(*arguments)


def _work(work: Callable[..., Any], number: int, job: tuple[Any, ...]) -> Any:
    return work(lambda share: _reports[0].put((number, share)), *job)
