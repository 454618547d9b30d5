"""Work in processes of their own: one that dies takes nothing else with it."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from pickle import PicklingError
from typing import Any

from automorph.data import belong_to_parent, uninterrupted_start
from automorph.errors import AutomorphError, TrainingError, UsageError

TRIES = 3
"""How often a job may take its worker down before it counts as lost."""
_TICK = 0.2


class LostWorkerError(TrainingError):
    """A job whose process died each time it was tried, as by the system for want of memory."""


class Workers(AbstractContextManager["Workers"]):
    """``count`` processes with one thread each; ``start(*arguments)`` prepares each of them."""

    def __init__(
        self, count: int, start: Callable[..., object], arguments: tuple[Any, ...]
    ) -> None:
        self.count, self.start, self.arguments = count, start, arguments
        self.pool: ProcessPoolExecutor | None = None

    def run(
        self,
        work: Callable[..., Any],
        jobs: Sequence[tuple[Any, ...]],
        *,
        deadline: float = math.inf,
        tick: Callable[[], object] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Places of the jobs and what ``work(*job)`` gave, as they are finished.

        After ``deadline`` (of `time.monotonic`) no job is begun, and those at work are ended.
        ``tick`` is called several times a second. When a process dies, those at work are tried
        again one by one, so that the one that kills is known: it gives a `LostWorkerError`. Raises
        `AutomorphError` when two in a row are lost: then it is not the job.
        """
        queue, suspects = deque(range(len(jobs))), deque[int]()
        deaths, waiting, lost = Counter[int](), dict[Future[Any], int](), 0
        while queue or suspects or waiting:
            alone = bool(suspects) or any(deaths[number] for number in waiting.values())
            try:
                # Few are handed over at a time, so that none is begun after the deadline.
                while len(waiting) < (1 if alone else self.count) and (suspects or queue):
                    if time.monotonic() >= deadline:
                        break
                    number = (suspects or queue)[0]
                    waiting[self._submit(work, jobs[number])] = number
                    (suspects or queue).popleft()
                left = max(0.0, deadline - time.monotonic())
                done, _ = wait(waiting, timeout=min(_TICK, left), return_when=FIRST_COMPLETED)
                if tick is not None:
                    tick()
                if not done and time.monotonic() >= deadline:
                    self.end()
                    return
                for future in done:
                    made = future.result()
                    yield waiting.pop(future), made
                    lost = 0
            except BrokenProcessPool:
                self.end()
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

    def _submit(self, work: Callable[..., Any], job: tuple[Any, ...]) -> Future[Any]:
        """Hand a job over; a process is started for it, if fewer than ``count`` are there."""
        pool = self._pool()
        try:
            with uninterrupted_start():
                return pool.submit(work, *job)
        except (PicklingError, AttributeError, TypeError) as error:
            raise UsageError(
                f"what several jobs need cannot be sent to other processes ({error}); expected "
                "networks and operations of one's own that can be imported: define them at the top "
                "of a module, not in a function or by lambda, or use jobs=1"
            ) from error

    def _pool(self) -> ProcessPoolExecutor:
        if self.pool is None:
            # Forked copies of a process with threads (torch has some) may hang.
            context = multiprocessing.get_context("spawn")
            self.pool = ProcessPoolExecutor(
                self.count, context, initializer=_enter, initargs=(self.start, self.arguments)
            )
        return self.pool

    def end(self) -> None:
        """End all processes, also those at work."""
        if self.pool is not None:
            workers = list((self.pool._processes or {}).values())
            self.pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.join()
            self.pool = None

    def __exit__(self, *error: Any) -> None:
        """End all processes."""
        self.end()


_LOST = (
    f"its process died {TRIES} times (ended by the system for want of memory?); give it a smaller "
    "network or batch, or run fewer side by side with --jobs"
)
_GIVEN_UP = (
    f"worker processes die whatever they do, {TRIES} times with each of two jobs (out of memory?); "
    "run fewer side by side with --jobs. What was finished is kept"
)


def _enter(start: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    import torch

    belong_to_parent()
    torch.set_num_threads(1)
    start(*arguments)
