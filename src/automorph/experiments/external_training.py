"""Jobs on an `ExternalTask`: one training, or one for each piece of a policy that changes."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from automorph.errors import TrainingError, UsageError
from automorph.experiments.external import ExternalTask
from automorph.experiments.job import JobResult, Treatment
from automorph.experiments.result_file import DivergedError, ResultError, ScriptResult, read_result
from automorph.policies import Chain, Policy, Schedule, chained, changes_by_epoch, load_policy
from automorph.training import Units

PASS = 1000
"""Units of cost of one pass over the training data, so that parts of a pass count."""


def train_external(
    task: ExternalTask,
    policy: Treatment,
    *,
    seed: int,
    folder: Path,
    epochs: int | None = None,
    done: int = 0,
    checkpoint: Path | None = None,
) -> JobResult:
    """Train up to epoch ``epochs`` (None: whole), from a checkpoint after ``done`` epochs.

    The score is the validation value, negated if lower values are better. ``facts`` hold what the
    training reported; ``diverged`` is set if the metric is not finite. Raises `TrainingError` that
    says why there is no result otherwise.
    """
    began = time.perf_counter()
    policy = check_external(task, policy)
    if task.epochs is None:
        epochs = None
    elif epochs is None:
        epochs = task.epochs
    results: list[ScriptResult] = []
    for stop, piece in _pieces(policy, done, epochs):
        if results and (checkpoint := results[-1].checkpoint) is None:
            raise TrainingError(_NO_CHECKPOINT)
        try:
            result = task.train(piece, seed=seed, folder=folder, epochs=stop, checkpoint=checkpoint)
        except DivergedError as error:
            seconds = time.perf_counter() - began
            return JobResult(-math.inf, seconds=seconds, facts={"diverged": True}, error=str(error))
        results.append(result)
    own = [result.passes for result in results]
    reported = None if None in own else float(sum(one or 0.0 for one in own))
    if reported is None and epochs is not None:
        reported = float(epochs if checkpoint is None and done == 0 else epochs - done)
    # Without a length, every training counts as one, whatever it reports.
    cost = 1.0 if epochs is None or reported is None else reported
    units = Units(round(PASS * cost), round(PASS * cost))
    result = replace(results[-1], passes=reported)
    score = result.validation if result.higher_is_better else -result.validation
    facts = {**_facts(result, epochs), "reported": None not in own}
    return JobResult(score, units, time.perf_counter() - began, facts)


def check_external(task: ExternalTask, treatment: Treatment) -> Policy:
    """Return the policy; raise `UsageError` if the user's own training cannot use it."""
    if not isinstance(treatment, Policy):
        raise UsageError(
            f"{treatment.name} runs inside the training loop of automorph, which {task.name} does "
            "not use; expected a policy: see automorph list policies, or compare this method "
            "with DATA instead of --command (objective=...)"
        )
    if changes_by_epoch(treatment) and not task.resumable:
        raise UsageError(
            f"{treatment.name} changes with the epoch, which a transform inside {task.name} cannot "
            "know; expected a training that can continue from a checkpoint, so that each part "
            "gets its own policy: add {checkpoint} to the command (resumable=True)"
        )
    return treatment


def job_folder(folder: Path, treatment: Treatment, seed: int, key: str) -> Path:
    """Return the folder of a job on an external task, which people can recognise."""
    words = re.sub(r"[^a-z0-9]+", "-", treatment.name.lower()).strip("-")[:40].strip("-")
    return folder / "jobs" / f"{words or 'policy'}-seed{seed}-{key[:8]}"


def checkpoint_of(folder: Path) -> Path | None:
    """Return the checkpoint that the last finished try of a job left, if there is one."""
    tries = sorted(folder.glob("try-*"), key=lambda one: int(one.name[4:]), reverse=True)
    for one in tries:
        try:
            result = read_result(one, with_test=False)
        except ResultError:
            continue
        if result.checkpoint is not None:
            return result.checkpoint
    return None


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints that the tries of a job left for later jobs."""
    while (path := checkpoint_of(folder)) is not None:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError:
            return


def missing_checkpoint(name: str) -> TrainingError:
    """Return the error for a training that should have left a checkpoint."""
    return TrainingError(f"the training of {name} cannot continue: {_NO_CHECKPOINT}")


_NO_CHECKPOINT = (
    "the training before it wrote no checkpoint; expected the entry 'checkpoint' in its result: "
    "write one, or remove {checkpoint} from the command"
)


def _pieces(policy: Policy, done: int, epochs: int | None) -> Iterator[tuple[int | None, Policy]]:
    """Yield parts of a training: the epoch to stop at, and the policy until then."""
    if epochs is None or not changes_by_epoch(policy):
        yield epochs, policy
        return
    stop = done
    for piece, numbers in groupby(_at(policy, epoch) for epoch in range(done, epochs)):
        stop += len(list(numbers))
        yield stop, piece


def _at(policy: Policy, epoch: int) -> Policy:
    """Return the policy of an epoch, counted from 0."""
    if isinstance(policy, Schedule):
        return policy.at(epoch)
    if isinstance(policy, Chain):
        stages = [stage for one in policy.stages if len((stage := _at(one, epoch)).space)]
        return chained(*stages) if stages else load_policy("none")
    return policy


def _facts(result: ScriptResult, epochs: int | None) -> dict[str, Any]:
    return {
        "metric": result.metric,
        "higher_is_better": result.higher_is_better,
        "validation": result.validation,
        "test": result.test_value,
        "passes": result.passes,
        "epochs": epochs,
        "loss": None if result.losses is None else fmean(result.losses),
        "examples": None if result.losses is None else len(result.losses),
        "ignored": list(result.ignored),
    }
