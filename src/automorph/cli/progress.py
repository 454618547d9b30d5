"""Progress on a terminal, and scalars for TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.bars import clock, of_trainings, progress_bar
from automorph.cli.options import console, plain_table
from automorph.cli.trackers import epoch_values
from automorph.errors import UsageError

if TYPE_CHECKING:
    from automorph.searchers import Finished, SearchProgress
    from automorph.training import Epoch

SHOWN = 5
"""Number of best policies shown during a search."""
_BLOCKS = "▁▂▃▄▅▆▇█"

tensorboard_option = click.option(
    "--tensorboard", is_flag=True,
    help="Also log scalars for TensorBoard; view them with: tensorboard --logdir runs",
)  # fmt: skip


class Dashboard:
    """The progress of a search on a terminal: a bar, the scores so far, the best policies."""

    _WORDS = {"measure": "measuring", "search": "searching", "final": "final table"}  # noqa: RUF012

    def __init__(self, *, quiet: bool, percent: bool = True) -> None:
        from rich.live import Live

        say = console(quiet=quiet)
        self.bar = progress_bar(say, disable=not say.is_terminal)
        self.percent = percent
        self.task = self.bar.add_task("starting", total=1.0, facts="")
        self.finished: list[Finished] = []
        self.outlook = ""
        self.number = 0
        """Which search of a nested cross-validation runs."""
        self.live = Live(
            get_renderable=self.shown, console=say, transient=True, refresh_per_second=4
        )
        self.terminal = say.is_terminal

    def update(self, progress: SearchProgress) -> None:
        """Show new progress."""
        facts = [f"{progress.done} done"]
        if progress.best is not None and progress.phase == "search":
            facts.append(f"best {self._score(progress.best)}{' %' if self.percent else ''}")
        if progress.seconds_left is not None:
            facts.append(f"{clock(progress.seconds_left)} left")
        words = self._WORDS[progress.phase]
        if (nested := progress.nested) is not None:
            words = f"search {nested.number} of {nested.searches}: {words}"
            if nested.number != self.number:  # Its policies are its own.
                self.number, self.finished = nested.number, []
        self.bar.update(
            self.task, completed=progress.share, description=words, facts=", ".join(facts)
        )
        if progress.last is not None and progress.phase == "search":
            self.finished.append(progress.last)
        if progress.outlook is not None:
            self.outlook = str(progress.outlook)
            if progress.phase == "final":
                self.outlook = f"the pick is {progress.outlook.policy}; the table tests it"

    def _score(self, score: float) -> str:
        """Format a score, which is higher for better policies."""
        return f"{100 * score:.1f}" if self.percent else f"{score:.4g}"

    def shown(self) -> Any:
        """Return the bar, what would be chosen now, the line of scores and the best policies."""
        from rich.console import Group
        from rich.text import Text

        good = [one for one in self.finished if one.score is not None]
        now = Text(self.outlook, style="bold", no_wrap=True, overflow="ellipsis")
        if not good:
            return Group(self.bar, now) if self.outlook else self.bar
        table = plain_table(numbers=("score",), header_style="dim")
        table.add_column("policy", no_wrap=True, overflow="ellipsis")
        for one in sorted(good, key=lambda one: -(one.score or 0.0))[:SHOWN]:
            table.add_row(self._score(one.score or 0.0), one.name)
        scores = [one.score for one in good if one.score is not None]
        head = [self.bar, now] if self.outlook else [self.bar]
        return Group(*head, f"[dim]scores[/dim] {sparkline(scores)}", table)

    def __enter__(self) -> Dashboard:
        if self.terminal:
            self.live.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """Remove the display, before other words are printed."""
        if self.terminal:
            self.live.stop()


class Bars:
    """Progress bars of trainings and of translators that are fitted before them."""

    def __init__(self, *, quiet: bool) -> None:
        say = console(quiet=quiet)
        self.bar = progress_bar(say, transient=True, disable=not say.is_terminal)
        self.tasks: dict[str, Any] = {}

    def begin(self, cells: Sequence[Any], done: int = 0) -> Callable[[Any, float], None]:
        """Start a bar of trainings, ``done`` of them finished earlier; return its updater."""
        return of_trainings(self.bar, cells, done)

    def fit(self, title: str, done: int, steps: int, losses: dict[str, float]) -> None:
        """Show a finished step of a CycleGAN."""
        name = f"CycleGAN, {title}"
        if name not in self.tasks:
            self.tasks[name] = self.bar.add_task(name, total=steps, facts="")
        facts = f"cycle {losses['cycle']:.3f}"
        self.bar.update(self.tasks[name], completed=done, facts=facts)

    def __enter__(self) -> Bars:
        self.bar.start()
        return self

    def __exit__(self, *error: Any) -> None:
        # Also after Ctrl-C, to restore the cursor.
        self.bar.stop()


class ScalarLog:
    """Scalars for TensorBoard in the run folder. Raises `UsageError` without the library.

    ``score`` names what each epoch of a training is judged by.
    """

    def __init__(self, folder: Path, score: str = "accuracy") -> None:
        self.score = score
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UsageError(
                "--tensorboard needs TensorBoard, which is not installed; "
                "install it with: pip install 'automorph[track]'"
            ) from None
        self.writer: Any = SummaryWriter(str(folder / "tensorboard"))

    def trial(self, progress: SearchProgress) -> None:
        """Log a trial of a search: its score, the best score so far, and its policy."""
        if progress.last is None or progress.phase != "search":
            return
        if progress.last.score is not None:
            self.writer.add_scalar("search/score", progress.last.score, progress.done)
        if progress.best is not None:
            self.writer.add_scalar("search/best", progress.best, progress.done)
        self.writer.add_text("search/policy", progress.last.name, progress.done)
        self.writer.flush()

    def epoch(self, epoch: Epoch) -> None:
        """Log an epoch: losses, scores and the learning rate."""
        for name, value in epoch_values(epoch, self.score).items():
            if value is not None:
                self.writer.add_scalar(name, value, epoch.epoch)
        self.writer.flush()

    def __enter__(self) -> ScalarLog:
        return self

    def __exit__(self, *error: Any) -> None:
        self.writer.close()


def sparkline(values: list[float], *, most: int = 60) -> str:
    """Draw the last values as blocks scaled from the lowest to the highest.

    >>> sparkline([0.1, 0.5, 0.9])
    '▁▅█'
    """
    values = values[-most:]
    low, width = min(values), max(values) - min(values) or 1.0
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(top * (value - low) / width)] for value in values)
