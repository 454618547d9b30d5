"""``automorph patch``: repair a model that fails on a subgroup."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.config import write_config
from automorph.cli.options import (
    WIDE,
    console,
    data_options,
    engine_options,
    engine_settings,
    json_option,
    out_option,
    patch_metric_options,
    plain_table,
    print_json,
    print_notes,
    protect_option,
    quiet_option,
    side_by_side,
    task_of,
    training_options,
)
from automorph.cli.param_types import NameWord
from automorph.cli.progress import Bars
from automorph.cli.provenance import notes_of, provenance_of
from automorph.cli.run_names import run_folder
from automorph.cli.suggestions import (
    TRAINING,
    first_policies,
    print_next,
    suggest,
    suggest_again,
)
from automorph.cli.task_words import length_of
from automorph.files import write_json

if TYPE_CHECKING:
    from rich.table import Table

    from automorph.experiments import Metric
    from automorph.robustness import Patched, Untested
    from automorph.training import Task

ENOUGH = 5
"""Paired seeds below which a gain within chance is a reason to repeat the run with more."""


@click.command(short_help="Repair a model that fails on a subgroup.")
@data_options
@training_options
@patch_metric_options
@click.option(
    "--translator",
    default="auto",
    show_default=True,
    metavar="NAME|MODULE:FUNCTION",
    type=NameWord("robustness:TRANSLATORS", "auto", "none", check="robustness:check_names"),
    help="Translator between subgroups (see: automorph list translators), or your own edit "
    "function; auto: the first that passes its checks; none: no translation.",
)
@click.option(
    "--objective",
    default="auto",
    show_default=True,
    metavar="NAME",
    type=NameWord("robustness:METHODS", "auto", check="robustness:load_method"),
    help="Training objective (see: automorph list objectives); auto: the best on the validation "
    "part.",
)
@click.option(
    "--checkpoint",
    metavar="RUN",
    help="Run folder of the model to repair.",
    show_default="a model trained here",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    metavar="N",
    help="Training steps of a CycleGAN.",
    show_default="2000; masked-cyclegan on images below 28 px: up to 6000",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="Number of seeds for each objective.",
)
@click.option(
    "--saliency/--no-saliency",
    default=None,
    help="Draw saliency maps of the model.",
    show_default="if captum is installed",
)
@protect_option
@engine_options
@out_option
@quiet_option
@json_option
def patch(
    data: str,
    translator: str,
    objective: str,
    checkpoint: str | None,
    steps: int | None,
    seeds: int,
    saliency: bool | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Repair a model of DATA that fails on a subgroup, and measure the improvement.

    \b
    automorph patch parquet:lesions --subgroup patch_colored --size 64
    automorph patch mnist-correlation --translator cyclegan --seeds 3
    automorph patch csv:photos.csv --subgroup site --translator my_edits:add_logo
    automorph patch csv:reviews.csv --text review --label stars --subgroup dialect

    A translator maps images (or texts) from one subgroup to another; it is learned, or it is your
    own function edit(images, direction). A translator that fails its checks is not used. The model
    is then retrained and compared with plain training, balanced sampling and group DRO. If the run
    is interrupted, run the same command again to continue it.
    """
    if options["label_of"] is None:  # Otherwise, labels are two classes.
        from automorph.targets import check_target

        check_target(options["target"], "patch")
    where = engine_settings(options)
    options["metric"] = options["metric"] or "accuracy"
    if checkpoint is not None and options["decode"] is None:
        from automorph.training import decoded_as

        options["decode"] = decoded_as(checkpoint)
    task = task_of(data, out=out, **options)
    run = PatchRun(
        source=data, task=task, translator=translator, objective=objective, checkpoint=checkpoint,
        steps=steps, seeds=seeds, maps=saliency, folder=Path(out) if out else None,
        quiet=quiet or as_json,
    )  # fmt: skip
    content = run.run(**where)
    if as_json:
        print_json(content)


