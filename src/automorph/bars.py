"""The progress bar of all long work: one look for reading, training, searching and patching."""

from __future__ import annotations

from typing import Any


def progress_bar(console: Any, *, transient: bool = False, disable: bool = False) -> Any:
    """Return a progress bar on a rich console; each of its tasks needs the field ``facts``."""
    from rich import progress as bars

    return bars.Progress(
        bars.TextColumn("{task.description}"), bars.BarColumn(),
        bars.TextColumn("{task.fields[facts]}"), bars.TimeElapsedColumn(),
        console=console, transient=transient, disable=disable,
    )  # fmt: skip
