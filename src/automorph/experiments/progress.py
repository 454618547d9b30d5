"""Progress within a job: a job reports its share to whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[float], object]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report(share: float) -> None:
    """Report the finished share of the running job, 0 to 1; does nothing outside of one."""
    listener = _listener.get()
    if listener is not None:
        listener(share)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Pass the reports of the job that the block runs to ``listener``."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
