"""``automorph explain``: measure what every operation does to your data, without training."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.comparison_result import read_object
from automorph.cli.config import write_config
from automorph.cli.options import (
    choosing,
    console,
    data_options,
    json_option,
    load,
    out_option,
    pretraining_of,
    print_json,
    print_notes,
    protect_option,
    quiet_option,
    seed_option,
    weights_option,
)
from automorph.cli.param_types import NameWord
from automorph.cli.provenance import notes_of, policy_facts, provenance_of
from automorph.cli.run_names import run_folder
from automorph.cli.suggestions import print_next, suggest
from automorph.errors import UsageError
from automorph.files import write_json

if TYPE_CHECKING:
    from rich.table import Table

    from automorph.diagnostics import Explanation, Finding
    from automorph.models import Weights
    from automorph.operations import SearchSpace
    from automorph.policies import ReviewedSpace
    from automorph.training import Task

EXAMPLES, DRAWS = 2, 5
"""Rows and columns in the pictures of an operation."""
NARROW = 130
"""A terminal with fewer columns shows the main measures only; the report shows all."""
VERDICTS = 3
"""Version of the verdicts in ``explain.json``.

Since 2, ``keep`` needs a gain beyond chance; since 3, a risk at strong magnitudes is named.
"""
_FORMERLY = {
    False: "'keep' also meant 'cannot tell'",
    True: "'cannot tell' also meant that only strong magnitudes put labels at risk",
}
"""What other verdicts meant, by whether a record has a version."""
_STYLES = {
    "keep": "green", "keep mild": "cyan", "cannot tell": "dim", "drop": "yellow",
    "risk if strong": "cyan", "label risk": "red",
}  # fmt: skip


@click.command(short_help="Measure what every operation does to your data.")
@data_options
@click.option(
    "--space",
    metavar="NAME|FILE",
    type=NameWord("operations:SPACES", check="policies:load_space", endings=(".json",)),
    help="Operations to explain, by name or as saved by automorph review.",
    show_default="catalogue; texts: texts, without WordNet operations if WordNet is missing",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Features: random (convolutions; texts: words and word pairs), pixels, or a "
    "model such as timm:resnet18:pretrained, features:timm:resnet18 or sentence:NAME. With "
    "--deep: the model to train.",
    show_default="random",
)
@weights_option
@protect_option
@click.option("--deep", is_flag=True, help="Use the features of a trained model.")
@seed_option
@out_option
@quiet_option
@json_option
def explain(
    data: str,
    space: str | None,
    model: str | None,
    weights: str | None,
    deep: bool,
    protect: tuple[str, ...],
    seed: int,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure what every operation of a space does to DATA, and how strong it may be.

    \b
    automorph explain cifar10 --limit 5000
    automorph explain folder:photos --space randaugment --model timm:resnet18:pretrained
    automorph explain csv:reviews.csv --text review --label stars

    Uses at most 2,000 training examples and trains nothing (with --deep: one training).
    The measures are predictions: they rank operations but do not replace a comparison.
    """
    from automorph.policies import is_space_file, load_space, read_space

    # Reject bad options before reading the data, and bad data before importing torch.
    operations = None if space is None else load_space(space)
    reviewed = read_space(space) if space is not None and is_space_file(space) else None
    sizing = None if model else choosing()
    loaded = load(data, resizing=pretraining_of(model), sizing=sizing, **options)
    from automorph.diagnostics import default_space
    from automorph.training import as_task

    own: dict[str, Any] = {"model": model, "weights": weights} if deep else {}
    task = as_task(loaded, protect=protect, **own)
    operations = operations or default_space(task.data.domain)
    run = ExplainRun(
        source=data, task=task, space=operations, folder=Path(out) if out else None,
        features="random" if deep or model is None else model, deep=deep, seed=seed,
        quiet=quiet or as_json, weights=None if deep else weights, reviewed=reviewed,
        space_word=space,
    )  # fmt: skip
    content = run.run()
    if as_json:
        print_json(content)


