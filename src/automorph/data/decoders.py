"""Processes and threads that decode ahead; they do not affect results or their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import Any, TypeVar

from automorph.errors import DataError
from automorph.processes import (
    guarded,
    process_pool,
    uninterrupted_start,
    usable_cores,
    workers_of,
)

Made = TypeVar("Made")


def map_chunks(
    work: Callable[..., Made], jobs: Iterable[tuple[Any, ...]], processes: int
) -> Iterator[Made]:
    """Yield ``work(*job)`` of every job, in order, from ``count`` processes (0: from threads)."""
    pool = _processes(processes) if processes else _threads()
    waiting: deque[Future[Made]] = deque()
    ahead = 2 * (processes or usable_cores()) + 1
    try:
        for job in jobs:
            with uninterrupted_start():
                waiting.append(pool.submit(work, *job))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        _processes.cache_clear()  # The next call starts new ones.
        if isinstance(pool, ProcessPoolExecutor):
            workers = workers_of(pool)
            pool.shutdown()
            guarded(workers)
        raise DataError(
            "an image-decoding process died (out of memory?); run the same call again to "
            "continue, with fewer processes if needed: decoders=... (--decoders)"
        ) from error
    finally:
        for future in waiting:
            future.cancel()


@lru_cache(maxsize=1)
def _threads() -> Executor:
    return ThreadPoolExecutor(min(8, usable_cores()), thread_name_prefix="automorph-decode")


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork, so the child starts its own on demand.
    os.register_at_fork(after_in_child=_threads.cache_clear)


@lru_cache(maxsize=4)
def _processes(count: int) -> Executor:
    return process_pool(count)
