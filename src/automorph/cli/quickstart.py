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

# Most seeds of a patch, for two minutes on two cores.
MENDED = 3


@click.command(short_help="See the main job done in two minutes.")
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Default: 40.")
@click.option("--patch", "mend", is_flag=True, help="Mend a model that fails on a subgroup.")
@jobs_option
@out_option
@quiet_option
@json_option
def quickstart(
    seeds: int,
    epochs: int | None,
    mend: bool,
    jobs: int | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """See it work: five policies on real handwritten digits, in about two minutes.

    With --patch: digits of which nearly all odd ones have a bright corner, so that a network
    trained on them looks at the corner. The corner was painted, so both forms of every digit are
    known, and the network is mended with them.
    """
    from pathlib import Path

    if mend:
        _mend(min(seeds, MENDED), epochs, jobs, out, quiet, as_json)
        return

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


def _mend(
    seeds: int, epochs: int | None, jobs: int | None, out: str | None, quiet: bool, as_json: bool
) -> None:
    from pathlib import Path

    from automorph.cli.mending import Mending
    from automorph.training import as_task

    task = as_task("digits-correlation", model="cnn", recipe={"epochs": epochs or 30})
    mending = Mending(
        source="digits-correlation", task=task, translator="exact", objective="auto",
        checkpoint=None, steps=None, seeds=seeds, maps=None, folder=Path(out) if out else None,
        quiet=quiet or as_json, title="Quickstart: a model that looks at the corner",
    )  # fmt: skip
    content = mending.run(jobs=side_by_side(jobs))
    if as_json:
        print_json(content)
