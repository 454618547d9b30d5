"""``automorph preview``: look at what a policy does to your own examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.options import (
    console,
    data_options,
    json_option,
    load,
    print_json,
    quiet_option,
    seed_option,
)
from automorph.errors import UsageError
from automorph.files import whole_file

if TYPE_CHECKING:
    from PIL.Image import Image


@click.command(short_help="Look at what policies do to your examples.")
@data_options
@click.option("--policy", "policies", multiple=True, required=True, help="Once for each policy.")
@click.option("--examples", type=click.IntRange(1, 64), default=6, show_default=True)
@click.option("--draws", type=click.IntRange(1, 32), default=8, show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="preview.png",
    show_default=True,
    help="The PNG file to write.",
)
@seed_option
@quiet_option
@json_option
def preview(
    data: str,
    policies: tuple[str, ...],
    examples: int,
    draws: int,
    out: Path,
    seed: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a picture: examples of DATA, and what policies make of them.

    \b
    automorph preview folder:photos --policy trivialaugment --policy 'randaugment(n=2,m=9)'
    """
    from automorph.comparison import policy_of
    from automorph.online import as_arm
    from automorph.report import contact_sheet

    chosen = [policy_of(as_arm(policy)) for policy in policies]
    dataset = load(data, seed=seed, **options)
    rows = spread(dataset.train.labels, examples)
    part = dataset.train.take(rows)
    names = [dataset.classes[label] for label in part.labels]
    sheets = [
        contact_sheet(
            policy.preview(part.data, draws=draws, seed=seed),
            names,
            columns=("original", policy.name),
        )
        for policy in chosen
    ]
    save(stacked(sheets), out)
    say = console(quiet=quiet or as_json)
    for policy in chosen:
        say.print(f"[bold]{policy.name}[/bold]")
        for row in policy.table().rows[:12]:
            say.print("  " + "  ".join(row), overflow="ellipsis", no_wrap=True)
    say.print(f"Look at [bold]{out}[/bold]: the first column holds the originals.")
    if as_json:
        print_json({"data": data, "policies": [p.name for p in chosen], "picture": str(out)})


def stacked(sheets: list[Image]) -> Image:
    """Pictures one below the other."""
    from PIL import Image

    size = (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets))
    whole = Image.new("RGB", size, "white")
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def save(picture: Image, path: Path) -> None:
    """Write a picture whole or not at all, as PNG."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into; make it")
    with whole_file(path) as temporary:
        picture.save(temporary, "PNG")


def spread(labels: Any, count: int) -> list[int]:
    """Rows of examples of as many classes as there are: class by class, in turn."""
    import numpy as np

    by_class = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    turns = (rows[turn] for turn in range(count) for rows in by_class if turn < len(rows))
    return sorted(
        [row for row, _ in zip(turns, range(count), strict=False)], key=lambda r: labels[r]
    )
