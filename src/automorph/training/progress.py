"""A progress bar on standard error, if it is a terminal, or in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from automorph.bars import progress_bar, watched
from automorph.training.result import Epoch

OnEpoch = Callable[[Epoch], object]


class Shown(Protocol):
    """An observer of the training loop."""

    def step(self) -> None:
        """Record a finished step."""

    def epoch(self, record: Epoch, last: int) -> None:
        """Record a finished epoch; ``last`` is the number of the last one, as far as known."""


class _Told:
    """An observer that calls a function after every epoch, or does nothing."""

    def __init__(self, call: OnEpoch | None) -> None:
        self.call = call

    def step(self) -> None:
        """Ignore steps: only epochs are reported."""

    def epoch(self, record: Epoch, last: int) -> None:
        """Call the function."""
        if self.call is not None:
            self.call(record)


@contextmanager
def show(
    progress: bool | OnEpoch | None, *, title: str, epochs: int, steps: int, done: int, metric: str
) -> Iterator[Shown]:
    """Return the observer of a run of ``epochs`` x ``steps``, of which ``done`` epochs are done.

    ``progress``: None shows a bar on a terminal and in a notebook, True always, False never; a
    function is called with every `Epoch` instead.
    """
    if callable(progress):
        yield _Told(progress)
        return
    if progress is False or (progress is None and not watched()):
        yield _Told(None)
        return
    from rich.console import Console

    with progress_bar(Console(stderr=True)) as bar:
        begun = f"epoch {done}/{epochs}"
        task = bar.add_task(title, total=epochs * steps, completed=done * steps, facts=begun)

        class Bar:
            def step(self) -> None:
                bar.advance(task)

            def epoch(self, record: Epoch, last: int) -> None:
                facts = f"epoch {record.epoch}/{last}  loss {record.loss:.3f}"
                facts += f"  {metric} {record.accuracy:.1%}"
                if record.validation_accuracy is not None:
                    facts += f"  validation {record.validation_accuracy:.1%}"
                bar.update(task, facts=facts, total=last * steps)

        yield Bar()
