"""What ``compare`` and ``quickstart`` share: run, show, write policy, result and report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.facts import pictures_of, provenance_of, report_curves, task_facts
from automorph.cli.naming import data_words, run_folder
from automorph.cli.options import console
from automorph.files import write_json

if TYPE_CHECKING:
    from automorph.comparison import Arm, Cell, Comparison
    from automorph.training import Task


@dataclass
class Comparing:
    """One comparison on the command line."""

    source: str
    task: Task
    policies: list[Arm]
    seeds: int
    baseline: str | None
    folder: Path | None
    quiet: bool
    title: str = ""

    def run(self, *, jobs: int) -> dict[str, Any]:
        """Compare, tell, and give the object of ``--json`` back."""
        from automorph.comparison import compare

        folder = self.folder or run_folder("compare", self.task)
        say = console(quiet=self.quiet)
        data = self.task.data
        say.print(
            f"[bold]{self.title or f'Comparing policies on {self.source}'}[/bold]\n"
            f"{len(data.train):,} training, {len(data.validation or ()):,} validation and "
            f"{len(data.test or ()):,} test examples of {len(data.classes)} classes; model "
            f"{self.task.model}, {self.task.recipe.epochs} epochs, {len(self.policies)} policies x "
            f"{self.seeds} seeds"
        )
        for note in data.notes:
            say.print(f"[dim]{note}[/dim]")
        started = datetime.now(UTC).isoformat(timespec="seconds")
        comparison = compare(
            self.task, self.policies, seeds=self.seeds, baseline=self.baseline, folder=folder,
            jobs=jobs, progress=None if self.quiet else Bars().begin,
        )  # fmt: skip
        known = None if comparison.trained else read_json(folder / "compare.json")
        if known is None or known.get("asked") != self._asked():
            content = self._write(comparison, folder, started)
        else:
            content = known["result"]
            say.print("[dim]All of it was done before: nothing was trained or written.[/dim]")
        self._show(comparison, folder)
        return content

    def _asked(self) -> dict[str, Any]:
        return {
            "policies": [policy.name for policy in self.policies],
            "seeds": self.seeds,
            "baseline": self.baseline,
        }

    def _write(self, comparison: Comparison, folder: Path, started: str) -> dict[str, Any]:
        from automorph.cli.examples import telling_of
        from automorph.comparison import policy_of
        from automorph.policies import save_policy
        from automorph.report import publish

        facts = facts_of(self.source, self.task, comparison, started, folder)
        winner = comparison.policies[comparison.winner]
        save_policy(
            policy_of(winner),
            folder / "policy.json",
            provenance={
                "trained_with": winner.name,
                "chosen_by": "validation accuracy",
                "data": self.source,
                "data_hash": self.task.data.hash,
                "seeds": list(comparison.seeds),
                "accuracy": comparison[comparison.winner].accuracy.mean,  # type: ignore[union-attr]
            },
        )
        shown = {
            "examples": telling_of(self.task, comparison),
            **pictures_of(self.task, comparison.policies),
        }
        report = publish(folder, "compare", {**facts, **shown})
        content = {
            "data": self.source,
            "model": facts["model"],
            **comparison.to_dict(),
            "policy": str(folder / "policy.json"),
            "report": str(report),
        }
        write_json(folder / "run.json", facts)
        write_json(folder / "compare.json", {"asked": self._asked(), "result": content})
        return content

    def _show(self, comparison: Comparison, folder: Path) -> None:
        say = console(quiet=self.quiet)
        say.print()
        say.print(table_of(comparison))
        say.print(f"\n{comparison.verdict.text}\n", style="bold")
        say.print(f"Policy of the winner  {folder / 'policy.json'}")
        say.print(f"Report                {folder / 'report.html'}")
        say.print("\nNext:")
        domain = self.task.data.domain
        for command in next_commands(self.source, comparison, folder, domain=domain):
            say.print(f"  {command}", soft_wrap=True)


def facts_of(
    source: str, task: Task, comparison: Comparison, started: str, folder: Path
) -> dict[str, Any]:
    """What was compared and how it came out, as the report takes it (without pictures)."""
    from automorph.cli.examples import by_class

    result = comparison.to_dict()
    ranked = sorted(
        (row for row in comparison.rows if row.accuracy),
        key=lambda row: -row.accuracy.mean,  # type: ignore[union-attr]
    )
    ranks = {row.policy: rank for rank, row in enumerate(ranked, 1)}
    classes = by_class(task, comparison.predictions)
    rows = []
    for row in result["rows"]:
        name = row["policy"]
        more = {"label": name, "rank": ranks.get(name), "per_class": classes.get(name)}
        rows.append({**row, **more})
    return {
        **result,
        "rows": rows,
        **task_facts(source, task),
        "curves": {
            name: report_curves(curves, comparison.policies[name])
            for name, curves in comparison.curves.items()
        },
        "provenance": provenance_of(task, started, comparison.seconds),
        "next": next_commands(source, comparison, folder, domain=task.data.domain),
    }


def next_commands(
    source: str, comparison: Comparison, folder: Path, *, domain: str = "image"
) -> list[str]:
    """Three commands that a user would want to run next."""
    from automorph.comparison import policy_of

    winner = comparison.winner
    # An online method learns anew in every training: its file holds only what it draws from.
    online = comparison.policies[winner] is not policy_of(comparison.policies[winner])
    policy = f"'{winner}'" if online else f"{folder}/policy.json"
    data, yours, control = data_words(source), "folder:YOUR/IMAGES", "random"
    if domain == "text":
        yours, control = "csv:YOUR/TEXTS.csv", "'random(space=texts-plain)'"
    return [
        f"automorph preview {data} --policy '{winner}'",
        f"automorph train {data} --policy {policy}",
        f"automorph compare {yours} --policy none --policy '{winner}' --policy {control}",
    ]


def table_of(comparison: Comparison) -> Any:
    """The comparison as a table for a terminal."""
    from rich.table import Table

    from automorph.comparison.verdict import interval, points

    share = f"{comparison.confidence:.0%}"
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    # A long name must not take the room of all others.
    table.add_column("policy", overflow="fold", min_width=16)
    base = comparison.baseline if len(comparison.baseline) <= 16 else "the baseline"
    columns = ("test\naccuracy", f"against {base}\n({share})", "p\n(Holm)",
               "valid-\nation", "passes\na run", "s\na run")  # fmt: skip
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in comparison.rows:
        if row.accuracy is None:
            table.add_row(row.policy, "failed", row.error or "", style="red")
            continue
        difference, p = "", ""
        if row.difference is not None:
            difference = f"{points(row.difference.mean)} ({interval(row.difference)})"
            known = row.difference.p_adjusted
            p = "" if known is None else "<0.001" if known < 0.001 else f"{known:.3f}"
        passes = sum(row.units.values()) / len(row.accuracy.values)
        table.add_row(
            row.policy,
            _mean(row.accuracy),
            difference,
            p,
            f"{100 * row.validation.mean:.1f}" if row.validation else "",
            _short(passes),
            f"{row.seconds.mean:.1f}" if row.seconds else "",
            style="bold green" if row.policy == comparison.winner else None,
        )
    return table


def _short(number: float) -> str:
    """A count in three digits: 19k, 4.5M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{unit}"
    return f"{number:.0f}"


