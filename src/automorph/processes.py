"""Worker processes: one way to start them, and all end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

# Forked copies of a process with threads (as torch starts) may deadlock.
_CONTEXT = multiprocessing.get_context("spawn")


def process_pool(
    count: int, start: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Return a pool of ``count`` processes; ``start(*arguments)`` prepares each of them.

    Submit its first jobs within `uninterrupted_start`.
    """
    return ProcessPoolExecutor(count, _CONTEXT, _enter, (start, arguments))


def process_queue() -> Any:
    """Return a queue through which the processes of a pool report to the one that started them."""
    return _CONTEXT.Queue()


def _enter(start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    _belong_to_parent()
    if start is not None:
        start(*arguments)


@contextmanager
def uninterrupted_start() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, even while they import.

    They inherit the signal mask, and belong to their parent. A Ctrl-C during the block stops
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


@contextmanager
def shielded() -> Iterator[None]:
    """Ignore Ctrl-C and termination for a moment, so that a last file is written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in kept:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def ended_by_termination() -> Iterator[None]:
    """Let a termination signal (SIGTERM) do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        if callable(signal.getsignal(signal.SIGINT)):
            signal.raise_signal(signal.SIGINT)  # So that `uninterrupted_start` can hold it back.
        else:  # Shells let background jobs ignore Ctrl-C, but not termination.
            raise KeyboardInterrupt

    kept = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, kept)


def _belong_to_parent() -> None:
    """Ignore Ctrl-C in this process, and exit when the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Some systems have none; assume all cores.
    return len(affinity(0)) if affinity else os.cpu_count() or 1
