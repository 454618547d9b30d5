"""A progress bar on standard error, if someone is looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from automorph.training.result import Epoch

OnEpoch = Callable[[Epoch], object]


class Shown(Protocol):
    """What the loop tells whoever looks on."""

    def step(self) -> None:
        """A step is done."""

    def epoch(self, record: Epoch) -> None:
        """An epoch is done."""


class _Told:
    """Calls a function after every epoch, or nothing."""

    def __init__(self, call: OnEpoch | None) -> None:
        self.call = call

    def step(self) -> None:
        """Tell nothing: only epochs are of interest."""

    def epoch(self, record: Epoch) -> None:
        """Call."""
        if self.call is not None:
            self.call(record)


@contextmanager
def show(
    progress: bool | OnEpoch | None, *, title: str, epochs: int, steps: int, done: int
) -> Iterator[Shown]:
    """What shows the progress of a run of ``epochs`` x ``steps``, of which ``done`` epochs are.

    ``progress``: None shows a bar if standard error is a terminal, True always, False never; a
    function is called with every `Epoch` instead.
    """
    if callable(progress):
        yield _Told(progress)
        return
    from rich.console import Console

    console = Console(stderr=True)
    if progress is False or (progress is None and not console.is_terminal):
        yield _Told(None)
        return
    from rich import progress as bars

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.fields[facts]}"),
    )
    with bars.Progress(*columns, console=console) as bar:
        task = bar.add_task(
            title, total=epochs * steps, completed=done * steps, epoch=done, epochs=epochs, facts=""
        )

        class Bar:
            def step(self) -> None:
                bar.advance(task)

            def epoch(self, record: Epoch) -> None:
                facts = f"loss {record.loss:.3f}  accuracy {record.accuracy:.1%}"
                if record.validation_accuracy is not None:
                    facts += f"  validation {record.validation_accuracy:.1%}"
                bar.update(task, epoch=record.epoch, facts=facts)

        yield Bar()
