"""Which methods can search with a task, and what they cannot know of the user's own training."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from automorph.errors import AutomorphError, UsageError
from automorph.experiments import Executor, ExternalTask, FinishedJob, metric_of
from automorph.policies import RandomPolicy
from automorph.searchers.base import SearchContext
from automorph.searchers.builtin import METHODS, SearchSpec
from automorph.searchers.child_training import TrainJob
from automorph.training import Task

if TYPE_CHECKING:
    from automorph.searchers.runner import SearchRunner

COST = "The cost counts passes over the training data, as the trainings report them."
_COUNTED = "The cost counts epochs, because the trainings report no passes."
_WHOLE = "Every training counts as one, because the command has no {epochs}."


def check_method(named: SearchSpec, task: Task | ExternalTask) -> None:
    """Raise `UsageError` for a method that the task's trainings cannot serve."""
    if named.own is not None or serves(task, named.key):
        return
    fitting = [entry.name for entry in METHODS.values() if serves(task, entry.name)]
    if isinstance(task, Task) and task.data.target == "masks":
        raise UsageError(
            f"{named.key} needs one class for each example, but the examples of {task.name} have "
            f"masks; expected a method that needs trainings only: one of {', '.join(fitting)}"
        )
    if isinstance(task, Task):
        raise UsageError(
            f"{named.key} needs a network whose weights are trained step by step, and "
            f"{task.network} is frozen; expected one of {', '.join(fitting)}: choose one of them, "
            "or fine-tune the network (timm:NAME:pretrained)"
        )
    if named.key == "pba":
        raise UsageError(
            "pba continues trainings under changing policies; expected a training that can "
            "continue from a checkpoint after a number of epochs: add {checkpoint} and {epochs} to "
            f"the command (resumable=True, epochs=...), or use one of {', '.join(fitting)}"
        )
    raise UsageError(
        f"{named.key} needs the data or the network itself, which {task.name} keeps to itself; "
        f"expected a method that needs trainings only: one of {', '.join(fitting)}"
    )


def serves(task: Task | ExternalTask, key: str) -> bool:
    """Return True if a method needs nothing but trainings that the task can do."""
    if isinstance(task, Task) and task.data.target == "masks":
        return METHODS[key].trainings_only
    if isinstance(task, Task):
        return task.recipe.optimizer != "lbfgs" or not METHODS[key].moves_weights
    if key == "pba":
        return task.resumable and task.epochs is not None
    return METHODS[key].trainings_only


def seconds_per_run(
    runner: SearchRunner, executor: Executor, setting: SearchContext, budget: float
) -> float:
    """Measure the seconds of one whole training with all workers busy."""
    probe = TrainJob(policy=RandomPolicy(operations=setting.space), post_policy=setting.post_policy)
    numbers = range(setting.seed, setting.seed + executor.jobs)
    began = time.monotonic()
    outcomes = runner.measure([replace(probe, seed=number) for number in numbers], executor, budget)
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise AutomorphError(f"the first training failed: {failed[0].error}")
    return time.monotonic() - began


def remarks_on_trials(trials: Iterable[FinishedJob], task: ExternalTask) -> list[str]:
    """Say what trials did not report and which failed; refuse trials of different metrics."""
    done = list(trials)
    good = [trial.outcome for trial in done if math.isfinite(trial.outcome.score)]
    failed = [trial.outcome.error for trial in done if trial.outcome.error]
    metric_of(good, tested=False)
    remarks = []
    if failed:
        remarks.append(f"{len(failed)} of {len(done)} trials failed; the first: {failed[0]}")
    if good and any(outcome.facts["loss"] is None for outcome in good):
        remarks.append(
            "The trainings report no losses of single validation examples, so policies with equal "
            "scores are not told apart: the search needs more trials."
        )
    if not task.resumable and task.epochs is not None:
        remarks.append(
            "The training cannot continue from a checkpoint, so every longer training started "
            "from the beginning; the cost includes that."
        )
    return remarks


def cost_in_words(trials: Iterable[FinishedJob], task: ExternalTask) -> str:
    """Say how the cost of a search was counted."""
    if task.epochs is None:
        return _WHOLE
    passes = [t.outcome.facts.get("reported") for t in trials if not t.outcome.error]
    return COST if all(passes) else _COUNTED
