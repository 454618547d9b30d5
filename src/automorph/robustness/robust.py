"""`train_robust`: one trainer and one selection rule for all robust objectives."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.data import Dataset, Split, open_part
from automorph.errors import UsageError
from automorph.experiments import train_alive
from automorph.files import make_folder
from automorph.robustness.builtin import DFR, JTT, LISA, Robust, load_method
from automorph.robustness.dfr import refit
from automorph.robustness.group_metric import by_subgroup, check_choosing
from automorph.robustness.groups import Grouper, grouper_of
from automorph.robustness.jtt import train_first
from automorph.robustness.lisa import mixed_batch
from automorph.training import (
    Augmenter,
    Batch,
    Epoch,
    Evaluation,
    FeatureEncoder,
    OnEpoch,
    PolicyAugmenter,
    RawBatch,
    RunResult,
    Task,
    Units,
    balanced_rows,
    evaluate,
    fitted,
    head_task,
    order,
    steps_per_epoch,
    trained_facts,
    whole_network,
    write_checkpoint,
)

_TIE = 1e-6
"""Weight of overall accuracy beside robust accuracy: it only breaks ties."""


class Renderings(Protocol):
    """The examples of the training part as they look in k subgroups."""

    def __len__(self) -> int: ...

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the renderings of some rows of the training part: uint8 ``(k, rows, H, W, C)``."""
        ...


@dataclass(frozen=True, eq=False)
class RobustRun:
    """A robust training: the model, the method, and its accuracy group by group.

    ``run`` is the training itself (of two, the last), ``units`` and ``seconds`` the cost of all;
    ``seen`` the predictions on the validation and the test part, ``groups`` the groups of their
    examples. ``selected`` is what chose the epoch, higher is better: the robust validation
    accuracy, or the metric of the task in the worst subgroup. ``died`` is why a first training
    learned nothing and was repeated with a longer warm-up (None: it did not), and ``notes`` are
    what a reader of the result must know.
    """

    method: Robust
    grouper: Grouper
    run: RunResult
    model: nn.Module
    checkpoint: Path | None
    seen: dict[str, Evaluation]
    groups: dict[str, NDArray[np.int64]]
    validation_robust_accuracy: float
    selected: float
    seconds: float
    units: Units
    died: str | None = None
    notes: tuple[str, ...] = ()

    def group_accuracy(self, part: str = "test") -> NDArray[np.float64]:
        """Return the accuracy of every group ``(groups,)``; NaN if the part has no example."""
        return group_accuracy(self.seen[part].correct, self.groups[part], len(self.grouper))

    def robust_accuracy(self, part: str = "test") -> float:
        """Return the accuracy of the worst group of the part."""
        return float(np.nanmin(self.group_accuracy(part)))

    def accuracy(self, part: str = "test") -> float:
        """Return the accuracy on the whole part."""
        return self.seen[part].accuracy


