"""The progress bar of all long work: one look for reading, training, searching and patching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import Any, Self


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


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook.

    >>> in_notebook()
    False
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


@dataclass
class _Bar:
    title: str
    total: float
    done: float
    facts: str


class NotebookBars:
    """Progress bars as HTML in the output of a cell, with the methods of rich's ``Progress``.

    ``transient`` bars vanish at the end.
    """

    INTERVAL = 0.2
    """Seconds between two updates: a page cannot follow every step."""

    def __init__(self, *, transient: bool = False) -> None:
        self.transient = transient
        self.bars: list[_Bar] = []
        self.began = self.shown = 0.0
        self.place: Any = None

    def add_task(
        self, description: str, *, total: float, completed: float = 0, facts: str = ""
    ) -> int:
        """Add a bar and return its number."""
        self.bars.append(_Bar(description, total, completed, facts))
        self._show()
        return len(self.bars) - 1

    def update(
        self,
        task: int,
        *,
        completed: float | None = None,
        total: float | None = None,
        description: str | None = None,
        facts: str | None = None,
    ) -> None:
        """Change a bar; None leaves a value as it is."""
        bar = self.bars[task]
        bar.done = bar.done if completed is None else completed
        bar.total = bar.total if total is None else total
        bar.title = bar.title if description is None else description
        bar.facts = bar.facts if facts is None else facts
        self._show()

    def advance(self, task: int) -> None:
        """Move a bar by one."""
        self.update(task, completed=self.bars[task].done + 1)

    def start(self) -> None:
        """Begin to show the bars."""
        shown = import_module("IPython.display")  # Untyped.
        self.began = time.monotonic()
        self.place = shown.display(shown.HTML(""), display_id=True)

    def stop(self) -> None:
        """Show the bars for the last time, or remove them."""
        if self.place is not None:
            self._put("" if self.transient else self.html())
            self.place = None

    def html(self) -> str:
        """Return all bars as HTML."""
        seconds = time.monotonic() - self.began
        lines = [
            f'<div><label>{escape(bar.title)} <progress max="{bar.total:g}" value="{bar.done:g}">'
            f"</progress></label> {escape(bar.facts)} ({seconds:.0f} s)</div>"
            for bar in self.bars
        ]
        return "".join(lines)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _show(self) -> None:
        if self.place is None or time.monotonic() - self.shown < self.INTERVAL:
            return
        self.shown = time.monotonic()
        self._put(self.html())

    def _put(self, html: str) -> None:
        self.place.update(import_module("IPython.display").HTML(html))
