"""`train`: one call, one run; with a folder, a run that can be killed and resumed."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from automorph import _moved
from automorph._version import __version__
from automorph.errors import DamagedError, TrainingError, UsageError
from automorph.files import folder_lock
from automorph.targets import check_target
from automorph.training.augmenter import as_augmenter, check_augmenter
from automorph.training.balance import Balance
from automorph.training.base import BaseTraining
from automorph.training.checkpoint import read_checkpoint
from automorph.training.corpus import fitted
from automorph.training.device import Machine, find_machine, repeatable
from automorph.training.frozen import FrozenTraining
from automorph.training.judging import by_thresholds, judge
from automorph.training.load_model import trained_facts
from automorph.training.loop import Training
from automorph.training.precision import Chosen, precision_of
from automorph.training.progress import OnEpoch, show
from automorph.training.result import RunResult
from automorph.training.run_defaults import policy_begun
from automorph.training.run_dir import RunFolder
from automorph.training.task import Task, with_changes
from automorph.training.task_defaults import as_task
from automorph.training.task_record import run_identity

PARTS = ("validation", "test")
_REPEATS = "counted"
"""Repeats of an example in an epoch get different draws; earlier versions drew them alike."""


@_moved.renamed_arguments(until="stop_epoch")
def train(
    task: Any,
    augmenter: Any | None = None,
    *,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    parts: Sequence[str] = PARTS,
    workers: int | None = None,
    device: str = "auto",
    validate_every: int = 1,
    stop_epoch: int | None = None,
    cool_down: bool = False,
    progress: bool | OnEpoch | None = None,
    accept_versions: bool = False,
    **options: Any,
) -> RunResult:
    """Train the task's network with an augmenter, a policy (or its name), or None.

    - ``task`` is a `Task`, a ``DATA`` string, arrays or a data set, and ``options`` (``model``,
      ``recipe``, ``limit``, ..) go to `automorph.training.as_task`;
    - ``seed`` decides the initial weights, the order of the examples and every augmentation; with
      ``folds`` among the options, also the fold that is the test part (see `Task.in_fold`);
    - ``folder`` keeps a checkpoint after every epoch: the same call resumes an interrupted run, to
      the same weights, and returns the result of a finished one;
    - ``parts`` are evaluated at the end. The test part is used only there, once;
    - ``workers`` threads make batches ahead; they do not affect results (None: none on a CPU, where
      training uses all cores, and up to four with an accelerator);
    - ``device``: ``auto``, or a torch device;
    - ``validate_every``: evaluate the validation part after so many epochs, for the curves (0:
      never);
    - ``stop_epoch``: stop after this epoch, unfinished, to resume later (successive halving);
    - ``cool_down``: end at ``stop_epoch`` with a cool-down of its own, as a training of that length
      would (the recipe's schedule must be ``stable``). The run folder keeps the state before it, so
      that the training can be continued, and the result is kept beside it, in ``cooled/``;
    - ``progress``: None shows a bar on a terminal, True always, False never; a function is called
      with each `Epoch`;
    - ``accept_versions``: resume a run that was begun with other versions of the libraries that
      decide pixels and weights.

    Raises `TrainingError` when the loss is not finite or the training diverges, and `UsageError`
    when the folder contains a different run, or another process is using it.
    """
    task = as_task(task, run_folder=folder, **options).in_fold(seed)
    check_target(task.data.target, "train")
    task = with_changes(task, augmenter)
    _check(task, parts, stop_epoch, workers, cool_down)
    augmenter, recorded = policy_begun(augmenter, folder)
    augment = as_augmenter(fitted(augmenter, task))
    check_augmenter(augment, task.data)
    Balance(task, augment)  # Raises for what cannot be balanced, before anything is written.
    machine = find_machine(device)
    store = None if folder is None else RunFolder(folder, writes=machine.is_main)
    with ExitStack() as stack:
        if store is not None and machine.is_main:
            stack.enter_context(folder_lock(store.path))
        stack.enter_context(repeatable(machine))
        precision = precision_of(task, machine)
        counted = True
        if store is not None:
            identity = run_identity(task, augment.describe(), seed)
            if recorded is not None:
                identity["augmenter"] = recorded
            begun = store.open(
                identity, {**_facts(machine, precision), "regime": task.regime},
                notes=task.data.notes, accept_versions=accept_versions,
            )  # fmt: skip
            precision = begun["precision"]
            # A run that an older version began keeps its draws to the end.
            counted = begun.get("repeats") == _REPEATS
        kind = FrozenTraining if task.recipe.optimizer == "lbfgs" else Training
        training: BaseTraining = kind(
            task,
            augment,
            seed=seed,
            machine=machine,
            precision=precision,
            workers=_ahead(task, machine) if workers is None else workers,
            counted=counted,
        )

        def to_the_end(store: RunFolder | None, stop_epoch: int | None) -> RunResult:
            """Resume the run of a folder, train on to an epoch, and evaluate."""
            if store is not None and (found := store.result()) is not None:
                return _finished(training, store, found, parts)
            if store is not None and (saved := store.load()) is not None:
                _restore(training, saved, store)
            machine.wait()  # No process may write before all have read.
            _run_epochs(training, store, stop_epoch, validate_every, progress)
            return _conclude(training, store, parts)

        if not cool_down:
            return to_the_end(store, stop_epoch)
        assert stop_epoch is not None
        branch = None
        if store is not None:
            branch = store.branch(stop_epoch)
            branch.open({**identity, "cooled": stop_epoch}, begun, accept_versions=True)
        if branch is None or not branch.begun:
            to_the_end(store, stop_epoch)
            _begin_cool_down(training, stop_epoch)
        return to_the_end(branch, None)


def _begin_cool_down(training: BaseTraining, epoch: int) -> None:
    """Begin a cool-down after an epoch. Raises `UsageError` if the training is elsewhere."""
    if training.epoch != epoch or (training.stable_epochs or 0) < epoch:
        raise UsageError(
            f"a cool-down at epoch {epoch} was requested, but this training is at epoch "
            f"{training.epoch} (its own cool-down begins at {training.stable_epochs}); expected "
            "an epoch that it has not passed, as the weights of earlier epochs are not kept"
        )
    training.cool_down()


def _restore(
    training: BaseTraining, saved: tuple[dict[str, Tensor], dict[str, Any]], store: RunFolder
) -> None:
    try:
        training.restore(*saved)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise DamagedError(
            f"{store.checkpoint} is not a checkpoint of this run ({error!r:.200}). Delete that "
            "file to start the run again"
        ) from error


def _run_epochs(
    training: BaseTraining,
    store: RunFolder | None,
    stop_epoch: int | None,
    validate_every: int,
    progress: bool | OnEpoch | None,
) -> None:
    """Train up to the last requested epoch, saving a checkpoint after each."""
    recipe = training.recipe
    has_validation = "validation" in training.task.data.parts
    with show(
        progress if training.machine.is_main else False,
        title=f"{training.task.name}, seed {training.seed}",
        epochs=training.last_epoch,
        steps=training.steps,
        done=training.epoch,
        metric=training.task.target.metric,
    ) as shown:
        while training.epoch < (last := min(stop_epoch or math.inf, training.last_epoch)):
            number = training.epoch + 1
            due = validate_every > 0 and number % validate_every == 0
            try:
                training.run_epoch(shown, validate=has_validation and (due or number == last))
            except torch.OutOfMemoryError as error:
                raise TrainingError(
                    f"a step on {recipe.batch_size // recipe.accumulate} examples does not fit "
                    f"in the memory of {training.machine.device} ({error}); set the recipe's "
                    f"accumulate to {2 * recipe.accumulate} to split the step into smaller pieces"
                ) from error
            if store is not None:
                store.save(*training.state())


def _conclude(training: BaseTraining, store: RunFolder | None, parts: Sequence[str]) -> RunResult:
    """Evaluate the chosen weights; the test part is used only here, at the end."""
    finished = training.epoch == training.last_epoch
    chosen = training.choose() if finished else training.epoch
    evaluations = {
        part: training.evaluate(part)
        for part in _present(training.task, parts)
        if finished or part != "test"
    }
    judged = judge(training.task, evaluations)
    evaluations = by_thresholds(evaluations, judged.thresholds, training.task)
    result = RunResult(
        accuracy={part: seen.accuracy for part, seen in evaluations.items()},
        loss={part: seen.loss for part, seen in evaluations.items()},
        curves=tuple(training.curves),
        chosen=chosen,
        selection=training.recipe.select,
        finished=finished,
        units=training.units,
        seconds=sum(epoch.seconds for epoch in training.curves),
        seed=training.seed,
        precision=training.precision,
        model=training.kept.eval(),
        predictions={part: seen.predictions for part, seen in evaluations.items()},
        stable_epochs=training.stable_epochs if finished else None,
        converged=training.converged if finished else None,
        metrics=judged.metrics,
        thresholds=judged.thresholds,
        logits={part: seen.logits for part, seen in evaluations.items()},
    )
    if store is None:
        return result
    if finished:
        store.finish(
            result, training.kept.state_dict(), trained_facts(training.task, result.thresholds)
        )
        training.machine.wait()
    return replace(result, checkpoint=store.model_path if finished else store.checkpoint)


def _finished(
    training: BaseTraining, store: RunFolder, found: RunResult, parts: Sequence[str]
) -> RunResult:
    """Return the result of a finished run; evaluate parts that were not requested before."""
    tensors, _ = read_checkpoint(store.model_path)
    training.kept.load_state_dict(tensors)
    missing = [part for part in _present(training.task, parts) if part not in found.accuracy]
    evaluations = {part: training.evaluate(part) for part in missing}
    judged = judge(training.task, evaluations, found.thresholds)
    evaluations = by_thresholds(evaluations, judged.thresholds, training.task)
    result = replace(
        found,
        accuracy={**found.accuracy, **{part: seen.accuracy for part, seen in evaluations.items()}},
        loss={**found.loss, **{part: seen.loss for part, seen in evaluations.items()}},
        predictions={
            **found.predictions,
            **{part: seen.predictions for part, seen in evaluations.items()},
        },
        metrics={**found.metrics, **judged.metrics},
        thresholds={**found.thresholds, **judged.thresholds},
    )
    training.machine.wait()
    if missing:
        store.rewrite(result)
    return replace(result, checkpoint=store.model_path, model=training.kept.eval())


def _ahead(task: Task, machine: Machine) -> int:
    """Return the threads that make batches ahead: at least one if other processes decode."""
    return max(machine.spare_threads, int(getattr(task.data.train.data, "decoders", 0) > 0))


def _present(task: Task, parts: Sequence[str]) -> list[str]:
    if any(scorer.point for scorer in task.scorers) or task.data.target == "labels":
        parts = ("validation", *parts)  # Thresholds are fixed there.
    return [part for part in dict.fromkeys(parts) if part in task.data.parts]


def _check(
    task: Task,
    parts: Sequence[str],
    stop_epoch: int | None,
    workers: int | None,
    cool_down: bool,
) -> None:
    if unknown := [part for part in parts if part not in ("train", *PARTS)]:
        raise UsageError(f"parts contains {unknown[0]!r}; expected train, validation or test")
    if task.recipe.select == "best" and task.data.validation is None:
        raise UsageError(
            "the recipe keeps the epoch with the best validation accuracy, but the data have no "
            "validation part; create one, or set select to 'last'"
        )
    if stop_epoch is not None and stop_epoch < 1:
        raise UsageError(
            f"stop_epoch is {stop_epoch}; expected 1 or more epochs, or None to train to the end"
        )
    if cool_down and (stop_epoch is None or task.recipe.schedule != "stable"):
        raise UsageError(
            f"cool_down is set with stop_epoch={stop_epoch} and the schedule "
            f"{task.recipe.schedule!r}; expected an epoch to cool down at, and the schedule "
            "'stable': with others the rate at an epoch depends on the length of the training"
        )
    if workers is not None and workers < 0:
        raise UsageError(f"workers is {workers}; expected 0 (no prefetching) or more threads")


def _facts(machine: Machine, precision: Chosen) -> dict[str, Any]:
    """Return facts about the environment in which a run began."""
    return {
        "precision": precision,
        "repeats": _REPEATS,
        "device": str(machine.device),
        "processes": machine.processes,
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": {
            "automorph": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