def train_robust(
    task: Task,
    objective: str | Robust = "camel",
    *,
    renderings: Renderings | None = None,
    policy: Any | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: bool | OnEpoch | None = None,
) -> RobustRun:
    """Train the task's network with a robust objective (see `load_method`).

    Groups are the classes and subgroups of the task's data. All objectives train on equally many
    examples in equally many steps, and the epoch of best robust validation accuracy is kept
    (overall accuracy breaks ties); ``dfr`` keeps the last. If the task has another metric, the
    epoch is that of its best value in the worst subgroup (see `group_metric`). Only ``camel`` needs
    ``renderings``; ``policy`` augments all renderings of an example alike. A training that learns
    nothing is repeated once with a longer warm-up. ``seed``, ``folder``, ``device`` and
    ``progress`` are those of `automorph.train`: an interrupted run resumes.

    Raises `UsageError` for data without subgroups, missing renderings, or a recipe that divides
    batches (``accumulate``), whose pieces would have other groups.
    """
    method = load_method(objective)
    grouper = grouper_of(task.data)
    _check(task, method, renderings)
    check_choosing(task, grouper, [method.name])
    whole = task if task.recipe.optimizer == "lbfgs" else None
    if whole is not None:
        task = head_task(whole, device=device)
    if isinstance(task.encoder, FeatureEncoder):
        _remember(task.encoder, task.data, renderings if method.needs_renderings else None)
    # DFR evaluates the features of the last epoch: no group may have chosen them.
    task = task.with_recipe(select="last" if isinstance(method, DFR) else "best")
    path = None if folder is None else Path(folder)
    options: dict[str, Any] = {"seed": seed, "device": device, "progress": progress}
    first = None
    if isinstance(method, JTT):
        first = train_first(task, method, policy, folder=path and path / "first", **options)
        for note in first.notes:
            warnings.warn(note, stacklevel=2)
    augmenter = GroupTraining(
        task, method, grouper, renderings=renderings, policy=policy,
        copies=None if first is None else first.copies,
    )  # fmt: skip
    run, died = train_alive(
        task, augmenter, parts=("validation",), folder=path, shares=augmenter.class_shares,
        **options,
    )  # fmt: skip
    assert run.model is not None
    model, checkpoint, chosen, units = run.model, run.checkpoint, None, run.units
    if first is not None:
        units += first.units
    if isinstance(method, DFR):
        model, checkpoint, chosen = refit(task, run, method, grouper, seed=seed, folder=path)
        # Features of both parts.
        units += Units(forward=len(task.data.train) + len(task.data.parts["validation"]))
    parts = {name: open_part(task.data, name) for name in task.data.parts if name != "train"}
    if isinstance(task.encoder, FeatureEncoder):
        for part in parts.values():
            task.encoder.remember(part)
    seen = {
        name: evaluate(model, part, encoder=task.encoder, target=task.target)
        for name, part in parts.items()
    }
    groups = {name: grouper.of(part) for name, part in parts.items()}
    if chosen is None:
        chosen = robust_accuracy(seen["validation"].correct, groups["validation"])
    selected = chosen
    if task.metric != "accuracy":
        known = seen["validation"]
        selected, _ = worst_and_whole(
            task, known.labels, known.probabilities, groups["validation"] % len(grouper.subgroups)
        )
    if whole is not None:
        model = whole_network(task, model)
        if path is not None:
            checkpoint = path / "whole" / "model.safetensors"
            make_folder(checkpoint.parent)
            write_checkpoint(checkpoint, model.state_dict(), trained_facts(whole))
    return RobustRun(
        method, grouper, run, model, checkpoint, seen, groups, chosen, selected,
        run.seconds + (0.0 if first is None else first.seconds), units, died,
        () if first is None else first.notes,
    )  # fmt: skip


def _remember(encoder: FeatureEncoder, data: Dataset, renderings: Renderings | None) -> None:
    """Compute the features of the validation part and of all renderings before the first step."""
    encoder.remember(data.parts["validation"])
    if renderings is not None:
        for view in renderings.take(np.arange(len(data.train))):
            encoder.remember(Split(np.ascontiguousarray(view), data.train.labels))


