"""``automorph train``: train one model with a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from automorph.cli.options import (
    console,
    data_options,
    json_option,
    out_option,
    print_json,
    protect_option,
    quiet_option,
    seed_option,
    task_of,
    training_options,
    usual_policy,
)


@click.command(short_help="Train one model with a policy.")
@data_options
@training_options
@click.option(
    "--policy",
    help="A name or a policy.json.  [default: flip-crop; texts: eda, without WordNet aeda]",
)
@protect_option
@seed_option
@out_option
@quiet_option
@json_option
def train(
    data: str,
    policy: str | None,
    seed: int,
    out: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train one model on DATA with a policy; keeps a checkpoint and goes on after a stop.

    \b
    automorph train folder:photos --policy 'flip-crop + randaugment(n=2,m=9)' --model resnet18
    automorph train csv:reviews.csv --text review --label stars --policy 'eda(alpha=0.05)'
    """
    from automorph.cli.naming import run_folder
    from automorph.comparison import policy_of
    from automorph.online import as_arm
    from automorph.policies import check_domain, save_policy
    from automorph.training import train as run

    # What is wrong with the words must be known before the data are read.
    chosen = None if policy is None else as_arm(policy)
    task = task_of(data, **options)
    if chosen is None:
        chosen = as_arm(usual_policy(task.data.domain))
    check_domain(chosen, task.data.domain, data=task.name)
    folder = Path(out) if out else run_folder("train", task, [chosen.name, str(seed)])
    result = run(
        task, chosen, seed=seed, folder=folder, progress=False if quiet or as_json else None
    )
    provenance = {"data": data, "seed": seed, "trained_with": chosen.name}
    save_policy(policy_of(chosen), folder / "policy.json", provenance=provenance)
    say = console(quiet=quiet or as_json)
    say.print(
        f"[bold]{chosen.name}[/bold] on {data}: test accuracy {result.accuracy['test']:.2%}, "
        f"{result.seconds:.0f} s"
    )
    say.print(f"Checkpoint: {result.checkpoint}")
    if as_json:
        print_json(
            {
                "policy": chosen.name,
                "accuracy": result.accuracy["test"],
                "validation_accuracy": result.accuracy.get("validation"),
                "seconds": result.seconds,
                "checkpoint": str(result.checkpoint),
                "folder": str(folder),
            }
        )
