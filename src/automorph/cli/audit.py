"""``automorph audit``: find the subgroups on which a model fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import (
    data_options,
    json_option,
    out_option,
    print_json,
    quiet_option,
    seed_option,
    training_options,
)
from automorph.errors import UsageError

PARTS = ("train", "validation", "test")


@click.command(short_help="Find the subgroups on which a model fails.")
@data_options
@training_options
@click.option("--checkpoint", metavar="RUN", help="A run folder, or a file of weights.")
@click.option("--predictions", metavar="FILE[:COLUMN]|COLUMN", help="Predictions made elsewhere.")
@click.option("--part", type=click.Choice(PARTS), help="Default: test (--discover: validation).")
@click.option("--discover", is_flag=True, help="Look for subgroups that no column names.")
@click.option(
    "--method",
    type=click.Choice(["domino", "george"]),
    default="domino",
    show_default=True,
    help="How slices are discovered.",
)
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
    seed: int,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the subgroups of DATA on which a model fails, and how sure that is.

    \b
    automorph audit parquet:lesions --subgroup patch --checkpoint runs/train-lesions
    automorph audit csv:photos.csv --subgroup site --subgroup device --predictions predicted
    automorph audit folder:photos --model resnet18 --discover

    Without a checkpoint and predictions, a network is trained plainly and audited.
    """
    from automorph.cli.auditing import Auditing

    if checkpoint is not None and predictions is None:
        _check_there(checkpoint)
    training = {key: options.pop(key) for key in ("epochs", "batch_size", "lr", "precision")}
    auditing = Auditing(
        source=data, model=options.pop("model"), recipe=training, checkpoint=checkpoint,
        predictions=predictions, part=part, discover=discover, method=method, seed=seed,
        folder=Path(out) if out else None, quiet=quiet or as_json, options=options,
    )  # fmt: skip
    content = auditing.run()
    if as_json:
        print_json(content)


def _check_there(checkpoint: str) -> None:
    """Refuse a missing checkpoint before anything else is found to be wrong."""
    if not Path(checkpoint).expanduser().exists():
        raise UsageError(
            f"{checkpoint} does not exist; expected a run folder, or a file of weights"
        )
