"""What ``patch`` and ``quickstart --patch`` do on a terminal: mend, show, write the report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.naming import run_folder
from automorph.cli.options import console
from automorph.files import write_json

if TYPE_CHECKING:
    from rich.table import Table

    from automorph.patching.arms import Cell
    from automorph.patching.patched import Patched
    from automorph.training import Task


@dataclass
class Mending:
    """One patch on the command line."""

    source: str
    task: Task
    translator: str
    objective: str
    checkpoint: str | None
    steps: int | None
    seeds: int
    maps: bool | None
    folder: Path | None
    quiet: bool
    title: str = ""

    def run(self, *, jobs: int) -> dict[str, Any]:
        """Mend, tell, and give the object of ``--json`` back."""
        from automorph.patching import grouper_of, patch
        from automorph.patching.cyclegan import CycleRecipe
        from automorph.report import publish

        data = self.task.data
        grouper = grouper_of(data)
        folder = self.folder or run_folder("patch", self.task, [self.checkpoint or ""])
        say = console(quiet=self.quiet)
        counts = ", ".join(
            f"{y}/{z} {n:,}"
            for (y, z), n in zip(grouper.names, grouper.counts(data.train).tolist(), strict=True)
        )
        say.print(
            f"[bold]{self.title or f'Mending {self.task.model} on {self.source}'}[/bold]\n"
            f"{len(data.train):,} training examples ({counts}), {self.task.recipe.epochs} epochs, "
            f"{self.seeds} seeds"
        )
        started = datetime.now(UTC)
        bars = None if self.quiet or not say.is_terminal else Bars()
        result = patch(
            self.task, translator=self.translator, objective=self.objective,
            checkpoint=self.checkpoint, seeds=self.seeds, folder=folder, jobs=jobs, maps=self.maps,
            cyclegan=None if self.steps is None else CycleRecipe(steps=self.steps),
            progress=bars.begin if bars else None, fitting=bars.fit if bars else None,
        )  # fmt: skip
        if bars:
            bars.stop()
        content = {
            "data": self.source, **result.to_dict(), "subgroups": list(data.subgroup_names),
            "report": str(folder / "report.html"),
        }  # fmt: skip
        facts = {
            "command": " ".join(["automorph", *sys.argv[1:]]),
            "started": started.isoformat(timespec="seconds"),
            "seconds": result.seconds,
            "data_hash": data.hash,
        }
        page = {**content, "looks": result.looks, "provenance": facts, "next": self._next(result)}
        publish(folder, "patch", page)
        write_json(folder / "patch.json", {**content, "provenance": facts})
        self._show(result, folder)
        return content

    def _next(self, result: Patched) -> list[str]:
        return [
            f"automorph audit {self.source} --checkpoint {result.checkpoint}",
            f"cat {result.card}",
        ]

    def _show(self, result: Patched, folder: Path) -> None:
        say = console(quiet=self.quiet)
        say.print()
        say.print(group_table(result))
        say.print()
        say.print(arm_table(result))
        kind = result.choice.kind
        used = f"Translator {kind} passed its checks." if kind != "none" else "No translator used."
        say.print(f"\n{used}")
        for note in result.notes:
            say.print(f"[yellow]{note}[/yellow]")
        say.print(f"\n{result.verdict.text}\n", style="bold")
        say.print(f"Mended model  {result.checkpoint}")
        say.print(f"Model card    {result.card}")
        say.print(f"Report        {folder / 'report.html'}")


def group_table(result: Patched) -> Table:
    """Every group before and after."""
    table = _table("class", "subgroup")
    for column in ("examples", "before", "after", "95 %"):
        table.add_column(column, justify="right")
    for first, last in zip(result.before.groups, result.after.groups, strict=True):
        if first.accuracy is None or last.accuracy is None:
            continue
        low, high = last.low or 0.0, last.high or 0.0
        table.add_row(
            last.class_name, last.subgroup, f"{last.n:,}", f"{100 * first.accuracy:.1f}",
            f"{100 * last.accuracy:.1f}", f"{100 * low:.1f} to {100 * high:.1f}",
        )  # fmt: skip
    return table


def arm_table(result: Patched) -> Table:
    """Every objective over the seeds."""
    from automorph.comparison.verdict import interval, points

    table = _table("objective")
    for column in ("robust", "accuracy", "gaps", "against balanced", "validation", "s a run"):
        table.add_column(column, justify="right")
    for row in result.arms:
        spread = row.robust_accuracy.se
        against = ""
        if row.difference is not None:
            against = f"{points(row.difference.mean)} ({interval(row.difference)})"
        table.add_row(
            row.objective,
            f"{100 * row.robust_accuracy.mean:.1f}"
            + ("" if spread is None else f" ± {100 * spread:.1f}"),
            f"{100 * row.accuracy.mean:.1f}",
            ", ".join(f"{gap.mean:.1f}" for gap in row.gap.values()),
            against,
            f"{100 * row.selected.mean:.1f}",
            f"{row.seconds.mean:.0f}",
            style="bold green" if row.objective == result.objective else None,
        )
    return table


def _table(*names: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name)
    return table


class Bars:
    """Progress on a terminal: of the translator, then of the trainings."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(), console=console(), transient=True,
        )  # fmt: skip
        self.tasks: dict[str, Any] = {}
        self.bar.start()

    def fit(self, title: str, done: int, steps: int, losses: dict[str, float]) -> None:
        """A step of a CycleGAN is done."""
        name = f"CycleGAN, {title}"
        if name not in self.tasks:
            self.tasks[name] = self.bar.add_task(name, total=steps, facts="")
        facts = f"cycle {losses['cycle']:.3f}"
        self.bar.update(self.tasks[name], completed=done, facts=facts)

    def begin(self, cells: list[Cell]) -> Callable[[Cell, float], None]:
        """Trainings begin; what is given back moves the bar."""
        shares: dict[Cell, float] = {}
        task = self.bar.add_task("training", total=len(cells), facts="")

        def move(cell: Cell, share: float) -> None:
            shares[cell] = max(share, shares.get(cell, 0.0))
            whole = sum(one >= 1 for one in shares.values())
            self.bar.update(
                task, completed=sum(shares.values()), facts=f"{whole} of {len(cells)} done"
            )

        return move

    def stop(self) -> None:
        """Nothing more is to come."""
        self.bar.stop()
