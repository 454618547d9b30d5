"""Training on frozen features: a copy of the data per epoch, and a head fitted to all copies."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any, cast

import torch
from torch import Tensor, nn

from automorph.data import open_part
from automorph.errors import UsageError
from automorph.models import FrozenFeatures
from automorph.targets import Target
from automorph.training.augmenter import Augmenter
from automorph.training.base import BaseTraining
from automorph.training.batch import Units
from automorph.training.checkpoint import prefixed, under
from automorph.training.evaluation import AT_ONCE, Evaluation, evaluation_of
from automorph.training.frozen_features import FrozenSource
from automorph.training.linear_head import fit_head
from automorph.training.progress import Shown
from automorph.training.result import Epoch
from automorph.training.task import Task

_OF_STEPS = ("loss", "feedback", "end_epoch", "unlabelled_rows")
"""What an augmenter may do with the losses of steps, which a fitted head does not take."""


class FrozenTraining(BaseTraining):
    """Features of one augmented copy of the training part per epoch; the head is fitted to all.

    Nothing but the head changes, so that features depend on policy and seed alone: they are
    computed once (see `FrozenSource`). Parts are evaluated without augmentation.
    """

    def __init__(self, task: Task, augmenter: Augmenter, **options: Any) -> None:
        check_frozen(task, augmenter)
        super().__init__(task, augmenter, **options)
        if self.machine.processes > 1:
            raise UsageError(
                f"{task.network} was started in {self.machine.processes} processes; expected one, "
                "since its head is fitted in one: start it without torchrun"
            )
        self.network = cast(FrozenFeatures, self.model)
        self.source = FrozenSource(self.network, self.loader)
        self.fitted = 0
        """The number of epochs to whose copies the head is fitted."""

    def run_epoch(self, shown: Shown, *, validate: bool) -> None:
        """Add a copy; fit the head if it is evaluated now, or if this is the last copy."""
        began = time.perf_counter()
        number = self.epoch + 1
        rows = self.source.first(number, shown.step)
        if number == 1 or self.source.varies:
            self.units += Units(forward=len(rows) // number)
        if validate or number == self.last_epoch:
            self._fit(number)
        target = self.loader.balance.target
        with torch.no_grad():
            logits = self.network.classify(rows.features)
        right = target.correct(target.predict(logits), target.decode(rows.labels))
        seen = self.evaluate("validation", target=target) if validate else None
        record = Epoch(
            epoch=number,
            lr=0.0,
            loss=float(target.loss(logits, rows.labels).mean()),
            accuracy=float(right.double().mean()),
            validation_loss=None if seen is None else seen.loss,
            validation_accuracy=None if seen is None else seen.accuracy,
            validation_score=None if seen is None else seen.score,
            seconds=time.perf_counter() - began,
        )
        self.curves.append(record)
        shown.epoch(record, self.last_epoch)

    def evaluate(
        self, part: str, model: nn.Module | None = None, *, target: Target | None = None
    ) -> Evaluation:
        """Evaluate the head on a part of the data."""
        if self.fitted < self.epoch:
            self._fit(self.epoch)
        data = open_part(self.task.data, part)
        features = self.source.part(data).features
        with torch.no_grad():
            logits = [self.network.classify(some) for some in torch.split(features, AT_ONCE)]
        return evaluation_of(
            torch.cat(logits), data.expected, target or self.task.target, self.task.judged_by
        )

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the head and the curves; features are on disk, or are computed again."""
        facts = {
            "curves": [asdict(epoch) for epoch in self.curves],
            "units": asdict(self.units),
            "fitted": self.fitted,
        }
        return prefixed("head", self.network.head.state_dict()), facts

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.network.head.load_state_dict(under("head", tensors))
        self.curves = [Epoch(**epoch) for epoch in facts["curves"]]
        self.units = Units(**facts["units"])
        self.fitted = facts["fitted"]

    def _fit(self, epochs: int) -> None:
        """Fit the head to the first copies; the penalty is chosen on the validation part."""
        self.fitted = epochs
        validation = self.task.data.validation
        judged = None if validation is None else self.source.part(validation)
        balance = self.loader.balance
        head = fit_head(self.source.first(epochs), balance.target, judged, judge=balance.as_common)
        with torch.no_grad():
            self.network.head.weight.copy_(head.weight)
            self.network.head.bias.copy_(head.bias)


def check_frozen(task: Task, augmenter: Augmenter, name: str = "") -> None:
    """Raise `UsageError` for a method that needs a network in training, if the task has none."""
    if task.regime != "frozen" or task.recipe.optimizer != "lbfgs":
        return
    changed = [one for one in _OF_STEPS if getattr(type(augmenter), one) is not _plain(one)]
    if augmenter.needs_model or changed:
        raise UsageError(
            f"{name or type(augmenter).__name__} learns from the steps of a network in training, "
            f"and {task.network} has none: its head is fitted to finished features. Expected a "
            "policy: leave this method out, or fine-tune the network (timm:NAME:pretrained)"
        )


def _plain(name: str) -> Any:
    return getattr(Augmenter, name)
