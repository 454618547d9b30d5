"""What ``explain`` does on a terminal: show how far it is, the table, the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.options import console
from automorph.cli.provenance import policy_facts, provenance_of
from automorph.cli.run_names import data_words, run_folder
from automorph.files import write_json

if TYPE_CHECKING:
    from rich.table import Table

    from automorph.diagnostics import Explanation, Finding
    from automorph.operations import SearchSpace
    from automorph.training import Task

EXAMPLES, DRAWS = 2, 5
"""Rows and columns of the pictures of an operation."""
_STYLES = {"keep": "green", "keep mild": "cyan", "drop": "yellow", "label risk": "red"}


@dataclass
class Explaining:
    """One explanation on the command line."""

    source: str
    task: Task
    space: SearchSpace
    folder: Path | None
    features: str
    deep: bool
    seed: int
    quiet: bool

    def run(self) -> dict[str, Any]:
        """Explain, tell, write, and give the object of ``--json`` back."""
        from automorph.diagnostics import explain, instant_policy, is_identity
        from automorph.report import publish

        words = [self.space.name, self.features, str(self.deep), str(self.seed)]
        folder = self.folder or run_folder("explain", self.task, words)
        say = console(quiet=self.quiet)
        # The identity is in some spaces, and there is nothing to explain about it.
        number = sum(not is_identity(operation) for operation in self.space)
        say.print(
            f"[bold]Explaining {number} operations on {self.source}[/bold]\n"
            f"{len(self.task.data.train):,} training examples of {len(self.task.data.classes)} "
            f"classes; features: {self.features if not self.deep else self.task.model}"
        )
        for note in self.task.data.notes:
            say.print(f"[dim]{note}[/dim]")
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with say.status("looking") as status:
            found = explain(
                self.task, self.space, features=self.features, deep=self.deep, seed=self.seed,
                progress=lambda name, k, of: status.update(f"{name} ({k + 1} of {of})"),
            )  # fmt: skip
        policy = instant_policy(found)
        content = {**found.to_dict(), "data": self.source}
        facts = {
            "pictures": self._pictures(found),
            "policy": {"name": policy.name, **policy_facts(policy)},
            "provenance": {
                **provenance_of(self.task.data, started, found.seconds),
                "seed": self.seed,
            },
            "next": self._next(),
        }
        report = publish(folder, "explain", {**content, **facts})
        content["report"] = str(report)
        write_json(folder / "explain.json", content)
        say.print()
        say.print(table_of(found, width=say.width))
        unseen = [one.operation.name for one in found.findings if one.does_nothing]
        if unseen:
            say.print(f"\nThe features see nothing of: {', '.join(unseen)}.", soft_wrap=True)
        say.print(
            "\nRanked by the predicted change of error at the best magnitude; in brackets: "
            "where the rank lies in 95 of 100 draws.\nPredictions rank operations; "
            "they do not replace a comparison."
        )
        say.print(f"\nReport  {report}\n\nNext:")
        for command in self._next():
            say.print(f"  {command}", soft_wrap=True)
        return content

    def _next(self) -> list[str]:
        data = data_words(self.source)
        return [
            f"automorph search {data} --method instant",
            f"automorph search {data} --space {self.space.name} --budget 20m",
        ]

    def _pictures(self, found: Explanation) -> dict[str, Any]:
        """Every operation at the end of its useful range, and beyond it."""
        from automorph.cli.preview import spread

        train = self.task.data.train
        part = train.take(spread(train.labels, EXAMPLES))
        return {
            finding.operation.name: {
                words: self._drawn(part.data, finding, magnitude)
                for words, magnitude in _shown(finding).items()
            }
            for finding in found.findings
        }

    def _drawn(self, images: Any, finding: Finding, magnitude: float) -> Any:
        import numpy as np

        from automorph.diagnostics import transform_of

        # On texts the finding's operation knows the corpus.
        transform = transform_of(finding.operation, magnitude, seed=self.seed)
        return np.stack([images, *(transform(images, k) for k in range(DRAWS))], axis=1)


def _shown(finding: Finding) -> dict[str, float]:
    """The magnitudes of the pictures, and their words."""
    if finding.operation.magnitude_free:
        return {"as it is": 1.0}
    shown = {}
    if finding.useful:
        shown[f"at the end of its useful range, {finding.useful_value}"] = finding.useful
    if finding.limit is not None:
        shown[f"beyond it, {finding.limit.value}"] = finding.limit.magnitude
    return shown


NARROW = 130
"""Columns of a terminal below which only what decides most often is shown; the rest: the report."""


def table_of(found: Explanation, *, width: int = NARROW) -> Table:
    """The findings as a table of a terminal of so many columns."""
    from rich.table import Table

    wide = width >= NARROW
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("rank", "operation", "verdict", "useful range"):
        table.add_column(name, no_wrap=True)
    more = ("alignment", "moved", "new", "variance", "µs") if wide else ()
    for name in ("error", "label risk", *more):
        table.add_column(name, justify="right")
    if wide:
        table.add_column("why")
    for finding in found.findings:
        seen = finding.best.diagnosis
        style = _STYLES[finding.verdict]
        cells = [
            f"{finding.rank} [dim]({finding.rank_low}–{finding.rank_high})[/dim]",
            finding.operation.name,
            f"[{style}]{finding.verdict}[/{style}]",
            finding.useful_value or ("yes" if finding.useful else "–"),
            # No negative zero.
            f"{round(100 * seen.change, 1) + 0.0:+.1f}%",
            f"{round(100 * seen.label_risk, 1) + 0.0:+.1f}%",
        ]
        if wide:
            cells += [
                f"{seen.alignment:+.3f}",
                f"{seen.invariance:.2f}",
                f"{seen.new_information:+.3f}",
                f"{seen.variance:.2f}",
                f"{1e6 * seen.cost:.0f}",
                finding.reason,
            ]
        table.add_row(*cells)
    return table
