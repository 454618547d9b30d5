"""What ``compare`` and ``quickstart`` share: run, show, write policy, result and report."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.options import WIDE, console, p_words, plain_table
from automorph.cli.progress import Bars
from automorph.cli.provenance import pictures_of, provenance_of, report_curves, task_facts
from automorph.cli.run_names import RANDOM, data_words, policy_words, run_folder, training_words
from automorph.files import make_folder, write_json

if TYPE_CHECKING:
    from automorph.experiments import Arm, Comparison
    from automorph.training import Task


_RANDOM = {domain: shlex.quote(name) for domain, name in RANDOM.items()}
"""The random control, as it is typed."""
_OF_REPORT = ("compare.json", "policy.json", "policy.safetensors", "report.html", "report.json",
              "report.npz", "run.json")  # fmt: skip


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
        from automorph.experiments import compare
        from automorph.report import plural

        folder = self.folder or run_folder("compare", self.task)
        say = console(quiet=self.quiet)
        data = self.task.data
        say.print(
            f"[bold]{self.title or f'Comparing policies on {self.source}'}[/bold]\n"
            f"{len(data.train):,} training, {len(data.validation or ()):,} validation and "
            f"{data.sizes.get('test', 0):,} test examples of {len(data.classes)} classes; model "
            f"{self.task.model}, {plural(self.task.recipe.epochs, 'epoch')}, "
            f"{plural(len(self.policies), 'policy', 'policies')} x {plural(self.seeds, 'seed')}"
        )
        for note in data.notes:
            say.print(f"[dim]{note}[/dim]")
        for note in out_of_sight(self.policies, data.train.data.shape[1:]):
            say.print(f"[dim]{note}[/dim]")
        if missing := _controls_missing(self.policies, data.domain):
            say.print(f"[dim]Without {missing} the table lacks its controls.[/dim]")
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with Bars(quiet=self.quiet) as bars:
            comparison = compare(
                self.task, self.policies, seeds=self.seeds, baseline=self.baseline, folder=folder,
                jobs=jobs, progress=bars.begin,
            )  # fmt: skip
        before = read_json(folder / "compare.json")
        same = before is not None and before.get("asked") == self._asked()
        known = before if same and not comparison.trained else None
        if known is None:
            if before is not None and not same:
                say.print(f"The comparison before this one lies in {set_aside(folder)}")
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
        from automorph.experiments import policy_of
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
        say.print(table_of(comparison, width=say.width))
        say.print(f"\n{comparison.verdict.text}\n", style="bold")
        say.print(f"Policy of the winner  {folder / 'policy.json'}")
        say.print(f"Report                {folder / 'report.html'}")
        say.print("\nNext:")
        domain = self.task.data.domain
        for command in next_commands(self.source, comparison, folder, domain=domain):
            say.print(f"  {command}", soft_wrap=True)


def set_aside(folder: Path) -> Path:
    """Move a comparison of other policies into a folder of its own; trainings stay, for both."""
    number = 1 + sum(1 for _ in (folder / "earlier").glob("*"))
    earlier = folder / "earlier" / str(number)
    make_folder(earlier)
    for name in _OF_REPORT:
        if (folder / name).exists():
            (folder / name).replace(earlier / name)
    return earlier


def out_of_sight(arms: Sequence[Arm], shape: Sequence[int]) -> list[str]:
    """Notes on policies whose moves, counted in pixels, are wider than half of an image."""
    from automorph.experiments import policy_of
    from automorph.policies import drawable

    side = min(shape[:2]) if len(shape) == 3 else 0
    notes = []
    for arm in arms:
        moves = [
            op.high for op in drawable(policy_of(arm)) if op.unit == "px" and "Translate" in op.name
        ]
        if side and max(moves, default=0) > side / 2:
            notes.append(
                f"{arm.name} moves by up to {max(moves):g} px, and these images have {side}: some "
                "are moved out of sight"
            )
    return notes


def _controls_missing(arms: Sequence[Arm], domain: str) -> str:
    """The options that would add the controls; nothing where both take part."""
    from automorph.experiments import is_control

    wanted = {"--policy none": any(arm.name == "none" for arm in arms),
              f"--policy {_RANDOM[domain]}": any(is_control(arm) for arm in arms)}  # fmt: skip
    return " and ".join(name for name, there in wanted.items() if not there)


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
        "provenance": provenance_of(task.data, started, comparison.seconds),
        "next": next_commands(source, comparison, folder, domain=task.data.domain),
    }


def next_commands(
    source: str, comparison: Comparison, folder: Path, *, domain: str = "image"
) -> list[str]:
    """Commands that a user would want to run next."""
    winner, data = comparison.winner, data_words(source)
    commands = [f"automorph explain {data}"]
    if winner != "none":
        commands = [
            f"automorph preview {data} --policy {shlex.quote(winner)}",
            f"automorph train {data} --policy {policy_words(comparison.policies[winner], folder)}"
            f"{training_words()}",
        ]
    if ":" in source:
        return [*commands, f"automorph search {data} --budget 30m{training_words()}"]
    # Data that everybody has are there to try things on.
    yours = "csv:YOUR/TEXTS.csv" if domain == "text" else "folder:YOUR/IMAGES"
    tried = dict.fromkeys([*map(shlex.quote, ["none", winner]), _RANDOM[domain]])
    policies = " ".join(f"--policy {name}" for name in tried)
    return [*commands, f"automorph compare {yours} {policies}"]


def table_of(comparison: Comparison, *, width: int = WIDE) -> Any:
    """The comparison as a table for a terminal of so many columns."""
    from automorph.experiments import interval, points

    share = f"{comparison.confidence:.0%}"
    base = comparison.baseline if len(comparison.baseline) <= 16 else "the baseline"
    columns = ["test\naccuracy", f"against {base}\n({share})", "p\n(Holm)", "valid-\nation"]
    # A narrow terminal has no room for the cost in passes; the report has it.
    columns += ["passes\na run", "s\na run"] if width >= WIDE else ["s\na run"]
    table = plain_table("policy", numbers=columns)
    # A long name must not take the room of all others.
    table.columns[0].min_width = 16
    for row in comparison.rows:
        if row.accuracy is None:
            table.add_row(row.policy, "failed", row.error or "", style="red")
            continue
        difference, p = "", ""
        if row.difference is not None:
            difference = f"{points(row.difference.mean)} ({interval(row.difference)})"
            p = p_words(row.difference.p_adjusted)
        passes = [_short(sum(row.units.values()) / len(row.accuracy.values))]
        table.add_row(
            row.policy,
            _mean(row.accuracy),
            difference,
            p,
            f"{100 * row.validation.mean:.1f}" if row.validation else "",
            *(passes if width >= WIDE else ()),
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


def read_json(path: Path) -> dict[str, Any] | None:
    """An object from a file, or None where there is no whole one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
