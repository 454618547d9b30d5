"""``automorph search``: find the best augmentation for your data and model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import (
    engine_options,
    engine_settings,
    folds_options,
    json_option,
    metric_options,
    optional_data_options,
    out_option,
    print_json,
    protect_option,
    quiet_option,
    seed_option,
    task_of,
    training_options,
    unlabelled_option,
)
from automorph.cli.own_training import command_options, own_task
from automorph.cli.param_types import NameWord, PolicyWord
from automorph.cli.progress import tensorboard_option
from automorph.cli.search_plan import in_folds
from automorph.cli.search_run import SearchRun
from automorph.cli.task_words import words_of
from automorph.cli.trackers import track_option


@click.command(short_help="Find the best augmentation for your data.")
@optional_data_options
@command_options
@training_options
@metric_options
@click.option(
    "--method",
    default="race",
    show_default=True,
    metavar="NAME",
    type=NameWord("searchers:METHODS"),
    help="Search method (see: automorph list methods).",
)
@click.option(
    "--budget",
    metavar="TIME",
    help="Time for the whole search: 30m, 1h30m or 90s. A measurement turns it into numbers of "
    "trials and seeds, which are stored and repeat the search exactly.",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    metavar="N",
    help="Number of policies to try instead of a time budget (for race and heats: number of "
    "plain trainings).",
    show_default="race: 8; else 40",
)
@click.option(
    "--space",
    metavar="NAME|FILE",
    type=NameWord(
        "operations:SPACES", "explained", check="searchers:check_space", endings=(".json",)
    ),
    help="Search space, by name or as saved by automorph review; explained: the operations that "
    "explain predicts to be harmless, with narrower ranges.",
    show_default="randaugment; texts: texts-wordnet, or texts-plain without WordNet",
)
@click.option(
    "--then",
    "--tail",
    "post_policy",
    metavar="POLICY",
    type=PolicyWord(online=False),
    help="Policy applied to every example after the searched one.",
    show_default="race and texts: none; else flip-crop",
)
@unlabelled_option
@protect_option
@folds_options
@seed_option
@click.option(
    "--seeds",
    metavar="N|2-N",
    help="Paired seeds in the final table: exactly N, or a range such as 2-5: from 2, until the "
    "decision is clear on the validation part, at most 5.",
    show_default="2-5",
)
@click.option(
    "--controls",
    type=click.Choice(["usual", "all"]),
    help="Policies in the final table; all: also a random policy, RandAugment and a control that "
    "trains for longer.",
    show_default="usual; all with --longer",
)
@click.option(
    "--longer",
    "epoch_multiplier",
    type=click.IntRange(2),
    metavar="N",
    help="Length of the control that trains for longer, as a multiple of --epochs; adds all "
    "controls.",
    show_default="as long as search and training together, at most 4",
)
@click.option("--storage", metavar="URL", help="Optuna storage for the trials.")
@engine_options
@out_option
@click.option(
    "--resume",
    is_flag=True,
    help="Continue an earlier search; fail if the folder does not contain one.",
)
@tensorboard_option
@track_option
@quiet_option
@json_option
def search(
    data: str | None,
    method: str,
    budget: str | None,
    trials: int | None,
    space: str | None,
    post_policy: str | None,
    seed: int,
    seeds: str | None,
    controls: str | None,
    epoch_multiplier: int | None,
    storage: str | None,
    out: str | None,
    resume: bool,
    tensorboard: bool,
    track: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the best augmentation for DATA and your model, and test it against baselines.

    \b
    automorph search fashion-mnist --limit 2000 --budget 20m
    automorph search folder:my/photos --method 'randaugment(by=tpe)' --trials 30
    automorph search csv:reviews.csv --text review --label stars --budget 10m
    automorph search --epochs 10 --command \\
        'python train.py --policy {policy} --seed {seed} --epochs {epochs} --out {out}'

    The search trains and scores policies on the training and validation parts only. A final table
    then compares the policy found under paired seeds with no augmentation, the post-policy alone
    (--then) and TrivialAugment (on texts: EDA, if WordNet is installed). Seeds are added until the
    decision is clear. --controls all adds a random policy, RandAugment, and the post-policy trained
    for longer. Only this table uses the test part.

    With --folds, the whole search runs anew in every fold, what it picks is tested on that fold
    (nested cross-validation), and one more search, on all examples, gives the policy.

    Ctrl-C leaves the best policy so far in the run folder. Run the same command again to continue.

    With --command, your own script does all trainings (see: automorph compare --help). Methods that
    read the data or the network themselves are refused. {checkpoint} lets a training continue from
    an earlier one, which saves time.
    """
    from automorph.experiments import read_looks
    from automorph.policies import load_policy
    from automorph.searchers import (
        begun_method,
        check_method,
        default_post_policy,
        load_method,
        read_budget,
        space_of,
    )

    # Reject bad options before reading the data.
    spec = begun_method(load_method(method), out)
    where = engine_settings(options)
    seconds = None if budget is None else read_budget(budget)
    looks = None if seeds is None else read_looks(seeds)
    after = None if post_policy is None else load_policy(post_policy)
    task: Any = own_task(data, options) or task_of(data, out=out, budget=seconds, **options)
    if words_of(data, task).own:
        check_method(spec, task)
    # With folds, `explain` narrows the space in each fold, by what its search may see.
    first, _, rest = (space or "").partition(":")
    by_fold = first == "explained" and in_folds(task) is not None
    whole = rest or None if by_fold else space
    operations = space_of(whole, task, method=spec, folder=out, seed=seed)
    after = after or load_policy(default_post_policy(words_of(data, task).domain, spec, operations))
    run = SearchRun(
        source=data, task=task, method=spec, folder=Path(out) if out else None,
        quiet=quiet or as_json, resume=resume, tensorboard=tensorboard, track=track,
        options={
            "space": space if by_fold else operations, "post_policy": after, "trials": trials,
            "budget": budget, "seed": seed,
            "seeds": None if looks is None else looks.cap if looks.fixed else str(looks),
            **({} if controls is None else {"controls": controls}),
            **({} if epoch_multiplier is None else {"epoch_multiplier": epoch_multiplier}),
        },
    )  # fmt: skip
    content = run.run(storage=storage, **where)
    if as_json:
        print_json(content)