class GroupTraining(Augmenter):
    """The augmenter of the training loop: draws rows by group, adds renderings, has the loss."""

    def __init__(
        self,
        task: Task,
        method: Robust,
        grouper: Grouper,
        *,
        renderings: Renderings | None = None,
        policy: Any | None = None,
        copies: NDArray[np.int64] | None = None,
    ) -> None:
        self.task = task
        self.method = method
        self.grouper = grouper
        self.groups = grouper.of(task.data.train)
        self.objective = method.objective(grouper, grouper.counts(task.data.train))
        self.renderings = renderings if method.needs_renderings else None
        self.policy = PolicyAugmenter(fitted(policy, task) if policy is not None else None)
        self.whole_batch = self.policy.whole_batch
        self.copies = copies
        validation = task.data.validation
        self.validation = None if validation is None else grouper.of(validation)
        self.robust: float | None = None

    def epoch_rows(
        self, n: int, batch_size: int, *, seed: int, epoch: int
    ) -> Sequence[NDArray[np.int64]]:
        """Return the rows of an epoch as the method draws them."""
        if self.method.sampling == "balanced":
            return balanced_rows(self.groups, batch_size, seed=seed, epoch=epoch)
        if self.copies is not None:
            return repeated_rows(self.copies, batch_size, seed=seed, epoch=epoch)
        return super().epoch_rows(n, batch_size, seed=seed, epoch=epoch)

    @property
    def class_shares(self) -> NDArray[np.float64]:
        """The shares of the classes among the examples that are drawn."""
        if self.method.sampling == "balanced":
            drawn = np.bincount(self.grouper.class_of[np.unique(self.groups)])
        else:
            drawn = np.bincount(self.grouper.class_of[self.groups], self.copies)
        shares: NDArray[np.float64] = drawn / drawn.sum()
        return shares

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return every example and its renderings, augmented alike, in adjacent rows."""
        if isinstance(self.method, LISA):
            return mixed_batch(raw, self.policy, self.method, self.task, self.grouper, self.groups)
        if self.renderings is None:
            return self.policy(raw)
        views = [raw.examples, *self.renderings.take(raw.index)]
        if raw.examples.dtype.kind == "T":
            return self._texts(raw, views)
        drawn = [self.policy(replace(raw, examples=view)) for view in views]
        inputs = torch.stack([batch.inputs for batch in drawn], dim=1).flatten(0, 1)
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return Batch(
            inputs,
            torch.stack([batch.labels for batch in drawn], dim=1).flatten(0, 1),
            np.repeat(raw.index, len(views)),
            views=len(views),
        )

    def _texts(self, raw: RawBatch, views: list[NDArray[Any]]) -> Batch:
        """Encode texts of different lengths together; equal copy numbers give equal draws."""
        count = len(views)
        rows = replace(
            raw,
            examples=np.stack(views, axis=1).reshape(-1),
            labels=np.repeat(raw.labels, count, axis=0),
            index=np.repeat(raw.index, count),
            occurrence=None if raw.occurrence is None else np.repeat(raw.occurrence, count),
        )
        return replace(self.policy(rows), views=count)

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """Return the losses of the examples, with the gradient of the objective.

        The training loop minimises the mean of the result. So that its curves show the loss and not
        the objective, which may be any number, values and gradient are combined here.
        """
        views = batch.views
        labels = batch.labels[::views]
        groups = torch.from_numpy(self.groups[batch.index[::views]]).to(logits.device)
        losses = batch.target.loss(logits[::views], labels, smoothing=smoothing)
        outputs = logits.view(len(labels), views, -1)
        total = self.objective(losses, groups) + self.objective.penalty(outputs, labels, groups)
        return losses.detach().repeat_interleave(views) + (total - total.detach())

    def judge(self, seen: Evaluation) -> float:
        """Return what chooses the epoch; the value on the whole validation part breaks ties."""
        assert self.validation is not None
        self.robust = robust_accuracy(seen.correct, self.validation)
        if self.task.metric == "accuracy":
            return self.robust + _TIE * seen.accuracy
        subgroups = self.validation % len(self.grouper.subgroups)
        worst, whole = worst_and_whole(self.task, seen.labels, seen.probabilities, subgroups)
        return worst + _TIE * whole

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Return robust accuracy and the facts of the objective."""
        facts = {} if self.robust is None else {"robust_accuracy": self.robust}
        return {**facts, **self.objective.facts()}

    def describe(self) -> Any:
        """Return method, groups, and hashes of renderings and copies."""
        facts: dict[str, Any] = {
            "objective": self.method.recorded,
            "groups": _digest(self.groups),
            "policy": self.policy.describe(),
        }
        if self.renderings is not None:
            rows = np.unique(np.linspace(0, len(self.groups) - 1, 256).astype(np.int64))
            facts["renderings"] = _digest(self.renderings.take(rows))
        if self.copies is not None:
            facts["copies"] = _digest(self.copies)
        return facts

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state of the objective."""
        return self.objective.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the state of the objective."""
        if state:
            self.objective.load_state_dict(state)


