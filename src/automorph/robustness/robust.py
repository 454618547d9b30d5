"""`train_robust`: one trainer and one rule of selection for all robust methods."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.data import open_part
from automorph.errors import UsageError
from automorph.robustness.builtin import DFR, JTT, Robust, load_method
from automorph.robustness.dfr import refit
from automorph.robustness.groups import Grouper, grouper_of
from automorph.robustness.sampling import balanced_rows, repeated_rows
from automorph.training import (
    Augmenter,
    Batch,
    Epoch,
    Evaluation,
    OnEpoch,
    PolicyAugmenter,
    RawBatch,
    RunResult,
    Task,
    evaluate,
    fitted,
    soft_cross_entropy,
    train,
)

_TIE = 1e-6
"""What overall accuracy counts beside robust accuracy: it decides between equals only."""


class Renderings(Protocol):
    """The examples of the training part as they look in k subgroups."""

    def __len__(self) -> int: ...

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The renderings of some rows of the training part: uint8 ``(k, rows, H, W, C)``."""
        ...


@dataclass(frozen=True, eq=False)
class RobustRun:
    """A robust training: what was trained, by what, and how it does group by group.

    ``run`` is the training itself (of two, the last); ``seen`` what the network says of the
    validation and the test part, ``groups`` the groups of their examples.
    """

    method: Robust
    grouper: Grouper
    run: RunResult
    model: nn.Module
    checkpoint: Path | None
    seen: dict[str, Evaluation]
    groups: dict[str, NDArray[np.int64]]
    validation_robust_accuracy: float
    seconds: float

    def group_accuracy(self, part: str = "test") -> NDArray[np.float64]:
        """The accuracy of every group ``(groups,)``; NaN where the part has no example of it."""
        return group_accuracy(self.seen[part].correct, self.groups[part], len(self.grouper))

    def robust_accuracy(self, part: str = "test") -> float:
        """The accuracy of the worst group that the part has."""
        return float(np.nanmin(self.group_accuracy(part)))

    def accuracy(self, part: str = "test") -> float:
        """The accuracy over the part as it is."""
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
    """Train the task's network by a robust objective (see `load_method`).

    Groups are the classes and subgroups of the task's data. Every method is trained for as many
    examples in as many steps, and the epoch of best robust validation accuracy is kept (overall
    accuracy decides between equals). ``renderings`` are needed by ``camel`` only; ``policy``
    augments all renderings of an example alike. ``seed``, ``folder``, ``device`` and ``progress``
    are those of `automorph.train`: a run that was stopped goes on.

    Raises `UsageError` for data without subgroups, missing renderings, or a recipe that divides
    batches (``accumulate``), whose pieces would have other groups.
    """
    method = load_method(objective)
    grouper = grouper_of(task.data)
    _check(task, method, renderings)
    task = task.with_recipe(select="best")
    place = None if folder is None else Path(folder)
    options: dict[str, Any] = {"seed": seed, "device": device, "progress": progress}
    copies, before = None, 0.0
    if isinstance(method, JTT):
        first = train(
            task.with_recipe(epochs=method.epochs or -(-task.recipe.epochs // 10), select="last"),
            PolicyAugmenter(fitted(policy, task) if policy is not None else None),
            parts=("train",),
            folder=place and place / "first",
            **options,
        )
        assert first.model is not None
        right = evaluate(first.model, task.data.train, encoder=task.encoder).correct
        copies, before = np.where(right, 1, method.weight), first.seconds
    augmenter = GroupTraining(
        task, method, grouper, renderings=renderings, policy=policy, copies=copies
    )
    run = train(task, augmenter, parts=("validation",), folder=place, **options)
    assert run.model is not None
    model, checkpoint, chosen = run.model, run.checkpoint, None
    if isinstance(method, DFR):
        model, checkpoint, chosen = refit(task, run, method, grouper, seed=seed, folder=place)
    parts = {name: open_part(task.data, name) for name in task.data.parts if name != "train"}
    seen = {name: evaluate(model, part, encoder=task.encoder) for name, part in parts.items()}
    groups = {name: grouper.of(part) for name, part in parts.items()}
    if chosen is None:
        chosen = robust_accuracy(seen["validation"].correct, groups["validation"])
    return RobustRun(
        method, grouper, run, model, checkpoint, seen, groups, chosen, before + run.seconds
    )


class GroupTraining(Augmenter):
    """What the training loop calls: draws rows by group, brings renderings, and has the loss."""

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
        """Rows as the method draws them."""
        if self.method.sampling == "balanced":
            return balanced_rows(self.groups, batch_size, seed=seed, epoch=epoch)
        if self.copies is not None:
            return repeated_rows(self.copies, batch_size, seed=seed, epoch=epoch)
        return super().epoch_rows(n, batch_size, seed=seed, epoch=epoch)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Every example and its renderings, augmented alike; an example's rows are adjacent."""
        if self.renderings is None:
            return self.policy(raw)
        views = [raw.examples, *self.renderings.take(raw.index)]
        if raw.examples.dtype.kind == "T":
            return self._texts(raw, views)
        drawn = [self.policy(replace(raw, examples=view)) for view in views]
        inputs = torch.stack([batch.inputs for batch in drawn], dim=1).flatten(0, 1)
        return Batch(
            inputs.contiguous(memory_format=torch.channels_last),
            torch.stack([batch.labels for batch in drawn], dim=1).flatten(0, 1),
            np.repeat(raw.index, len(views)),
            views=len(views),
        )

    def _texts(self, raw: RawBatch, views: list[NDArray[Any]]) -> Batch:
        """Texts of different lengths are encoded together; equal numbers give equal draws."""
        count = len(views)
        rows = replace(
            raw,
            examples=np.stack(views, axis=1).reshape(-1),
            labels=np.repeat(raw.labels, count, axis=0),
            index=np.repeat(raw.index, count),
        )
        return replace(self.policy(rows), views=count)

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """The losses of the examples, with the gradient of the objective.

        The loop descends along the mean of what it gets. So that its curves show the loss and not
        the objective, which may be anything, values and gradient are put together here.
        """
        views = batch.views
        labels = batch.labels[::views]
        groups = torch.from_numpy(self.groups[batch.index[::views]]).to(logits.device)
        losses = soft_cross_entropy(logits[::views], labels, smoothing=smoothing)
        outputs = logits.view(len(labels), views, -1)
        total = self.objective(losses, groups) + self.objective.penalty(outputs, labels, groups)
        return losses.detach().repeat_interleave(views) + (total - total.detach())

    def judge(self, seen: Evaluation) -> float:
        """Robust accuracy on the validation part; overall accuracy between equals."""
        assert self.validation is not None
        self.robust = robust_accuracy(seen.correct, self.validation)
        return self.robust + _TIE * seen.accuracy

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Robust accuracy and what the objective tells."""
        told = {} if self.robust is None else {"robust_accuracy": self.robust}
        return {**told, **self.objective.facts()}

    def describe(self) -> Any:
        """Method, groups, and the content of what is brought along."""
        facts: dict[str, Any] = {
            "objective": self.method.name,
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
        """The objective's memory."""
        return self.objective.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back."""
        if state:
            self.objective.load_state_dict(state)


def group_accuracy(
    correct: NDArray[np.bool_], groups: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """The accuracy of every group ``(count,)``, NaN for those without examples.

    >>> group_accuracy(np.array([True, True, False]), np.array([0, 0, 2]), 3)
    array([ 1., nan,  0.])
    """
    n = np.bincount(groups, minlength=count).astype(np.float64)
    right = np.bincount(groups, correct, minlength=count)
    shares: NDArray[np.float64] = np.divide(right, n, out=np.full(count, np.nan), where=n > 0)
    return shares


def robust_accuracy(correct: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """The accuracy of the worst group that has examples.

    >>> robust_accuracy(np.array([True, True, False, True]), np.array([0, 0, 2, 2]))
    0.5
    """
    return float(np.nanmin(group_accuracy(correct, groups, int(groups.max()) + 1)))


def _check(task: Task, method: Robust, renderings: Renderings | None) -> None:
    if task.data.validation is None:
        raise UsageError(
            f"{task.name} has no validation part, by which the best epoch is chosen; split one "
            "off: automorph.data.split(data)"
        )
    if task.recipe.accumulate > 1:
        raise UsageError(
            f"the recipe divides batches into {task.recipe.accumulate} pieces, which would have "
            "other groups than the batch; expected accumulate=1. Make the batch smaller instead"
        )
    if not method.needs_renderings:
        return
    if renderings is None:
        raise UsageError(
            f"{method.title} compares examples with their renderings in other subgroups, and none "
            "were given. Make them with a translator (automorph.robustness.translate_part), or "
            "choose an objective without: sgdro, gdro, balanced"
        )
    if len(renderings) != len(task.data.train):
        raise UsageError(
            f"got renderings of {len(renderings):,} examples; expected {len(task.data.train):,}, "
            "one set for each training example, in the same order"
        )


def _digest(array: NDArray[Any]) -> str:
    if array.dtype.kind == "T":  # Its bytes are addresses.
        content = repr(array.tolist()).encode()
    else:
        content = np.ascontiguousarray(array).tobytes()
    return blake2b(content, digest_size=8).hexdigest()
