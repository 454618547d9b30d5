"""Worker processes: one way to start them, and all end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from automorph.errors import UsageError

# Forked copies of a process with threads (as torch starts) may deadlock.
_CONTEXT = multiprocessing.get_context("spawn")


_UNGUARDED = 78
"""The exit status of a process that found the script of its parent without a guard."""
_GUARD = (
    "this script starts its work again in each of its worker processes, because they import it; "
    'expected what does the work below the line\n    if __name__ == "__main__":\n'
    "Put it there, or use one process (jobs=1)"
)


def process_pool(
    count: int,
    start: Callable[..., object] | None = None,
    arguments: tuple[Any, ...] = (),
    *,
    shared: tuple[Any, ...] = (),
) -> ProcessPoolExecutor:
    """Return a pool of ``count`` processes; ``start(*shared, *arguments)`` prepares each of them.

    Queues are ``shared``, since they are handed over at the start only. Submit its first jobs
    within `uninterrupted_start`; if it breaks, see `guarded`.
    """
    leave_script()
    return _Pool(count, pickle.dumps((start, arguments)), shared)


class _Pool(ProcessPoolExecutor):
    """Processes that read from a pipe what prepares them.

    Python itself hands it over before it looks whether the process lives: if that has died, and a
    pipe does not hold everything, it waits for ever.
    """

    def __init__(self, count: int, content: bytes, shared: tuple[Any, ...]) -> None:
        self._receiver, sender = _CONTEXT.Pipe(duplex=False)
        lock = _CONTEXT.Lock()  # One reads at a time.
        super().__init__(count, _CONTEXT, _enter, (self._receiver, lock, shared))
        threading.Thread(target=_send, args=(sender, content, count), daemon=True).start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes. What some of them may not have read is forgotten when all have."""
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        self._receiver.close()


def _send(sender: Connection, content: bytes, count: int) -> None:
    with sender, suppress(OSError):  # Nobody is left who reads.
        for _ in range(count):
            sender.send_bytes(content)


def workers_of(pool: ProcessPoolExecutor) -> list[BaseProcess]:
    """Return the processes of a pool that was not shut down."""
    return list((pool._processes or {}).values())


def guarded(workers: Iterable[BaseProcess]) -> None:
    """Raise `UsageError` if workers ended because they did the work of the main script anew."""
    if any(worker.exitcode == _UNGUARDED for worker in workers):
        raise UsageError(_GUARD)


def process_queue() -> Any:
    """Return a queue through which the processes of a pool report to the one that started them."""
    leave_script()
    return _CONTEXT.Queue()


def leave_script() -> None:
    """End this process if it was started to work for others, and imports their script for that.

    The script would do its work again, and start processes again; the parent says why (`guarded`).
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(_UNGUARDED)


def _enter(receiver: Connection, lock: Any, shared: tuple[Any, ...]) -> None:
    _belong_to_parent()
    with lock:
        content = receiver.recv_bytes()
    start, arguments = pickle.loads(content)
    if start is not None:
        start(*shared, *arguments)


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
