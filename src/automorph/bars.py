"""The progress bar of all long work: one look for reading, training, searching and patching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from automorph.notebook import NotebookBars, in_notebook


def watched() -> bool:
    """Return whether someone sees progress bars: on a terminal, or in a notebook."""
    return in_notebook() or sys.stderr.isatty()


def progress_bar(console: Any, *, transient: bool = False, disable: bool = False) -> Any:
    """Return a progress bar on a rich console; each of its tasks needs the field ``facts``.

    In a notebook, it is one of `NotebookBars` with the same methods.
    """
    if in_notebook() and not console.quiet:
        return NotebookBars(transient=transient)
    from rich import progress as bars

    return bars.Progress(
        bars.TextColumn("{task.description}"), bars.BarColumn(),
        bars.TextColumn("{task.fields[facts]}"), bars.TimeElapsedColumn(),
        console=console, transient=transient, disable=disable,
    )  # fmt: skip


def of_trainings(bar: Any, cells: Sequence[Any], done: int = 0) -> Callable[[Any, float], None]:
    """Add a bar of trainings, ``done`` of them finished earlier; return its updater.

    The updater takes a cell and the finished share of its training.
    """
    shares: dict[Any, float] = {}
    total, began = len(cells), time.monotonic()
    task = bar.add_task("training", total=total, completed=done, facts="")

    def move(cell: Any, share: float) -> None:
        shares[cell] = max(share, shares.get(cell, 0.0))
        made = sum(shares.values())
        whole = done + sum(one >= 1 for one in shares.values())
        left = (time.monotonic() - began) / max(made, 1e-6) * (total - done - made)
        facts = f"{whole} of {total} done, {clock(left)} left"
        bar.update(task, completed=done + made, facts=facts)

    return move


@contextmanager
def in_notebook_only() -> Iterator[Any]:
    """Yield bars that vanish at the end, in a notebook; None elsewhere.

    For functions that show nothing on a terminal unless they are asked to.
    """
    if not in_notebook():
        yield None
        return
    with NotebookBars(transient=True) as bars:
        yield bars


def clock(seconds: float) -> str:
    """Format a duration in seconds, or in minutes above 90 s.

    >>> clock(80), clock(200)
    ('80 s', '3 min')
    """
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