@dataclass
class ExplainRun:
    """One explanation on the command line."""

    source: str
    task: Task
    space: SearchSpace
    folder: Path | None
    features: str
    deep: bool
    seed: int
    quiet: bool
    weights: str | None = None
    reviewed: ReviewedSpace | None = None
    """The file that the space comes from, with what a person marked."""
    space_word: str | None = None
    """The space as typed."""

    def run(self) -> dict[str, Any]:
        """Run the explanation and return the object that ``--json`` prints."""
        from automorph.diagnostics import explain, instant_policy, is_identity
        from automorph.experiments import digest
        from automorph.policies import mark_words, space_to_dict
        from automorph.report import publish

        words = [self.space.name, self.features, str(self.deep), str(self.seed)]
        start = self._weights()
        words += [start.hash] if start and not self.deep else []
        words += [digest(space_to_dict(self.space))] if self.reviewed else []
        folder = self.folder or run_folder("explain", self.task, words)
        self._check_folder(folder)
        say = console(quiet=self.quiet)
        # Some spaces contain the identity, which is not explained.
        number = sum(not is_identity(operation) for operation in self.space)
        say.print(
            f"[bold]Explaining {number} operations on {self.source}[/bold]\n"
            f"{len(self.task.data.train):,} training examples of {self.task.data.in_words}; "
            f"features: {self._features}"
            f"{f'; pretrained weights: {start}' if start and not self.deep else ''}"
        )
        print_notes(say, self.task.data)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with say.status("starting") as status:
            result = explain(
                self.task, self.space, features=self.features, deep=self.deep, seed=self.seed,
                weights=self.weights,
                progress=lambda name, k, of: status.update(f"{name} ({k + 1} of {of})"),
            )  # fmt: skip
        policy = instant_policy(result)
        content = {**result.to_dict(), "data": self.source}
        if self.reviewed is not None:
            seen, marks = self.reviewed.looked_at, self.reviewed.marks
            for row in content["operations"]:
                mark = marks.get(row["name"])
                row["marked"] = mark_words(seen[row["name"]], mark) if mark else "not judged"
        provenance = {
            **provenance_of(self.task.data, started, result.seconds),
            **notes_of(self.task.data),
            "seed": self.seed,
            "weights": start.hash if start else None,
        }
        old = with_recorded_verdicts(content, read_object(folder / "explain.json"))
        version = {"verdicts": VERDICTS} if old is None else old
        commands = self._next(content["operations"])
        facts = {
            **version,
            "pictures": self._pictures(result),
            "policy": {"name": policy.name, **policy_facts(policy)},
            "provenance": provenance,
            "next": commands,
        }
        write_config(folder)
        report = publish(folder, "explain", {**content, **facts})
        content["report"] = str(report)
        write_json(folder / "explain.json", {**content, **notes_of(self.task.data), **version})
        say.print()
        say.print(table_of(content["operations"], width=say.width))
        for remark in remarks_on(result):
            say.print(f"\n{remark}", soft_wrap=True)
        if old is not None:
            say.print(
                "\nThese verdicts were recorded by an earlier version, whose "
                f"{_FORMERLY[bool(old)]}; choose another --out for new ones.",
                style="dim", soft_wrap=True,
            )  # fmt: skip
        say.print(
            "\nRanked by the predicted change of error at the best magnitude. In brackets: the "
            "range of ranks\nin 95 of 100 draws. Predictions rank operations; they do not "
            "replace a comparison."
        )
        say.print(f"\nReport  {report}")
        print_next(say, commands)
        return content

    @property
    def _features(self) -> str:
        """The features in words."""
        if self.deep:
            return f"{self.task.model}, trained"
        if self.features != "random":
            return self.features
        domain = self.task.data.domain
        return "words and word pairs" if domain == "text" else "random convolutions"

    def _weights(self) -> Weights | None:
        """Return the file of the weights of the features, or of the network to train."""
        from automorph.models import weights_for

        return self.task.weights if self.deep else weights_for(self.features, self.weights)

    def _check_folder(self, folder: Path) -> None:
        """Reject a folder with an explanation of something else, which would be overwritten."""
        from automorph.training import differences

        found = (read_object(folder / "report.json") or {}).get("content")
        if not isinstance(found, dict):
            return
        known = found.get("provenance") or {}
        start = self._weights()
        wanted = {
            "data": self.task.data.hash, "seed": self.seed, "space": self.space.name,
            "features": f"{self.task.model}, trained" if self.deep else self.features,
            # Version 0.1 did not record them.
            **({"weights": start and start.hash} if "weights" in known else {}),
        }  # fmt: skip
        there = {
            **found, "data": known.get("data_hash"), "seed": known.get("seed"),
            "weights": known.get("weights"),
        }  # fmt: skip
        changes = differences({name: there.get(name) for name in wanted}, wanted)
        if changes:
            raise UsageError(
                f"{folder} contains a different explanation ({'; '.join(changes)}), which this one "
                "would overwrite. Nothing was done; choose another folder with --out"
            )

    def _next(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the recommended command: a test of what to keep, or of what is undecided.

        The space is named, because a search has another default.
        """
        from automorph.operations import SPACES

        space = self.space.name if self.space.name in SPACES else self.space_word
        if not any(row["verdict"] in ("keep", "keep mild") for row in rows):
            return [suggest("search", self.source, space=space)]
        seen = "" if self.deep or self.features == "random" else f"(features={self.features})"
        return [suggest("search", self.source, space=space, method=f"instant{seen}")]

    def _pictures(self, result: Explanation) -> dict[str, Any]:
        """Draw every operation at the end of its useful range, and beyond it."""
        from automorph.cli.preview import spread

        train = self.task.data.train
        part = train.take(spread(train.labels, EXAMPLES))
        return {
            finding.operation.name: {
                words: self._drawn(part.data, finding, magnitude)
                for words, magnitude in _shown(finding).items()
            }
            for finding in result.findings
        }

    def _drawn(self, images: Any, finding: Finding, magnitude: float) -> Any:
        import numpy as np

        from automorph.diagnostics import transform_of

        # For texts, the operation in the finding is fitted to the corpus.
        transform = transform_of(finding.operation, magnitude, seed=self.seed)
        return np.stack([images, *(transform(images, k) for k in range(DRAWS))], axis=1)


def _shown(finding: Finding) -> dict[str, float]:
    """Return the magnitudes to draw, by caption."""
    if finding.operation.magnitude_free:
        return {"no magnitude": 1.0}
    shown = {}
    if finding.useful:
        shown[f"at the end of its useful range, {finding.useful_value}"] = finding.useful
    if finding.limit is not None:
        shown[f"beyond it, {finding.limit.value}"] = finding.limit.magnitude
    return shown


def remarks_on(result: Explanation) -> list[str]:
    """Return sentences about operations without an effect, on the examples or on the features."""
    from automorph.report import plural

    idle = [one.operation.name for one in result.findings if one.changes_nothing]
    unseen = [one.operation.name for one in result.findings if one.does_nothing]
    unseen = [name for name in unseen if name not in idle]
    # Reasons that hold for the data or the features, and so for many operations alike.
    shared = Counter(
        one.reason
        for one in result.findings
        if one.verdict == "cannot tell" and one.reason in (one.doubt, one.thin)
    )
    remarks = [f"Cannot tell about {plural(n, 'operation')}: {why}." for why, n in shared.items()]
    if idle:
        remarks.append(f"None of the {result.examples:,} examples is changed by: {listed(idle)}.")
    if unseen:
        remarks.append(
            f"The features do not respond to: {listed(unseen)}. A network may; try another --model."
        )
    return remarks


def listed(names: Sequence[str]) -> str:
    """Join names with commas."""
    return ", ".join(names)


def with_recorded_verdicts(
    content: dict[str, Any], record: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Put the verdicts of an earlier version's record into the same explanation.

    Returns the version of that record as its entry, or None: a finished run says the same whenever
    it is repeated, but a record with today's verdicts, or with other figures, has no say.
    """
    if record is None or record.get("verdicts") == VERDICTS or "operations" not in record:
        return None
    before = {row["name"]: row for row in record["operations"]}
    rows = {row["name"]: row for row in content["operations"]}
    setting = ("data", "space", "features", "examples")
    if before.keys() != rows.keys() or any(record.get(key) != content[key] for key in setting):
        return None
    if not all(_same_figures(before[name], row) for name, row in rows.items()):
        return None
    for name, row in rows.items():
        row |= {key: before[name][key] for key in ("verdict", "decides", "reason")}
    return {"verdicts": record["verdicts"]} if "verdicts" in record else {}


def _same_figures(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return True if the sweeps of an operation agree, floats to three decimals."""
    return len(before["sweep"]) == len(now["sweep"]) and all(
        math.isclose(one[key], other[key], abs_tol=1e-3)
        for one, other in zip(before["sweep"], now["sweep"], strict=True)
        for key in ("magnitude", "change", "label_risk")
    )


def table_of(rows: Sequence[Mapping[str, Any]], *, width: int = NARROW) -> Table:
    """Make the table of findings, as plain data, for a terminal of ``width`` columns."""
    from rich.table import Table

    wide = width >= NARROW
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("rank", "operation", "verdict", "useful range"):
        table.add_column(name, no_wrap=True)
    marked = any("marked" in row for row in rows)
    more = ("alignment", "moved", "new", "variance", "µs") if wide else ()
    for name in ("error", "label risk", *(["you marked"] if marked else []), *more):
        table.add_column(name, justify="left" if name == "you marked" else "right")
    if wide:
        table.add_column("why")
    for row in rows:
        style, (low, high) = _STYLES[row["verdict"]], row["rank_interval"]
        cells = [
            f"{row['rank']} [dim]({low}–{high})[/dim]",
            row["name"],
            f"[{style}]{row['verdict']}[/{style}]",
            row["useful_value"] or ("yes" if row["useful"] else "–"),
            # Adding zero turns a negative zero into a positive one.
            f"{round(100 * row['change'], 1) + 0.0:+.1f}%",
            f"{round(100 * row['label_risk'], 1) + 0.0:+.1f}%",
            *([row["marked"]] if "marked" in row else []),
        ]
        if wide:
            cells += [
                f"{row['alignment']:+.3f}",
                f"{row['invariance']:.2f}",
                f"{row['new_information']:+.3f}",
                f"{row['variance']:.2f}",
                f"{1e6 * row['cost']:.0f}",
                row["reason"],
            ]
        table.add_row(*cells)
    return table
