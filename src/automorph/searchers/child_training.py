"""The trainings that a search asks for: children, which never see the test part."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from automorph._moved import renamed_arguments, renamed_attributes
from automorph.data import limited, split
from automorph.errors import AutomorphError, DamagedError, DiskError, UsageError
from automorph.experiments import (
    PASS,
    ExternalTask,
    JobResult,
    Treatment,
    checkpoint_of,
    job_folder,
    key_of,
    missing_checkpoint,
    plain_treatment,
    score_of,
    train_external,
)
from automorph.policies import Policy, chained
from automorph.searchers.row_scores import row_facts
from automorph.training import AugmenterSpec, Epoch, Task, Units, read_checkpoint, train


@renamed_attributes(tail="post_policy", until="stop_epoch", place="run_folder")
@renamed_arguments(tail="post_policy", until="stop_epoch")
@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """A training under ``policy`` and then ``post_policy``; its score is the validation accuracy.

    - ``seed``: determines first weights, order and draws; children of one seed are paired;
    - ``epochs``: length of the whole schedule (None: that of the task's recipe); ``stop_epoch``:
      the epoch after which to stop, unfinished;
    - ``parent``: a child whose weights this one continues from, under its own policy (as in
      population based training); score and cost are of this child's part alone;
    - ``keep``: leave the final weights in `model_path`, for later jobs;
    - ``limit``: train on this many examples, balanced over the classes;
    - ``fold``: train on a stratified shuffle split of the training part, and score on the remaining
      share ``held_out`` (see `folded`);
    - ``row_scores``: keep the scores of single validation examples (see `row_facts`).

    ``facts`` of the result: ``loss`` (validation), ``epochs`` (the number reached), ``pace``
    (seconds an epoch) and ``curve`` (validation accuracy after every evaluated epoch).
    """

    policy: Treatment
    post_policy: Policy | None = None
    seed: int = 0
    epochs: int | None = None
    stop_epoch: int | None = None
    parent: TrainJob | None = None
    keep: bool = False
    limit: int | None = None
    fold: int | None = None
    held_out: float = 0.4
    row_scores: bool = False

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result; a parent is named by its key."""
        return {
            "job": "train",
            "policy": plain_treatment(self.policy),
            "tail": None if self.post_policy is None else plain_treatment(self.post_policy),
            "seed": self.seed,
            "epochs": self.epochs,
            "until": self.stop_epoch,
            "parent": None if self.parent is None else self.parent.key,
            "keep": self.keep,
            "limit": self.limit,
            "fold": None if self.fold is None else [self.fold, self.held_out],
            **({"rows": True} if self.row_scores else {}),
        }

    @cached_property
    def key(self) -> str:
        """Hash of the content: equal for equal jobs."""
        return key_of(self)

    def run(self, task: Task | ExternalTask, folder: Path) -> JobResult:
        """Train the child; a killed one resumes from its last checkpoint, if it keeps any."""
        began = time.perf_counter()
        try:
            try:
                return self._run(task, folder)
            except DamagedError:
                # The files of an earlier try are unusable: start again.
                for child in (self, self.parent):
                    if child is not None:
                        shutil.rmtree(child.run_folder(folder), ignore_errors=True)
                return self._run(task, folder)
        except DiskError:
            raise
        except AutomorphError as error:
            seconds = time.perf_counter() - began
            return JobResult(float("-inf"), seconds=seconds, error=str(error))

    def model_path(self, folder: Path) -> Path:
        """Return the weights that a finished child with ``keep`` leaves."""
        return self.run_folder(folder) / "model.safetensors"

    def run_folder(self, folder: Path) -> Path:
        """Return the child's own folder inside that of the search."""
        return folder / "children" / self.key

    def task(self, task: Task) -> Task:
        """Return the task as this child sees it: without test part, limited if asked."""
        data = task.data.without_test()
        if self.fold is not None:
            data = folded(task, self.fold, held_out=self.held_out).data
        if self.limit is not None:
            data = limited(data, self.limit, equal_classes=True)
        if data.validation is None:
            raise UsageError(
                f"{data.name} has no validation part; a search scores its children on one: split "
                "it off (see automorph.data.split)"
            )
        small = replace(task, data=data)
        # Children are compared at the same length, so none ends by itself.
        return small.with_recipe(epochs=self.epochs or task.recipe.epochs)

    def _run(self, task: Task | ExternalTask, folder: Path) -> JobResult:
        if isinstance(task, ExternalTask):
            return self._run_external(task, folder)
        own = self.task(task)
        done, spent, own_folder = 0, Units(), None
        if self.keep or self.stop_epoch is not None or self.parent is not None:
            own_folder = self.run_folder(folder)
        if self.parent is not None and own_folder is not None:
            origin = self.parent.checkpoint(task, folder)
            facts = read_checkpoint(origin)[1]
            done, spent = len(facts["curves"]), Units(**facts["units"])
            start = own_folder / origin.name
            if not (own_folder / "run.json").exists():
                own_folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(origin, start)
        result = train(
            own, with_post_policy(self.policy, self.post_policy), seed=self.seed, folder=own_folder,
            parts=("validation",), workers=0, stop_epoch=self.stop_epoch, progress=False,
            validate_every=0 if own_folder is None else 1,
        )  # fmt: skip
        fresh = [epoch for epoch in result.curves if epoch.epoch > done]
        return JobResult(
            score=score_of(result, own),
            units=Units(
                result.units.forward - spent.forward, result.units.backward - spent.backward
            ),
            seconds=sum(epoch.seconds for epoch in fresh),
            facts={
                "loss": result.loss["validation"],
                "epochs": len(result.curves),
                "pace": median(epoch.seconds for epoch in fresh[1:] or fresh) if fresh else 0.0,
                "curve": [value for e in fresh if (value := _chosen_by(e, own)) is not None],
                **(row_facts(own, result) if self.row_scores else {}),
            },
        )

    def _run_external(self, task: ExternalTask, folder: Path) -> JobResult:
        """Train as the user's own code does."""
        assert self.fold is self.limit is self.epochs is None
        done, checkpoint = 0, None
        if self.parent is not None:
            assert self.parent.stop_epoch is not None
            done, checkpoint = self.parent.stop_epoch, self.parent.own_checkpoint(task, folder)
        return train_external(
            task, with_post_policy(self.policy, self.post_policy), seed=self.seed,
            folder=self.own_folder(folder), epochs=self.stop_epoch, done=done,
            checkpoint=checkpoint,
        )  # fmt: skip

    def own_folder(self, folder: Path) -> Path:
        """Return the folder of this training if the user's own code runs it."""
        return job_folder(folder, self.policy, self.seed, self.key)

    def own_checkpoint(self, task: ExternalTask, folder: Path) -> Path:
        """Return the checkpoint of the user's own code; train again if it is gone."""
        for again in (False, True):
            if again:
                self._run_external(task, folder)
            if (path := checkpoint_of(self.own_folder(folder))) is not None:
                return path
        raise missing_checkpoint(self.policy.name)

    def checkpoint(self, task: Task, folder: Path) -> Path:
        """Return the checkpoint that its children start from; train it if missing."""
        path = self.run_folder(folder) / "checkpoint.safetensors"
        if not path.exists():
            outcome = self.run(task, folder)
            if not path.exists():
                why = outcome.error or "it was trained to completion; set an earlier stop_epoch"
                raise UsageError(f"the child {self.key} left no checkpoint to continue from: {why}")
        return path


def _chosen_by(epoch: Epoch, task: Task) -> float | None:
    """Return what chooses after an epoch: the validation accuracy, or the score by the metric."""
    accuracy = epoch.validation_accuracy
    return accuracy if task.metric == "accuracy" else epoch.validation_score


def with_post_policy(policy: Treatment, post_policy: Policy | None) -> Treatment:
    """Chain a policy with the post-policy.

    >>> from automorph import load_policy
    >>> with_post_policy(load_policy("random"), load_policy("flip-crop")).name
    'random + flip-crop'
    >>> with_post_policy(load_policy("none"), load_policy("flip-crop")).name
    'flip-crop'
    """
    if post_policy is None or not len(post_policy.space):
        return policy
    if isinstance(policy, Policy):
        return chained(policy, post_policy) if len(policy.space) else post_policy
    surrounded = getattr(policy, "surrounded", None)
    if surrounded is None:
        raise UsageError(
            f"got {policy.name} with the post-policy {post_policy.name}; expected a method with "
            "`surrounded`. Include the steps in the method, and set the post-policy to none"
        )
    chained_spec: AugmenterSpec = surrounded(before=(), after=(post_policy,))
    return chained_spec


def folded(task: Task, fold: int, *, held_out: float = 0.4) -> Task:
    """Return the task with a validation part split off its own training part.

    ``fold`` numbers independent splits. The validation part is the share ``held_out``, stratified
    (Lim et al. 2019 use five such shuffle splits with 0.4).
    """
    alone = task.data.without_test().replace(validation=None)
    return replace(task, data=split(alone, validation=held_out, test=0.0, seed=fold))


def trainings(units: Units, task: Task | ExternalTask) -> float:
    """Return a cost in plain trainings; see `Units.passes`.

    Of the user's own training, whole passes over the training data are known.

    >>> from automorph.training import as_task
    >>> task = as_task("digits", model="cnn:4", recipe={"epochs": 2}, limit=100)
    >>> seen = 2 * len(task.data.train)
    >>> trainings(Units(forward=3 * seen, backward=0), task), trainings(Units(seen, seen), task)
    (1.0, 1.0)
    """
    passes = (units.forward + 2 * units.backward) / plain_passes(task)
    if isinstance(task, ExternalTask):
        return passes / (3 * PASS)
    # A plain training on frozen features takes forward passes alone.
    return passes if task.recipe.optimizer == "lbfgs" else passes / 3


def plain_passes(task: Task | ExternalTask) -> int:
    """Return the passes of a plain training; of the user's own, those over the training data."""
    if isinstance(task, ExternalTask):
        return task.epochs or 1
    return len(task.data.train) * task.recipe.epochs
