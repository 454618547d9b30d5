"""``automorph audit``: find the subgroups on which a model fails."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from automorph.cli.audit_tables import print_audit
from automorph.cli.config import write_config
from automorph.cli.options import (
    choosing,
    console,
    data_options,
    folds_options,
    json_option,
    load_whole,
    out_option,
    pretraining_of,
    print_json,
    print_notes,
    quiet_option,
    seed_option,
    training_options,
)
from automorph.cli.output_audit import next_of_outputs, print_outputs
from automorph.cli.param_types import NameWord
from automorph.cli.provenance import notes_of, provenance_of
from automorph.cli.run_names import run_folder
from automorph.cli.suggestions import first_policies, print_next, suggest, suggest_again
from automorph.errors import UsageError
from automorph.files import write_json

if TYPE_CHECKING:
    from automorph.data import Dataset, Decode, Resizing, Sizing
    from automorph.robustness import Audit, Reference

PARTS = ("train", "validation", "test")
FAILED = 3
"""The exit status of an audit in which a group is below ``--fail-under``."""
EXAMPLES = 12
"""Maximum number of pictures in a strip."""


@click.command(short_help="Find the subgroups on which a model fails.")
@data_options
@training_options
@click.option(
    "--checkpoint",
    metavar="RUN",
    help="Run folder or weights file to audit.",
    show_default="a network trained here",
)
@click.option(
    "--predictions",
    metavar="FILE[:COLUMN]|COLUMN",
    help="Existing predictions to audit, in a file or a column of DATA.",
)
@click.option(
    "--part",
    type=click.Choice(PARTS),
    help="Part of the data to audit.",
    show_default="test; with --discover: validation",
)
@click.option("--discover", is_flag=True, help="Discover subgroups that no column describes.")
@click.option(
    "--method",
    type=click.Choice(["domino", "george"]),
    default="domino",
    show_default=True,
    help="With --discover: slice discovery method.",
)
@click.option(
    "--metric",
    "--also",
    "metrics",
    metavar="METRIC",
    multiple=True,
    type=NameWord("metrics:METRICS", check="metrics:check_metric"),
    help="Metric of the whole part to show, with its interval; repeatable (see: automorph list "
    "metrics).",
)
@click.option(
    "--min-group",
    type=click.IntRange(1),
    metavar="N",
    help="Smallest group that counts as the worst; also shows recalls by class and column, pulled "
    "towards the whole class where examples are few.",
)
@click.option(
    "--against",
    metavar="RUN",
    help="Run folder of an earlier audit or patch: what has changed since, beyond chance.",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with status 3 if the accuracy of any group is below this, such as 0.8.",
)
@click.option(
    "--missing-groups",
    type=click.Choice(["fail", "pass"]),
    default="fail",
    show_default=True,
    help="With --fail-under: whether groups without examples pass.",
)
@folds_options
@seed_option
@out_option
@quiet_option
@json_option
def audit(
    data: str,
    checkpoint: str | None,
    predictions: str | None,
    part: str | None,
    discover: bool,
    method: str,
    against: str | None,
    fail_under: float | None,
    missing_groups: Literal["fail", "pass"],
    seed: int,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the subgroups of DATA on which a model fails, with confidence intervals.

    \b
    automorph audit parquet:lesions --subgroup patch --checkpoint runs/train-lesions
    automorph audit csv:photos.csv --subgroup site --subgroup device --predictions predicted
    automorph audit folder:photos --model resnet18 --discover
    automorph audit csv:new.csv --checkpoint runs/patch-x --against runs/patch-x --fail-under 0.8

    Without --checkpoint or --predictions, a network is trained without augmentation and audited.
    """
    if checkpoint is not None and predictions is None:
        _check_exists(checkpoint)
    reference = None
    if against is not None:
        from automorph.robustness import read_reference

        reference = read_reference(against)
    training = {key: options.pop(key) for key in ("epochs", "batch_size", "lr", "precision")}
    training["defaults"] = options.pop("recipe")
    for name in ("balance", "loss"):  # Absent if not given: the words name the folder.
        if (given := options.pop(name)) is not None:
            training[name] = given
    run = AuditRun(
        source=data, model=options.pop("model"), weights=options.pop("weights"), recipe=training,
        checkpoint=checkpoint, predictions=predictions, part=part, discover=discover,
        method=method, seed=seed, metrics=options.pop("metrics"),
        min_group=options.pop("min_group") or 0,
        folder=Path(out) if out else None, quiet=quiet or as_json, options=options,
        against=reference, fail_under=fail_under, missing_groups=missing_groups,
    )  # fmt: skip
    content = run.run()
    if as_json:
        print_json(content)
    if content.get("failures"):
        raise SystemExit(FAILED)


