"""Processes and threads that decode ahead; they do not affect results or their order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from automorph.errors import DataError

Made = TypeVar("Made")


def map_chunks(
    work: Callable[..., Made], jobs: Iterable[tuple[Any, ...]], processes: int
) -> Iterator[Made]:
    """Yield ``work(*job)`` of every job, in order, from ``count`` processes (0: from threads)."""
    pool = _processes(processes) if processes else _threads()
    waiting: deque[Future[Made]] = deque()
    ahead = 2 * (processes or (os.cpu_count() or 1)) + 1
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
        raise DataError(
            "an image-decoding process died (out of memory?); run the same call again to "
            "continue, with fewer processes if needed: decoders=... (--decoders)"
        ) from error
    finally:
        for future in waiting:
            future.cancel()


@lru_cache(maxsize=1)
def _threads() -> Executor:
    return ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="automorph-decode")


@lru_cache(maxsize=4)
def _processes(count: int) -> Executor:
    # Forked copies of a process with threads (as torch starts) may deadlock.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, initializer=belong_to_parent)


@contextmanager
def uninterrupted_start() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, even while they import.

    They inherit the signal mask, and begin with `belong_to_parent`. A Ctrl-C during the block stops
    the parent at its end, so that no process is left half started.
    """
    kept = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not hasattr(signal, "pthread_sigmask") or not main or kept is None:
        yield
        return
    typed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: typed.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, kept)
        if typed:
            signal.raise_signal(signal.SIGINT)


def belong_to_parent() -> None:
    """Ignore Ctrl-C in this process, and exit when the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
