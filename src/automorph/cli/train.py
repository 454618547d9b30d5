"""``automorph train``: train one model with a policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.answers import score_words
from automorph.cli.config import write_config
from automorph.cli.options import (
    console,
    data_options,
    default_policy,
    folds_options,
    json_option,
    metric_options,
    out_option,
    print_json,
    print_notes,
    protect_option,
    quiet_option,
    seed_option,
    side_by_side,
    task_of,
    training_options,
    unlabelled_option,
    versions_option,
)
from automorph.cli.param_types import PolicyWord
from automorph.cli.progress import Bars, ScalarLog, tensorboard_option
from automorph.cli.provenance import curves_of, pictures_of, provenance_of, task_facts
from automorph.cli.run_names import run_folder
from automorph.cli.suggestions import first_policies, print_next, suggest, suggest_again
from automorph.cli.task_words import balance_of
from automorph.cli.trackers import TrackerLog, track_option

if TYPE_CHECKING:
    from automorph.experiments import Comparison, Treatment
    from automorph.training import Epoch, RunResult, Task


@click.command(short_help="Train one model with a policy.")
@data_options
@training_options
@metric_options
@click.option(
    "--policy",
    type=PolicyWord(),
    help="Policy name or policy.json file.",
    show_default="flip-crop; texts: eda, or aeda without WordNet",
)
@unlabelled_option
@protect_option
@folds_options
@seed_option
@versions_option
@out_option
@tensorboard_option
@track_option
@quiet_option
@json_option
def train(
    data: str,
    policy: str | None,
    seed: int,
    accept_versions: bool,
    out: str | None,
    tensorboard: bool,
    track: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train one model on DATA with a policy and save a checkpoint.

    \b
    automorph train folder:photos --policy 'flip-crop + randaugment(n=2,m=9)' --model resnet18
    automorph train csv:reviews.csv --text review --label stars --policy 'eda(alpha=0.05)'

    If the training is interrupted, run the same command again to continue it.

    With --folds, the policy is first measured by cross-validation, in the folder folds of the run;
    the network is then trained on all examples, without a test part.
    """
    task = task_of(data, out=out, **options)
    from automorph.augmenters import as_treatment
    from automorph.experiments import policy_of
    from automorph.policies import check_domain, save_policy
    from automorph.report import publish
    from automorph.training import fitted
    from automorph.training import train as run

    treatment = as_treatment(policy or default_policy(task.data.domain))
    check_domain(treatment, task.data.domain, data=task.name)
    folder = Path(out) if out else run_folder("train", task, [treatment.name, str(seed)])
    say = console(quiet=quiet or as_json)
    print_notes(say, task.data)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    trained_on, measured = task, None
    if task.data.folds is not None:
        trained_on = task.on_all_examples()
        measured = _cross_validated(
            task, treatment, folder / "folds", quiet=quiet or as_json,
            accept_versions=accept_versions,
        )  # fmt: skip
    with ExitStack() as stack:
        progress: Any = False if quiet or as_json else None
        tracked = stack.enter_context(TrackerLog(track, folder, task.target.metric))
        watching = [tracked.epoch] if track else []
        if tensorboard:
            watching.append(stack.enter_context(ScalarLog(folder, task.target.metric)).epoch)
        if watching:
            progress = partial(_told, watching)
        result = run(
            trained_on, treatment, seed=seed, folder=folder, progress=progress,
            accept_versions=accept_versions,
        )  # fmt: skip
        tracked.log({f"{task.target.metric}/test": result.accuracy.get("test")})
    provenance = {"data": data, "seed": seed, "trained_with": treatment.name}
    used = policy_of(fitted(treatment, trained_on))
    save_policy(used, folder / "policy.json", provenance=provenance)
    content = _content(data, task, treatment, result, started, measured)
    commands = _next(data, task, _typed_policy(policy, treatment), _predicted(result, measured))
    write_config(folder)
    report = publish(folder, "train", {**content, "next": commands})
    more = "".join(f"{name} {share:.2%}, " for name, share in content["rows"][0]["metrics"].items())
    say.print(
        f"[bold]{treatment.name}[/bold] on {data}{balance_of(task.recipe)}: "
        f"{_accuracy(task, result, measured)}, {more}{result.seconds:.0f} s"
    )
    for line in _metrics_in_words(task, result):
        say.print(line, markup=False)
    for remark in content["data"]["notes"][len(task.data.notes) :]:
        say.print(f"[yellow]{remark}[/yellow]")
    say.print(f"Checkpoint: {result.checkpoint}")
    say.print(f"Report:     {report}")
    print_next(say, commands)
    if as_json:
        print_json(
            {
                "policy": treatment.name,
                **(
                    {
                        "accuracy": content["rows"][0]["accuracy"]["mean"],
                        "validation_accuracy": result.accuracy.get("validation"),
                    }
                    if task.data.target == "classes"
                    else {}
                ),
                **({"metrics": result.metrics} if result.metrics else {}),
                **({"thresholds": result.thresholds} if result.thresholds else {}),
                "seconds": result.seconds,
                "checkpoint": str(result.checkpoint),
                "report": str(report),
                "folder": str(folder),
            }
        )


def _told(watching: Sequence[Callable[[Epoch], None]], epoch: Epoch) -> None:
    """Pass an epoch to every log."""
    for log in watching:
        log(epoch)


