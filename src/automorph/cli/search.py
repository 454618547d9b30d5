"""``automorph search``: the augmentation that is best for your data and model, with proof."""

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
    seed_option,
    side_by_side,
    task_of,
    training_options,
)
from automorph.cli.param_types import PolicyWord
from automorph.cli.progress import tensorboard_option


@click.command(short_help="Find the best augmentation for your data, with proof.")
@data_options
@training_options
@click.option(
    "--method",
    default="race",
    show_default=True,
    metavar="NAME",
    help="race: all of them under one budget; else see: automorph list methods.",
)
@click.option("--budget", metavar="TIME", help="How long it may take in all: 30m, 1h30m, 90s.")
@click.option(
    "--trials",
    type=click.IntRange(1),
    metavar="N",
    help="How many policies it may try, in place of a budget (a race: plain trainings).",
)
@click.option(
    "--space",
    help="Where it searches; explained: without what explain finds harmful, ranges narrowed.  "
    "[default: randaugment; texts: texts-wordnet, or texts-plain]",
)
@click.option(
    "--tail",
    metavar="POLICY",
    type=PolicyWord(online=False),
    help="What is done to every example after the policy.  [default: flip-crop; texts: none]",
)
@protect_option
@seed_option
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="Paired seeds of the final table.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "processes", "ray"]),
    default="processes",
    show_default=True,
    help="Where trials run; ray: on a cluster.",
)
@click.option("--address", metavar="HOST:PORT", help="The Ray cluster; default: one made here.")
@click.option("--storage", metavar="URL", help="Keep the trials in this Optuna storage.")
@jobs_option
@out_option
@click.option("--resume", is_flag=True, help="Go on with a search; an error if there is none.")
@tensorboard_option
@quiet_option
@json_option
def search(
    data: str,
    method: str,
    budget: str | None,
    trials: int | None,
    space: str | None,
    tail: str | None,
    seed: int,
    seeds: int,
    engine: str,
    address: str | None,
    storage: str | None,
    jobs: int | None,
    out: str | None,
    resume: bool,
    tensorboard: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the augmentation that is best for DATA and your model, and prove it.

    \b
    automorph search fashion-mnist --limit 2000 --budget 20m
    automorph search folder:my/photos --method 'randaugment(by=tpe)' --trials 30
    automorph search csv:reviews.csv --text review --label stars --budget 10m

    Policies are trained and scored on the train and validation parts alone. At the end the one
    found, no augmentation, the tail, a random policy, RandAugment, TrivialAugment (on texts EDA as
    well) and the tail trained for longer meet under paired seeds, and the test part is used once.

    Stopped at any moment, the same command goes on where it was.
    """
    from automorph.cli.searching import Searching
    from automorph.policies import load_policy
    from automorph.searchers import (
        check_engine,
        check_space,
        default_post_policy,
        load_method,
        read_budget,
        space_of,
    )

    # What is wrong with the words must be known before the data are read.
    named = load_method(method)
    check_engine(engine, address)
    if budget is not None:
        read_budget(budget)
    if space is not None:
        check_space(space)
    behind = None if tail is None else load_policy(tail)
    task = task_of(data, **options)
    operations = space_of(space, task, seed=seed)
    behind = behind or load_policy(default_post_policy(task.data.domain))
    searching = Searching(
        source=data, task=task, method=named, folder=Path(out) if out else None,
        quiet=quiet or as_json, resume=resume, tensorboard=tensorboard,
        asked={
            "space": operations, "tail": behind, "trials": trials, "budget": budget, "seed": seed,
            "seeds": seeds,
        },
    )  # fmt: skip
    content = searching.run(
        engine=engine, address=address, storage=storage, jobs=side_by_side(jobs)
    )
    if as_json:
        print_json(content)