@dataclass
class PatchRun:
    """One patch on the command line; also the whole of ``quickstart --patch``."""

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
    settings: dict[str, Any] = field(default_factory=dict)

    def run(self, *, jobs: int | None, **where: Any) -> dict[str, Any]:
        """Run the patch and return the object that ``--json`` prints."""
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
            f"[bold]{self.title or f'Patching {self.task.model} on {self.source}'}[/bold]\n"
            f"{len(data.train):,} training examples ({counts}), "
            f"{length_of(self.task.recipe)}, {plural(self.seeds, 'seed')}"
        )
        print_notes(say, data)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with Bars(quiet=self.quiet) as bars:
            result = patch(
                self.task, translator=self.translator, objective=self.objective,
                checkpoint=self.checkpoint, seeds=self.seeds, folder=folder,
                jobs=side_by_side(jobs), maps=self.maps, progress=bars.begin, fitting=bars.fit,
                **where,
                cyclegan=None if self.steps is None else CycleRecipe(steps=self.steps),
            )  # fmt: skip
        content = {
            "data": self.source, **result.to_dict(), "subgroups": list(data.subgroup_names),
            "report": str(folder / "report.html"),
        }  # fmt: skip
        facts = provenance_of(data, started, result.seconds) | notes_of(data)
        page = {**content, "looks": result.looks, "provenance": facts, "next": self._next(result)}
        write_config(folder)
        publish(folder, "patch", page)
        write_json(folder / "patch.json", {**content, "provenance": facts})
        self._print_result(result, folder)
        return content

    def _next(self, result: Patched) -> list[str]:
        """Return the recommended command: audit the model that the verdict says to use."""
        from automorph.robustness import can_discover

        source, epochs = self.source, 2 * self.task.recipe.epochs
        if result.after.only is not None:
            return [suggest_again(source, but=("out",), epochs=epochs)]
        if result.verdict.kind == "better":
            checkpoint = str(result.checkpoint)
            return [suggest("audit", source, but=TRAINING, checkpoint=checkpoint)]
        if self.seeds < ENOUGH:
            return [suggest_again(source, seeds=ENOUGH)]
        if not can_discover(self.task.data):
            policies = first_policies(self.task.data.domain)
            return [suggest("compare", source, **self.settings, policies=policies)]
        if self.checkpoint is not None:
            kept = self.checkpoint
            return [suggest("audit", source, but=TRAINING, checkpoint=kept, discover=True)]
        return [suggest("audit", source, **self.settings, discover=True)]

    def _print_result(self, result: Patched, folder: Path) -> None:
        say = console(quiet=self.quiet)
        say.print()
        say.print(_group_table(result))
        say.print()
        say.print(_objective_table(result, width=say.width))
        if result.metrics:
            say.print()
            say.print(_metric_table(result))
        if result.untested is not None:
            say.print()
            say.print(_untested_table(result, result.untested))
        kind = result.choice.kind
        if kind == "none":
            say.print("\nNo translator was used.")
        else:
            say.print(f"\nThe translator {kind} passed its checks.")
        for note in result.notes:
            say.print(f"[yellow]{note}[/yellow]")
        say.print(f"\n{result.verdict.text}\n", style="bold")
        name = "Patched model" if result.verdict.kind == "better" else "New model"
        say.print(f"{name:13}  {result.checkpoint}")
        say.print(f"Model card     {result.card}")
        say.print(f"Report         {folder / 'report.html'}")
        print_next(say, self._next(result))


def _group_table(result: Patched) -> Table:
    """Make the table of group accuracies before and after."""
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


def _objective_table(result: Patched, *, width: int = WIDE) -> Table:
    """Make the table of objectives over the seeds for a terminal of ``width`` columns."""
    from automorph.experiments import interval, points

    measure = _chosen_by(result)
    numbers = ["robust", "accuracy", "against balanced", "validation"]
    # A narrow terminal has no room for gaps and times; the report shows them.
    more = ["gaps", "wall s a run"] if width >= WIDE else []
    table = plain_table("objective", numbers=[*numbers, *more])
    for row in result.treatments:
        spread = row.robust_accuracy.se
        gaps = ", ".join(f"{gap.mean:.1f}" for gap in row.gap.values())
        against = ""
        if row.difference is not None:
            against = f"{points(row.difference.mean)} ({interval(row.difference)})"
        table.add_row(
            row.objective,
            f"{100 * row.robust_accuracy.mean:.1f}"
            + ("" if spread is None else f" ± {100 * spread:.1f}"),
            f"{100 * row.accuracy.mean:.1f}",
            against,
            measure.value(row.selected.mean).removesuffix(" %"),
            *[gaps, f"{row.seconds.mean:.0f}"][: len(more)],
            style="bold green" if row.objective == result.objective else None,
        )
    return table


def _chosen_by(result: Patched) -> Metric:
    """Return how the values that chose are written."""
    from automorph.experiments import ACCURACY

    return ACCURACY if result.metric == ACCURACY.name else result.metrics[0].metric


def _metric_table(result: Patched) -> Table:
    """Make the table of the metrics: before, after, and each objective over the seeds."""
    numbers = ("all", "worst\nsubgroup", "mean of\nsubgroups", "against balanced")
    table = plain_table("metric", numbers=numbers)
    # Keep the names readable beside the numbers.
    table.columns[0].min_width = 16
    for one in result.metrics:
        metric = one.metric
        table.add_row(f"{metric.name}, before", *_cells(metric, one.before), "")
        table.add_row(f"{metric.name}, after", *_cells(metric, one.after), "", style="bold")
        for row in one.objectives:
            gap = row.difference
            table.add_row(
                f"{row.objective}, all seeds",
                *(
                    "" if values is None else metric.value(values.mean)
                    for values in (row.whole, row.worst, row.mean)
                ),
                "" if gap is None else f"{metric.difference(gap.mean)} ({metric.interval(gap)})",
            )  # fmt: skip
    return table


def _untested_table(result: Patched, untested: Untested) -> Table:
    """Make the table of the objectives if translated test examples count, too."""
    metric = _chosen_by(result)
    what = "robust accuracy" if metric.name == "accuracy" else f"{metric.name}, worst subgroup"
    table = plain_table("objective", numbers=(f"{what}, with\ntranslated test examples",))
    for name, values in untested.objectives.items():
        table.add_row(
            name, metric.value(values.mean),
            style="bold green" if name == result.objective else None,
        )  # fmt: skip
    return table


def _cells(metric: Metric, values: Any) -> list[str]:
    """Write the values on the whole part, in the worst subgroup, and on average."""
    shown = (values.whole, values.worst, values.mean)
    return ["" if value is None else metric.value(value) for value in shown]
