"""``automorph quickstart``: the main job on embedded real data, in about two minutes."""

from __future__ import annotations

import click

from automorph.cli.options import (
    jobs_option,
    json_option,
    out_option,
    print_json,
    quiet_option,
    side_by_side,
)

# Few labels, so that augmentation matters; no flips, because mirrored digits are no digits.
LABELLED = 200
POLICIES = ("none", "crop", "randaugment(n=1,m=9)", "trivialaugment", "random")


@click.command(short_help="See the main job done in two minutes.")
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Default: 40.")
@jobs_option
@out_option
@quiet_option
@json_option
def quickstart(
    seeds: int, epochs: int | None, jobs: int | None, out: str | None, quiet: bool, as_json: bool
) -> None:
    """See it work: five policies on real handwritten digits, in about two minutes."""
    from pathlib import Path

    from automorph.cli.comparing import Comparing
    from automorph.data import limited, load_data, split
    from automorph.policies import load_policy
    from automorph.training import as_task

    digits = split(load_data("digits"), validation=0.3, test=0.4)
    task = as_task(limited(digits, LABELLED), model="cnn", recipe={"epochs": epochs or 40})
    comparing = Comparing(
        source="digits", task=task, policies=[load_policy(policy) for policy in POLICIES],
        seeds=seeds, baseline="none", folder=Path(out) if out else None,
        quiet=quiet or as_json, title="Quickstart: handwritten digits, few labels",
    )  # fmt: skip
    content = comparing.run(jobs=side_by_side(jobs))
    if as_json:
        print_json(content)