def _mean(summary: Any) -> str:
    spread = "" if summary.se is None else f" ± {100 * summary.se:.1f}"
    return f"{100 * summary.mean:.1f}{spread}"


class Bars:
    """Progress of all trainings: how many are done, time left."""

    def begin(self, cells: list[Cell], done: int) -> Callable[[Cell, float], None]:
        """Show a bar (on a terminal) and give back what moves it."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        say = console()
        shares: dict[Cell, float] = {}
        total, finished, begun = len(cells), done, time.monotonic()
        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(), console=say, transient=True, disable=not say.is_terminal,
        )  # fmt: skip
        task = bar.add_task("training", total=total, completed=done, facts="")
        bar.start()

        def move(cell: Cell, share: float) -> None:
            shares[cell] = max(share, shares.get(cell, 0.0))
            made = sum(shares.values())
            whole = finished + sum(share >= 1.0 for share in shares.values())
            left = (time.monotonic() - begun) / max(made, 1e-6) * (total - finished - made)
            facts = f"{whole} of {total} done, {clock(left)} left"
            bar.update(task, completed=finished + made, facts=facts)
            if whole >= total:
                bar.stop()

        return move


def clock(seconds: float) -> str:
    """Seconds as a word: minutes when there are many."""
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"


def read_json(path: Path) -> dict[str, Any] | None:
    """An object from a file, or None where there is no whole one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
