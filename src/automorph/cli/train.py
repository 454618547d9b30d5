"""``automorph train``: train one model with a policy."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    tell_notes,
    training_options,
    usual_policy,
)
from automorph.cli.param_types import PolicyWord
from automorph.cli.progress import Board, tensorboard_option
from automorph.cli.provenance import curves_of, pictures_of, provenance_of, task_facts
from automorph.cli.run_names import RANDOM, data_words, run_folder

if TYPE_CHECKING:
    from automorph.experiments import Arm
    from automorph.training import RunResult, Task


@click.command(short_help="Train one model with a policy.")
@data_options
@training_options
@click.option(
    "--policy",
    type=PolicyWord(),
    help="A name or a policy.json.  [default: flip-crop; texts: eda, without WordNet aeda]",
)
@protect_option
@seed_option
@out_option
@tensorboard_option
@quiet_option
@json_option
def train(
    data: str,
    policy: str | None,
    seed: int,
    out: str | None,
    tensorboard: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train one model on DATA with a policy; keeps a checkpoint and goes on after a stop.

    \b
    automorph train folder:photos --policy 'flip-crop + randaugment(n=2,m=9)' --model resnet18
    automorph train csv:reviews.csv --text review --label stars --policy 'eda(alpha=0.05)'
    """
    task = task_of(data, **options)
    from automorph.augmenters import as_treatment
    from automorph.experiments import policy_of
    from automorph.policies import check_domain, save_policy
    from automorph.report import publish
    from automorph.training import train as run

    chosen = as_treatment(policy or usual_policy(task.data.domain))
    check_domain(chosen, task.data.domain, data=task.name)
    folder = Path(out) if out else run_folder("train", task, [chosen.name, str(seed)])
    say = console(quiet=quiet or as_json)
    tell_notes(say, task.data)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with ExitStack() as stack:
        progress: Any = False if quiet or as_json else None
        if tensorboard:
            progress = stack.enter_context(Board(folder)).epoch
        result = run(task, chosen, seed=seed, folder=folder, progress=progress)
    provenance = {"data": data, "seed": seed, "trained_with": chosen.name}
    save_policy(policy_of(chosen), folder / "policy.json", provenance=provenance)
    content = _content(data, task, chosen, result, started)
    following = _next(data, task, _again(policy, chosen), folder)
    report = publish(folder, "train", {**content, "next": following})
    say.print(
        f"[bold]{chosen.name}[/bold] on {data}: test accuracy {result.accuracy['test']:.2%}, "
        f"{result.seconds:.0f} s"
    )
    say.print(f"Checkpoint: {result.checkpoint}")
    say.print(f"Report:     {report}")
    if as_json:
        print_json(
            {
                "policy": chosen.name,
                "accuracy": result.accuracy["test"],
                "validation_accuracy": result.accuracy.get("validation"),
                "seconds": result.seconds,
                "checkpoint": str(result.checkpoint),
                "report": str(report),
                "folder": str(folder),
            }
        )


def _content(data: str, task: Task, chosen: Arm, result: RunResult, started: str) -> dict[str, Any]:
    """What the page of a training is made of."""
    from automorph.cli.examples import by_class, telling

    row: dict[str, Any] = {
        "policy": chosen.name,
        "accuracy": {"mean": result.accuracy["test"], "values": [result.accuracy["test"]]},
    }
    if "validation" in result.accuracy:
        row["validation"] = {"mean": result.accuracy["validation"]}
    # A run that an older version finished has no predictions.
    known = result.predictions.get("test")
    predicted = {} if known is None else {chosen.name: known[None]}
    row["per_class"] = by_class(task, predicted).get(chosen.name)
    best = f"The weights of epoch {result.chosen} were kept, the best on this part."
    passes = sum(vars(result.units).values())
    return {
        "rows": [row],
        "seeds": [result.seed],
        "chosen": best if result.selection == "best" else "After the last epoch.",
        "cost": f"{passes:,} examples passed through the network, forward and backward.",
        **task_facts(data, task),
        "curves": {chosen.name: curves_of(result.curves, chosen)},
        "examples": telling(task, predicted, winner=chosen.name, baseline=chosen.name),
        **pictures_of(task, {chosen.name: chosen}),
        "provenance": provenance_of(task.data, started, result.seconds),
    }


def _again(policy: str | None, chosen: Arm) -> str:
    """The policy for a later command: what comes from a file may have no name that can be read."""
    return policy if policy is not None and ".json" in policy.lower() else chosen.name


def _next(data: str, task: Task, policy: str, folder: Path) -> list[str]:
    """Commands that a user would want to run next."""
    words = data_words(data)
    tried = dict.fromkeys(["none", policy, RANDOM[task.data.domain]])
    policies = " ".join(f"--policy {shlex.quote(name)}" for name in tried)
    return [
        f"automorph compare {words} {policies}",
        f"automorph audit {words} --checkpoint {shlex.quote(str(folder))}",
    ]