def _check_exists(checkpoint: str) -> None:
    """Reject a missing checkpoint before the data are read."""
    if not Path(checkpoint).expanduser().exists():
        raise UsageError(
            f"{checkpoint} does not exist; expected a run folder or a weights file. Correct "
            "--checkpoint, or leave it out to audit a network trained here"
        )


@dataclass
class AuditRun:
    """One audit on the command line: load, audit, print, write the result and the report."""

    source: str
    model: str | None
    weights: str | None
    recipe: dict[str, Any]
    checkpoint: str | None
    predictions: str | None
    part: str | None
    discover: bool
    method: Any
    seed: int
    metrics: tuple[str, ...]
    folder: Path | None
    quiet: bool
    options: dict[str, Any]
    against: Reference | None = None
    fail_under: float | None = None
    missing_groups: Literal["fail", "pass"] = "fail"
    min_group: int = 0

    def run(self) -> dict[str, Any]:
        """Run the audit and return the object that ``--json`` prints."""
        # All verbs use the same seed for the split.
        resizing = _resizing(self.model, self.checkpoint)
        sizing = _sizing(self.model, self.checkpoint, frozen=self.recipe["lr"] is None)
        decode = _decode(self.options["decode"], self.checkpoint)
        options = {**self.options, "decode": decode}
        data = load_whole(
            self.source, seed=0, metadata=None, resizing=resizing, sizing=sizing, **options
        )
        from automorph.report import publish
        from automorph.robustness import Audit, audit, split_as_trained

        self._check_kind(data)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        began = time.monotonic()
        whole = self._whole(data)
        if self.predictions is None and not whole:
            data, _ = split_as_trained(data, self.checkpoint, seed=0)
        folder = self.folder or self._folder(data)
        say = console(quiet=self.quiet)
        say.print(f"[bold]Auditing {self._subject()} on {self.source}[/bold]")
        print_notes(say, data)
        result = audit(
            data, model=self.model, checkpoint=self.checkpoint, weights=self.weights,
            predictions=self.predictions, part=self.part, discover=self.discover,
            method=self.method, recipe=self.recipe, seed=self.seed, metrics=self.metrics,
            min_group=self.min_group,
            folder=folder / "model", progress=False if self.quiet else None, whole=whole,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        result = result.with_report(folder / "report.html", data=self.source)
        provenance = provenance_of(data, started, time.monotonic() - began) | notes_of(data)
        content, pictures = result.to_dict(), dict[str, Any]()
        if isinstance(result, Audit):
            content |= self._checked(result)
            pictures = _pictures(result, data)
            following = self._next(result, data)
        else:
            following = next_of_outputs(result, self.source, data.domain)
        page = {**content, "pictures": pictures, "provenance": provenance, "next": following}
        write_config(folder)
        publish(folder, "audit", page)
        write_json(folder / "audit.json", {**content, "provenance": provenance})
        if isinstance(result, Audit):
            print_audit(result, say)
        else:
            print_outputs(result, say)
        if "against" in content:
            say.print(f"\n{content['against']['verdict']}", style="bold", soft_wrap=True)
        for line in content.get("failures", ()):
            say.print(line, style="bold red", soft_wrap=True)
        say.print(f"\nReport  {folder / 'report.html'}")
        print_next(say, following)
        return content

    def _check_kind(self, data: Dataset) -> None:
        """Refuse what compares accuracies of groups, for data without classes."""
        if data.target != "classes" and (self.against is not None or self.fail_under is not None):
            option = "--against" if self.against is not None else "--fail-under"
            raise UsageError(
                f"got {option} for --target {data.target}; expected classes, whose groups have "
                f"accuracies: leave out {option}, or audit one label as two classes (--label-of)"
            )

    def _whole(self, data: Dataset) -> bool:
        """Return whether all examples are new to the network, and are audited.

        They are in data without parts that are compared with an earlier audit.
        """
        return self.against is not None and self.checkpoint is not None and len(data.sizes) == 1

    def _checked(self, result: Audit) -> dict[str, Any]:
        """Return what has changed since an earlier audit, and why the limit is not reached."""
        from automorph.robustness import compare_audits, failures

        found: dict[str, Any] = {}
        known: list[tuple[str, str]] = []
        if self.against is not None:
            found["against"] = compare_audits(result, self.against).to_dict()
            known = [key for key, n in self.against.n.items() if n]
        if self.fail_under is not None:
            found["fail_under"] = self.fail_under
            found["failures"] = list(
                failures(result, limit=self.fail_under, known=known, missing=self.missing_groups)
            )
        return found

    def _subject(self, trained: str = "a network trained without augmentation") -> str:
        return self.predictions or self.checkpoint or self.model or trained

    def _folder(self, data: Dataset) -> Path:
        from automorph.data import split
        from automorph.training import as_task

        own: dict[str, Any] = (
            {} if self.checkpoint else {"model": self.model, "weights": self.weights}
        )
        task = as_task(split(data, seed=0), **own)
        # Hashed into the folder name: these words must not change.
        subject = self._subject("a plainly trained network")
        more = [subject, str(self.recipe), str(self.seed), self.part or "", self.method]
        return run_folder("audit", task, [*more, str(self.discover), *data.subgroup_names[:20]])

    def _next(self, result: Audit, data: Dataset) -> list[str]:
        """Return the recommended command.

        A network that always answers one class is trained longer, subgroups on which a model fails
        are mended; without an alarm, the next thing to look for is slices that no column names, and
        after that, policies that make the model better on the whole. A slice has no command: it is
        to be looked at.
        """
        from automorph.robustness import can_discover

        trained = self.checkpoint is None and self.predictions is None
        if result.only is not None:
            epochs = 2 * _epochs(data, self.model, self.recipe)
            return [suggest_again(self.source, but=("out",), epochs=epochs)] if trained else []
        if any(group.alarm for group in result.groups):
            return [suggest("patch", self.source, checkpoint=self.checkpoint)]
        if result.alarms:
            return []
        if not self.discover and trained and can_discover(data):
            return [suggest_again(self.source, but=("out", "part"), discover=True)]
        return [suggest("compare", self.source, policies=first_policies(data.domain))]


def _resizing(model: str | None, checkpoint: str | None) -> Resizing | None:
    """Return how the network that is audited wants images resized."""
    if checkpoint is not None:
        from automorph.training import resized_as

        return resized_as(checkpoint)
    return pretraining_of(model)


def _decode(asked: Decode | None, checkpoint: str | None) -> Decode | None:
    """Return how JPEG files are decoded: as for the network that is audited."""
    if checkpoint is None or asked is not None:
        return asked
    from automorph.training import decoded_as

    return decoded_as(checkpoint)


def _sizing(model: str | None, checkpoint: str | None, *, frozen: bool) -> Sizing | None:
    """Return what chooses the size of photographs: that of the network that is audited."""
    if checkpoint is None:
        return None if model else choosing(frozen=frozen)
    from automorph.training import sized_as

    return sized_as(checkpoint)


def _epochs(data: Dataset, model: str | None, recipe: dict[str, Any]) -> int:
    """Return how long the audited network was trained here."""
    from automorph.data import split
    from automorph.training import as_task

    return as_task(split(data, seed=0), model=model, recipe=recipe).recipe.epochs


def _pictures(result: Audit, data: Dataset) -> dict[str, Any]:
    """Collect errors in the worst group, and the most typical examples of each slice."""
    import numpy as np

    if result.predictions is None:
        return {}
    from automorph.data import open_part
    from automorph.targets import target_of

    part, worst = open_part(data, result.facts["part"]), result.worst
    mine = ~target_of(data).correct(result.predictions, part.labels)
    mine &= part.labels == data.classes.index(worst.class_name)
    if part.subgroups is not None:
        mine &= part.subgroups == data.subgroup_names.index(worst.subgroup)
    where = f"({worst.class_name}, {worst.subgroup})" if result.named else worst.class_name
    pictures = {f"Errors in {where}": np.flatnonzero(mine)}
    pictures |= {f"Slice {one.name}": np.array(one.telling) for one in result.slices[:6]}
    return {name: part.data[rows[:EXAMPLES]] for name, rows in pictures.items() if len(rows)}
