"""``automorph explain``: what every transformation does to your data, before any long training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import (
    data_options,
    json_option,
    load,
    out_option,
    print_json,
    protect_option,
    quiet_option,
    seed_option,
)


@click.command(short_help="Learn what every transformation does to your data.")
@data_options
@click.option(
    "--space",
    help="The operations.  [default: catalogue; texts: texts, as far as WordNet is there]",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Features: random (convolutions, the default; texts: words and word pairs), pixels, or a "
    "model such as timm:resnet18:pretrained or sentence:NAME. With --deep: the model that is "
    "trained.",
)
@protect_option
@click.option("--deep", is_flag=True, help="With the features of a briefly trained model.")
@seed_option
@out_option
@quiet_option
@json_option
def explain(
    data: str,
    space: str | None,
    model: str | None,
    deep: bool,
    protect: tuple[str, ...],
    seed: int,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Learn what every transformation of a space does to DATA, and how strong it may be.

    \b
    automorph explain cifar10 --limit 5000
    automorph explain folder:photos --space randaugment --model timm:resnet18:pretrained
    automorph explain csv:reviews.csv --text review --label stars

    Looks at 2,000 training examples at most and trains nothing (with --deep: a model, briefly).
    The columns are predictions: they rank operations, and do not replace a comparison.
    """
    from automorph.operations import named_space

    # What is wrong with the words must be known before the data are read, and what is wrong with
    # the data before torch is imported.
    operations = None if space is None else named_space(space)
    loaded = load(data, **options)
    from automorph.cli.explaining import Explaining
    from automorph.diagnostics import default_space
    from automorph.training import as_task

    task = as_task(loaded, model=model if deep else None, protect=protect)
    operations = operations or default_space(task.data.domain)
    explaining = Explaining(
        source=data, task=task, space=operations, folder=Path(out) if out else None,
        features="random" if deep or model is None else model, deep=deep, seed=seed,
        quiet=quiet or as_json,
    )  # fmt: skip
    content = explaining.run()
    if as_json:
        print_json(content)
