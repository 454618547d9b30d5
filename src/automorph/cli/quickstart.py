"""``automorph quickstart``: a comparison or a patch on embedded real data, in two minutes."""

from __future__ import annotations

from typing import Any

import click

from automorph.cli.options import (
    jobs_option,
    json_option,
    out_option,
    print_json,
    quiet_option,
    side_by_side,
)

LABELLED = 200
USUAL = "flip-crop"
"""What most people type, and here the baseline: a mirrored digit is usually not a digit."""
POLICIES = (USUAL, "none", "crop", "trivialaugment", "random")

# More seeds of a patch would take longer than two minutes on two cores.
PATCH_SEEDS = 3


@click.command(short_help="Try Automorph on real data in two minutes.")
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help=f"Number of seeds; with --patch at most {PATCH_SEEDS}.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    metavar="N",
    help="Epochs of each training.",
    show_default="40; with --patch: 30",
)
@click.option(
    "--patch", "patched", is_flag=True, help="Repair a model that fails on a subgroup instead."
)
@jobs_option
@out_option
@quiet_option
@json_option
def quickstart(
    seeds: int,
    epochs: int | None,
    patched: bool,
    jobs: int | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare five policies on real handwritten digits, in about two minutes.

    The baseline is the usual flip-crop: what does it cost to type it without a look?

    With --patch, nearly all odd training digits have a bright corner, so a network learns to look
    at the corner instead of the digit. The corner was painted in, so every digit exists with and
    without it, and these pairs are used to repair the network.
    """
    from pathlib import Path

    shared: dict[str, Any] = {"folder": Path(out) if out else None, "quiet": quiet or as_json}
    run = _patch if patched else _compare
    content = run(seeds, epochs, shared).run(jobs=side_by_side(jobs))
    if as_json:
        print_json(content)


def _compare(seeds: int, epochs: int | None, shared: dict[str, Any]) -> Any:
    from automorph.cli.compare import CompareRun
    from automorph.data import limited, load_data, split
    from automorph.policies import load_policy
    from automorph.training import as_task

    digits = split(load_data("digits"), validation=0.3, test=0.4)
    settings = {"limit": LABELLED, "model": "cnn", "epochs": epochs or 40}
    recipe = {"epochs": settings["epochs"]}
    task = as_task(limited(digits, LABELLED), model="cnn", recipe=recipe)
    return CompareRun(
        source="digits", task=task, policies=[load_policy(policy) for policy in POLICIES],
        seeds=seeds, baseline=USUAL, title="Quickstart: handwritten digits, few labels",
        settings=settings, **shared,
    )  # fmt: skip


def _patch(seeds: int, epochs: int | None, shared: dict[str, Any]) -> Any:
    from automorph.cli.patch import PatchRun
    from automorph.training import as_task

    settings = {"model": "cnn", "epochs": epochs or 30}
    recipe = {"epochs": settings["epochs"]}
    task = as_task("digits-correlation", model="cnn", recipe=recipe)
    return PatchRun(
        source="digits-correlation", task=task, translator="exact", objective="auto",
        checkpoint=None, steps=None, seeds=min(seeds, PATCH_SEEDS), maps=None,
        title="Quickstart: a model that looks at the corner", settings=settings, **shared,
    )  # fmt: skip
