"""What ``audit`` does on a command line: load, audit, show, write result and report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automorph.cli.options import console, p_words, plain_table, tell_notes
from automorph.cli.provenance import provenance_of
from automorph.cli.run_names import data_words, run_folder
from automorph.files import write_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from automorph.data import Dataset
    from automorph.robustness import Audit

SHOWN = 30
"""Most groups in the table of a terminal."""
EXAMPLES = 12
"""Pictures of a strip."""


@dataclass
class Auditing:
    """One audit on the command line."""

    source: str
    model: str | None
    recipe: dict[str, Any]
    checkpoint: str | None
    predictions: str | None
    part: str | None
    discover: bool
    method: Any
    seed: int
    folder: Path | None
    quiet: bool
    options: dict[str, Any]

    def run(self) -> dict[str, Any]:
        """Audit, tell, and give the object of ``--json`` back."""
        from automorph.data import load_data

        # The split hangs on the same seed for all verbs.
        data = load_data(self.source, seed=0, metadata=None, **self.options)
        from automorph.report import publish
        from automorph.robustness import audit, split_as_trained

        started = datetime.now(UTC).isoformat(timespec="seconds")
        began = time.monotonic()
        if self.predictions is None:
            data, _ = split_as_trained(data, self.checkpoint, seed=0)
        folder = self.folder or self._folder(data)
        say = console(quiet=self.quiet)
        say.print(f"[bold]Auditing {self._subject()} on {self.source}[/bold]")
        tell_notes(say, data)
        found = audit(
            data, model=self.model, checkpoint=self.checkpoint, predictions=self.predictions,
            part=self.part, discover=self.discover, method=self.method, recipe=self.recipe,
            seed=self.seed, folder=folder / "model", progress=False if self.quiet else None,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        found = found.with_report(folder / "report.html", data=self.source)
        content = found.to_dict()
        provenance = provenance_of(data, started, time.monotonic() - began)
        page = {**content, "pictures": _pictures(found, data), "provenance": provenance,
                "next": self._next()}  # fmt: skip
        publish(folder, "audit", page)
        write_json(folder / "audit.json", {**content, "provenance": provenance})
        show(found, say)
        say.print(f"\nReport  {folder / 'report.html'}")
        for command in self._next():
            say.print(f"Next    {command}", soft_wrap=True)
        return content

    def _subject(self) -> str:
        return self.predictions or self.checkpoint or self.model or "a plainly trained network"

    def _folder(self, data: Dataset) -> Path:
        from automorph.data import split
        from automorph.training import as_task

        task = as_task(split(data, seed=0), model=self.model if not self.checkpoint else None)
        more = [self._subject(), str(self.recipe), str(self.seed), self.part or "", self.method]
        return run_folder("audit", task, [*more, str(self.discover), *data.subgroup_names[:20]])

    def _next(self) -> list[str]:
        named = bool(self.options.get("subgroup")) or "-correlation" in self.source
        return [f"automorph patch {data_words(self.source)}"] if named else []


def show(found: Audit, say: Console) -> None:
    """The audit on a terminal."""
    lines = [
        f"Gap of {name}: {100 * gap.value:.1f} points ({100 * gap.low:.1f} to {100 * gap.high:.1f})"
        for name, gap in found.gap.items()
        if gap is not None
    ]
    if (told := found.information) is not None:
        lines.append(
            f"Mutual information of prediction and subgroup given the class: {told.value:.4f} nats "
            f"({told.low:.4f} to {told.high:.4f})"
        )
    for one in [one for one in found.intersections if one.alarm][:3]:
        where = ", ".join(f"{column} = {value}" for column, value in one.values.items())
        lines.append(
            f"Where columns meet: {one.class_name} with {where}: {100 * one.accuracy:.1f} % right "
            f"({one.n:,} examples; its class {100 * one.class_accuracy:.1f} %)"
        )
    say.print(f"\n{found.n:,} examples of the {found.facts['part']} part\n")
    say.print(table_of(found))
    for line in lines:
        say.print(line, soft_wrap=True)
    for note in found.notes:
        say.print(note, style="dim", soft_wrap=True)
    say.print(f"\n{found.verdict}", style="bold", soft_wrap=True)
    for alarm in found.alarms[1:5]:
        say.print(alarm, soft_wrap=True)


def table_of(found: Audit) -> Table:
    """The groups, the worst first."""
    # Whole classes have no rest of their class to be held against.
    p = ("p",) if found.named else ()
    numbers = ("examples", "accuracy", "95 %", "over-\nconfidence", *p)
    table = plain_table("class", *(("subgroup",) if found.named else ()), numbers=numbers)
    order = sorted(found.groups, key=lambda g: 2.0 if g.accuracy is None else g.accuracy)
    for g in order[:SHOWN]:
        sure = g.overconfidence
        table.add_row(
            g.class_name, *((g.subgroup,) if found.named else ()), f"{g.n:,}",
            "" if g.accuracy is None else f"{100 * g.accuracy:.1f}",
            "" if g.low is None or g.high is None else f"{100 * g.low:.1f} to {100 * g.high:.1f}",
            "" if sure is None else f"{100 * sure.value:+.1f}",
            *((p_words(g.p if g.n else None),) if found.named else ()),
            style="bold red" if g.alarm else None,
        )  # fmt: skip
    whole = found.accuracy
    table.add_row(
        "all", *(("",) if found.named else ()), f"{found.n:,}", f"{100 * whole.value:.1f}",
        f"{100 * whole.low:.1f} to {100 * whole.high:.1f}", style="dim",
    )  # fmt: skip
    return table


def _pictures(found: Audit, data: Dataset) -> dict[str, Any]:
    """Mistakes in the worst group, and the most telling examples of the slices."""
    if found.predictions is None:
        return {}
    from automorph.data import open_part

    part = open_part(data, found.facts["part"])
    wrong = found.predictions != part.labels
    label = data.classes.index(found.worst.class_name)
    mine = wrong & (part.labels == label)
    if part.subgroups is not None:
        mine &= part.subgroups == data.subgroup_names.index(found.worst.subgroup)
    worst = found.worst
    where = f"({worst.class_name}, {worst.subgroup})" if found.named else worst.class_name
    pictures = {f"Wrong in {where}": np.flatnonzero(mine)}
    pictures |= {f"Slice {one.name}": np.array(one.telling) for one in found.slices[:6]}
    return {name: part.data[rows[:EXAMPLES]] for name, rows in pictures.items() if len(rows)}
