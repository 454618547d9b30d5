"""What ``patch`` and ``quickstart --patch`` do on a terminal: mend, show, write the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.options import WIDE, console, plain_table, tell_notes
from automorph.cli.progress import Bars
from automorph.cli.provenance import provenance_of
from automorph.cli.run_names import data_words, run_folder
from automorph.files import write_json

if TYPE_CHECKING:
    from rich.table import Table

    from automorph.robustness import Patched
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
        from automorph.report import plural, publish
        from automorph.robustness import CycleRecipe, grouper_of, patch

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
            f"{len(data.train):,} training examples ({counts}), "
            f"{plural(self.task.recipe.epochs, 'epoch')}, {plural(self.seeds, 'seed')}"
        )
        tell_notes(say, data)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with Bars(quiet=self.quiet) as bars:
            result = patch(
                self.task, translator=self.translator, objective=self.objective,
                checkpoint=self.checkpoint, seeds=self.seeds, folder=folder, jobs=jobs,
                maps=self.maps, progress=bars.begin, fitting=bars.fit,
                cyclegan=None if self.steps is None else CycleRecipe(steps=self.steps),
            )  # fmt: skip
        content = {
            "data": self.source, **result.to_dict(), "subgroups": list(data.subgroup_names),
            "report": str(folder / "report.html"),
        }  # fmt: skip
        facts = provenance_of(data, started, result.seconds)
        page = {**content, "looks": result.looks, "provenance": facts, "next": self._next(result)}
        publish(folder, "patch", page)
        write_json(folder / "patch.json", {**content, "provenance": facts})
        self._show(result, folder)
        return content

    def _next(self, result: Patched) -> list[str]:
        return [
            f"automorph audit {data_words(self.source)} --checkpoint {result.checkpoint}",
            f"cat {result.card}",
        ]

    def _show(self, result: Patched, folder: Path) -> None:
        say = console(quiet=self.quiet)
        say.print()
        say.print(group_table(result))
        say.print()
        say.print(arm_table(result, width=say.width))
        kind = result.choice.kind
        used = f"Translator {kind} passed its checks." if kind != "none" else "No translator used."
        say.print(f"\n{used}")
        for note in result.notes:
            say.print(f"[yellow]{note}[/yellow]")
        say.print(f"\n{result.verdict.text}\n", style="bold")
        name = "Mended model" if result.verdict.kind == "better" else "New model"
        say.print(f"{name:12}  {result.checkpoint}")
        say.print(f"Model card    {result.card}")
        say.print(f"Report        {folder / 'report.html'}")


def group_table(result: Patched) -> Table:
    """Every group before and after."""
    table = plain_table("class", "subgroup", numbers=("examples", "before", "after", "95 %"))
    for first, last in zip(result.before.groups, result.after.groups, strict=True):
        if first.accuracy is None or last.accuracy is None:
            continue
        low, high = last.low or 0.0, last.high or 0.0
        table.add_row(
            last.class_name, last.subgroup, f"{last.n:,}", f"{100 * first.accuracy:.1f}",
            f"{100 * last.accuracy:.1f}", f"{100 * low:.1f} to {100 * high:.1f}",
        )  # fmt: skip
    return table


def arm_table(result: Patched, *, width: int = WIDE) -> Table:
    """Every objective over the seeds, for a terminal of so many columns."""
    from automorph.experiments import interval, points

    numbers = ["robust", "accuracy", "gaps", "against balanced", "validation"]
    # A narrow terminal has no room for the time; the report has it.
    more = ["s a run"] if width >= WIDE else []
    table = plain_table("objective", numbers=[*numbers, *more])
    for row in result.treatments:
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
            *([f"{row.seconds.mean:.0f}"] if more else []),
            style="bold green" if row.objective == result.objective else None,
        )
    return table