def repeated_rows(
    copies: NDArray[np.int64], batch_size: int, *, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return batches from a set in which example i occurs ``copies[i]`` times.

    There are as many rows and batches as in an epoch that shows every example once, so that methods
    cost the same: an epoch covers a part of the larger set.
    """
    n = len(copies)
    larger = np.repeat(np.arange(n), copies)
    rows = larger[order(len(larger), seed=seed, epoch=epoch)[:n]]
    return np.array_split(rows, steps_per_epoch(n, batch_size))


def group_accuracy(
    correct: NDArray[np.bool_], groups: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return the accuracy of every group ``(count,)``, NaN for those without examples.

    >>> group_accuracy(np.array([True, True, False]), np.array([0, 0, 2]), 3)
    array([ 1., nan,  0.])
    """
    n = np.bincount(groups, minlength=count).astype(np.float64)
    right = np.bincount(groups, correct, minlength=count)
    shares: NDArray[np.float64] = np.divide(right, n, out=np.full(count, np.nan), where=n > 0)
    return shares


def robust_accuracy(correct: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """Return the accuracy of the worst group that has examples.

    >>> robust_accuracy(np.array([True, True, False, True]), np.array([0, 0, 2, 2]))
    0.5
    """
    return float(np.nanmin(group_accuracy(correct, groups, int(groups.max()) + 1)))


def worst_and_whole(
    task: Task,
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    subgroups: NDArray[np.int64],
) -> tuple[float, float]:
    """Return the task's metric in the worst subgroup and on all examples, higher is better."""
    scorer = task.scorer
    found = by_subgroup(scorer, labels, probabilities, subgroups, task.data.subgroup_names)
    assert found.worst is not None
    return scorer.sign * found.worst, scorer.sign * found.whole


def check_balance(task: Task) -> None:
    """Raise `UsageError` for a recipe that balances the classes: the objectives balance groups."""
    if task.recipe.balance != "none":
        raise UsageError(
            f"got balance={task.recipe.balance!r} for a robust training; expected 'none': its "
            "objectives balance or weigh the groups (class and subgroup) themselves. Leave out "
            "balance, or train without subgroups"
        )


def _check(task: Task, method: Robust, renderings: Renderings | None) -> None:
    check_balance(task)
    if task.data.validation is None:
        raise UsageError(
            f"{task.name} has no validation part; expected one to select the best epoch: split it "
            "off with automorph.data.split(data)"
        )
    if task.recipe.accumulate > 1:
        raise UsageError(
            f"the recipe splits batches into {task.recipe.accumulate} pieces, whose groups would "
            "differ from those of the batch; expected accumulate=1. Reduce the batch size instead"
        )
    if not method.needs_renderings:
        return
    if renderings is None:
        raise UsageError(
            f"{method.title} got no renderings; expected every example rendered in the other "
            "subgroups. Create them with a translator (automorph.robustness.translate_part), or "
            "choose an objective that needs none: sgdro, gdro, balanced"
        )
    if len(renderings) != len(task.data.train):
        raise UsageError(
            f"got renderings of {len(renderings):,} examples; expected {len(task.data.train):,}, "
            "one set for each training example, in the same order"
        )


def _digest(array: NDArray[Any]) -> str:
    if array.dtype.kind == "T":  # The bytes of a string array are addresses.
        content = repr(array.tolist()).encode()
    else:
        content = np.ascontiguousarray(array).tobytes()
    return blake2b(content, digest_size=8).hexdigest()
