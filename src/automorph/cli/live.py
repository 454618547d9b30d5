"""Looking on while something runs: a search on a terminal, and TensorBoard on request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.comparing import clock
from automorph.cli.options import console
from automorph.errors import UsageError

if TYPE_CHECKING:
    from automorph.offline.conduct import Finished, Standing
    from automorph.training import Epoch

SHOWN = 5
"""The best policies that a search shows while it runs."""
_BLOCKS = "▁▂▃▄▅▆▇█"

tensorboard_option = click.option(
    "--tensorboard", is_flag=True,
    help="Log to the folder tensorboard of the run as well: tensorboard --logdir runs",
)  # fmt: skip


class Dashboard:
    """A search on a terminal: how far it is, its scores so far, the best policies."""

    _WORDS = {"measure": "measuring", "search": "searching", "final": "final table"}  # noqa: RUF012

    def __init__(self, *, quiet: bool) -> None:
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        say = console(quiet=quiet)
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(), console=say, disable=not say.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task("starting", total=1.0, facts="")
        self.told: list[Finished] = []
        self.live = Live(
            get_renderable=self.shown, console=say, transient=True, refresh_per_second=4
        )
        self.terminal = say.is_terminal

    def move(self, standing: Standing) -> None:
        """Show how far the search is."""
        facts = [f"{standing.done} done"]
        if standing.best is not None and standing.phase == "search":
            facts.append(f"best {100 * standing.best:.1f} %")
        if standing.seconds_left is not None:
            facts.append(f"{clock(standing.seconds_left)} left")
        self.bar.update(
            self.task, completed=standing.share, description=self._WORDS[standing.phase],
            facts=", ".join(facts),
        )  # fmt: skip
        if standing.last is not None and standing.phase == "search":
            self.told.append(standing.last)

    def shown(self) -> Any:
        """The bar, the line of scores and the table of the best."""
        from rich.console import Group
        from rich.table import Table

        good = [one for one in self.told if one.score is not None]
        if not good:
            return self.bar
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("score", justify="right")
        table.add_column("policy", no_wrap=True, overflow="ellipsis")
        for one in sorted(good, key=lambda one: -(one.score or 0.0))[:SHOWN]:
            table.add_row(f"{100 * (one.score or 0.0):.1f}", one.name)
        scores = [one.score for one in good if one.score is not None]
        return Group(self.bar, f"[dim]scores[/dim] {sparkline(scores)}", table)

    def __enter__(self) -> Dashboard:
        if self.terminal:
            self.live.start()
        return self

    def __exit__(self, *error: Any) -> None:
        if self.terminal:
            self.live.stop()


class Board:
    """Scalars for TensorBoard, in a folder of the run. Raises `UsageError` without the library."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UsageError(
                "--tensorboard needs TensorBoard, which is not installed; "
                "get it with: pip install 'automorph[track]'"
            ) from None
        self.writer: Any = SummaryWriter(str(folder / "tensorboard"))

    def trial(self, standing: Standing) -> None:
        """The score of a trial of a search, the best so far, and the policy as text."""
        if standing.last is None or standing.phase != "search":
            return
        if standing.last.score is not None:
            self.writer.add_scalar("search/score", standing.last.score, standing.done)
        if standing.best is not None:
            self.writer.add_scalar("search/best", standing.best, standing.done)
        self.writer.add_text("search/policy", standing.last.name, standing.done)
        self.writer.flush()

    def epoch(self, epoch: Epoch) -> None:
        """Losses, accuracies and the rate of an epoch."""
        for name, value in (
            ("loss/train", epoch.loss), ("accuracy/train", epoch.accuracy), ("rate", epoch.lr),
            ("loss/validation", epoch.validation_loss),
            ("accuracy/validation", epoch.validation_accuracy),
        ):  # fmt: skip
            if value is not None:
                self.writer.add_scalar(name, value, epoch.epoch)
        self.writer.flush()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *error: Any) -> None:
        self.writer.close()


def sparkline(values: list[float], *, most: int = 60) -> str:
    """The last values as blocks from the lowest to the highest.

    >>> sparkline([0.1, 0.5, 0.9])
    '▁▅█'
    """
    values = values[-most:]
    low, width = min(values), max(values) - min(values) or 1.0
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(top * (value - low) / width)] for value in values)