def _cross_validated(task: Task, treatment: Treatment, folder: Path, **options: Any) -> Comparison:
    """Train on every fold, and return the accuracy on the examples left out."""
    from automorph.experiments import compare

    with Bars(quiet=options.pop("quiet")) as bars:
        return compare(
            task, [treatment], folder=folder, jobs=side_by_side(None), progress=bars.begin,
            **options,
        )  # fmt: skip


def _predicted(result: RunResult, measured: Comparison | None) -> Any:
    """Return the predictions ``(n,)``, or ``(repeats, n)``, that are measured; None: not kept."""
    if measured is None:
        return result.predictions.get("test")
    return measured.predictions.get(measured.winner)


def _accuracy(task: Task, result: RunResult, measured: Comparison | None) -> str:
    if measured is None:
        score = score_words(task.target, result.accuracy["test"])
        return f"test {task.target.metric} {score}"
    row = measured[measured.winner]
    assert row.accuracy is not None
    assert measured.folds is not None
    mean, se, metric = row.accuracy.mean, row.accuracy.se, measured.metric
    if metric.share:
        shown = f"{mean:.2%}" + ("" if se is None else f" ± {100 * se:.1f}")
    else:
        shown = metric.value(mean) + ("" if se is None else f" ± {se:.2g}")
    return f"out-of-fold {metric.name} {shown} ({measured.folds.words})"


def _metrics_in_words(task: Task, result: RunResult) -> list[str]:
    """Write the metrics that were asked for, on the validation and the test part."""
    from automorph.experiments import metric_for

    lines = []
    for scorer in task.scorers if result.metrics else ():
        shown = metric_for(scorer)
        values = [
            f"{part} {shown.value(found[scorer.name])}" for part, found in result.metrics.items()
        ]
        at = result.thresholds.get(scorer.name)
        fixed = "" if at is None else f" (threshold {at:.4g}, fixed on the validation part)"
        worse = "" if scorer.higher_is_better else " (lower is better)"
        lines.append(f"{scorer.title}: {', '.join(values)}{worse}{fixed}")
    return lines


def _content(
    data: str,
    task: Task,
    treatment: Treatment,
    result: RunResult,
    started: str,
    measured: Comparison | None,
) -> dict[str, Any]:
    """Return the content of the training's report; ``measured`` is its cross-validation."""
    from automorph.cli.examples import by_class, further_scores, measured_metrics
    from automorph.cli.notable import notable_examples
    from automorph.experiments import (
        NOT_CONVERGED,
        constant_answers,
        idle_policies,
        metric_for,
        unfinished_schedules,
        use_of_unlabelled,
    )

    name = treatment.name
    row: dict[str, Any] = {"policy": name}
    folds: dict[str, Any] = {}
    of_classes = task.data.target == "classes"
    values = result.accuracy
    if not of_classes:  # The score of the target is not what was asked for.
        values = {part: found[task.metric] for part, found in result.metrics.items()}
    if measured is None:
        row["accuracy"] = {"mean": values["test"], "values": [values["test"]]}
        folds = {} if of_classes else {"metric": metric_for(task.scorer).to_dict()}
    else:
        plain = measured.to_dict()
        row["accuracy"] = plain["rows"][0]["accuracy"]
        folds = {key: plain[key] for key in ("folds", "metric")}
    if "validation" in values:
        row["validation"] = {"mean": values["validation"]}
    # Runs finished by older versions have no predictions.
    known = _predicted(result, measured)
    predicted = (
        {} if known is None or not of_classes else {name: known.reshape(-1, known.shape[-1])}
    )
    outputs = {} if known is None or of_classes else {name: known[None]}
    row["measured"] = measured_metrics(task, result, measured)
    several = {name: known} if known is not None and task.data.target == "labels" else {}
    row["per_class"] = by_class(task, several or predicted).get(name)
    row["metrics"] = {} if known is None or not of_classes else further_scores(task, known)
    shared = task_facts(data, task)
    shared["data"]["notes"] += constant_answers(predicted, task.data.classes)
    shared["data"]["notes"] += idle_policies([treatment], task)
    shared["data"]["notes"] += unfinished_schedules([treatment], task.recipe.epochs)
    shared["data"]["notes"] += use_of_unlabelled([treatment], task)
    if result.converged is False:
        shared["data"]["notes"].append(NOT_CONVERGED)
    chosen_by = "accuracy" if of_classes else task.metric
    best = f"Best validation {chosen_by}, at epoch {result.chosen}; these weights were kept."
    return {
        "rows": [row],
        **folds,
        "seeds": [result.seed],
        "chosen": best if result.selection == "best" else "After the last epoch.",
        "passes": result.units.passes,
        "cost": "of examples forward and backward; a forward pass alone is a third.",
        **shared,
        "curves": {name: curves_of(result.curves, treatment)},
        "examples": notable_examples(task, outputs or predicted, winner=name, baseline=name),
        **pictures_of(task, {name: treatment}),
        "provenance": provenance_of(task.data, started, result.seconds),
    }


def _typed_policy(policy: str | None, treatment: Treatment) -> str:
    """Return the policy for a later command: the path if it came from a file, else its name."""
    from_file = policy is not None and ".json" in policy.lower() and treatment.name != "none"
    return str(policy) if from_file else treatment.name


def _next(data: str, task: Task, policy: str, known: Any) -> list[str]:
    """Return the recommended command: a comparison, or a longer training if nothing was learned."""
    from automorph.experiments import always_one

    if known is not None and task.data.target == "classes" and always_one(known):
        return [suggest_again(data, but=("out",), epochs=2 * task.recipe.epochs)]
    return [suggest("compare", data, policies=first_policies(task.data.domain, policy))]
