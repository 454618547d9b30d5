"""``automorph patch``: mend a model that fails on a subgroup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import (
    data_options,
    jobs_option,
    json_option,
    out_option,
    print_json,
    protect_option,
    quiet_option,
    side_by_side,
    task_of,
    training_options,
)


@click.command(short_help="Mend a model that fails on a subgroup.")
@data_options
@training_options
@click.option(
    "--translator",
    default="auto",
    show_default=True,
    metavar="NAME|MODULE:FUNCTION",
    help="cyclegan, statistics, matched, exact; for texts word-swap; none; or an edit of your own.",
)
@click.option(
    "--objective",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="camel, sgdro, gdro, balanced, irm, jtt, dfr; auto: the best on the validation part.",
)
@click.option("--checkpoint", metavar="RUN", help="The model to mend; default: one trained here.")
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Steps of a CycleGAN.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True)
@click.option(
    "--saliency/--no-saliency", default=None, help="Maps of where it looks; default: with captum."
)
@protect_option
@jobs_option
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
    jobs: int | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Mend a model of DATA that fails on a subgroup, and prove it.

    \b
    automorph patch parquet:lesions --subgroup patch_colored --size 64
    automorph patch mnist-correlation --translator cyclegan --seeds 3
    automorph patch csv:photos.csv --subgroup site --translator my_edits:add_logo
    automorph patch csv:reviews.csv --text review --label stars --subgroup dialect

    Images (and texts) are translated between the subgroups, by what is learned or by your own
    function edit(images, direction); the translator is checked, and one that fails is not used.
    Then the model is trained anew beside plain training, balanced sampling and group DRO. Run
    again, the command goes on where it stopped.
    """
    from automorph.cli.mending import Mending
    from automorph.robustness import check_names, load_method

    # What is wrong with the words must be known before the data are read.
    check_names(translator)
    if objective != "auto":
        load_method(objective)
    task = task_of(data, **options)
    mending = Mending(
        source=data, task=task, translator=translator, objective=objective, checkpoint=checkpoint,
        steps=steps, seeds=seeds, maps=saliency, folder=Path(out) if out else None,
        quiet=quiet or as_json,
    )  # fmt: skip
    content = mending.run(jobs=side_by_side(jobs))
    if as_json:
        print_json(content)
