"""The training loop: an epoch is a plain walk over its batches."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from automorph.errors import UsageError
from automorph.models import Modes
from automorph.training.augmenter import Augmenter
from automorph.training.base import BaseTraining
from automorph.training.batch import Batch, Units
from automorph.training.checkpoint import prefixed, under
from automorph.training.convergence import Convergence, is_measured
from automorph.training.ddp import share_model
from automorph.training.device import Machine
from automorph.training.meter import Meter
from automorph.training.optimiser import Average, make_optimiser
from automorph.training.precision import Chosen, casting
from automorph.training.progress import Shown
from automorph.training.result import Epoch
from automorph.training.schedule import cooldown_epochs, learning_rate, longest_stable
from automorph.training.task import Task, torch_seed


class Training(BaseTraining):
    """A training by steps along gradients: optimiser, weight average, schedule."""

    def __init__(
        self,
        task: Task,
        augmenter: Augmenter,
        *,
        seed: int,
        machine: Machine,
        precision: Chosen,
        workers: int = 0,
        counted: bool = True,
    ) -> None:
        super().__init__(
            task, augmenter, seed=seed, machine=machine, precision=precision, workers=workers,
            counted=counted,
        )  # fmt: skip
        self.shared = share_model(self.model, machine)
        self.modes = Modes(self.model)
        self.optimiser = make_optimiser(self.model, self.recipe)
        decay = self.recipe.ema_decay
        self.average = None if decay is None else Average(self.model, decay)
        self.scaler = torch.amp.GradScaler(machine.device.type, enabled=precision == "fp16")
        self.best: dict[str, Tensor] | None = None
        stable = self.recipe.schedule == "stable"
        self.stable_epochs = longest_stable(self.recipe) if stable else None
        self.convergence = Convergence(self.model) if stable else None

    @property
    def last_epoch(self) -> int:
        """The number of epochs of the whole training, as far as is known now."""
        if self.stable_epochs is None:
            return self.recipe.epochs
        return self.stable_epochs + cooldown_epochs(self.recipe, self.stable_epochs)

    @property
    def converged(self) -> bool | None:
        """Whether the constant phase had converged; None if that is not known."""
        if self.convergence is None or not self.convergence.epochs:
            return None
        return self.convergence.reached

    def cool_down(self) -> None:
        """Let the rate fall from here on; the training then ends at `last_epoch`."""
        self.stable_epochs = self.epoch

    @property
    def kept(self) -> nn.Module:
        """The network that is evaluated: the weight average if there is one."""
        return self.model if self.average is None else self.average.model

    def run_epoch(self, shown: Shown, *, validate: bool) -> None:
        """Train one epoch, evaluate the validation part if asked to, and record both."""
        began = time.perf_counter()
        epoch, units = self.epoch, Units()
        # Seeded for each epoch, so that dropout in a resumed run is the same as without a stop.
        torch.manual_seed(torch_seed(self.seed, "epoch", epoch=epoch, process=self.machine.process))
        self.modes.restore()
        meter = Meter(self.machine, target=self.task.target, epoch=epoch, steps=self.steps)
        lr = self.recipe.lr
        made = self.loader.epoch(epoch, self.model, last_epoch=self.last_epoch)
        with closing(made) as batches:
            for step, batch in enumerate(batches, start=epoch * self.steps):
                lr = learning_rate(self.recipe, step, self.steps, self.stable_epochs)
                rows = self.machine.count(len(batch))
                losses, correct = self.step(batch, lr, rows)
                meter.add(losses, correct, rows=rows, lr=lr)
                units += Units(batch.passed, batch.passed) + self.augmenter.units()
                self.augmenter.feedback(losses)
                if self.average is not None:
                    self.average.update(self.model, step)
                if self.convergence is not None and epoch < (self.stable_epochs or 0):
                    self.convergence.average.update(self.model, step)
                shown.step()
        loss, accuracy = meter.close(lr)
        self.units += Units(*(self.machine.count(n) for n in (units.forward, units.backward)))
        # Of adjusted logits as in the training, so that the curves can be compared.
        target = self.loader.balance.target
        seen = self.evaluate("validation", target=target) if validate else None
        if seen is not None:
            meter.check(seen.loss, lr)
        score = None if seen is None else self.augmenter.judge(seen)
        best_before = max((_standing(e) for e in self.curves), default=-math.inf)
        record = Epoch(
            epoch=epoch + 1,
            lr=lr,
            loss=loss,
            accuracy=accuracy,
            validation_loss=None if seen is None else seen.loss,
            validation_accuracy=None if seen is None else seen.accuracy,
            validation_score=score,
            seconds=time.perf_counter() - began,
        )
        self.curves.append(replace(record, augmenter=self.augmenter.end_epoch(record)))
        if self.recipe.select == "best" and score is not None and score > best_before:
            self.best = {name: value.clone() for name, value in self.kept.state_dict().items()}
        if self.convergence is not None and "validation" in self.task.data.parts:
            self._measure(self.convergence)
        shown.epoch(self.curves[-1], self.last_epoch)

    def _measure(self, convergence: Convergence) -> None:
        """Measure the averaged network if it is time; begin to cool down if it has converged.

        While the rate still rises, a loss that does not fall says nothing.
        """
        stable = self.recipe.warmup_epochs < self.epoch <= (self.stable_epochs or 0)
        if not (stable and is_measured(self.epoch)):
            return
        # Balanced networks predict rare classes too often to be judged by the plain loss.
        target = self.loader.balance.as_common
        model = convergence.average.model
        convergence.add(self.epoch, self.evaluate("validation", model, target=target))
        if self.recipe.stop == "converged" and convergence.reached:
            self.cool_down()

    def step(self, batch: Batch, lr: float, rows: int) -> tuple[Tensor, Tensor]:
        """Take one optimiser step at rate ``lr`` on a batch of ``rows`` over all processes.

        Returns the losses ``(n,)`` and the number of correct predictions of this process's labelled
        rows.
        """
        losses, correct = [], []
        rest = batch.unlabelled
        rest_rows = 0 if rest is None else self.machine.count(len(rest))
        passes = self.machine.passes(rows // batch.views, self.recipe.accumulate)
        bounds = np.cumsum([0, *map(len, passes)]).tolist()
        for first, last in pairwise(bounds):
            piece = batch.part(slice(first, last))
            with self._gradients_stay(last < bounds[-1]):
                with casting(self.precision, self.machine.device):
                    logits, others = self._logits(piece)
                loss = self.augmenter.loss(logits, piece, smoothing=self.recipe.label_smoothing)
                weighted = loss if piece.weights is None else loss * piece.weights
                # DDP averages gradients over processes; the mean over all rows is needed.
                mean = weighted.sum() * (self.machine.processes / rows)
                if others is not None and len(others):
                    further = self.augmenter.unlabelled_loss(others, piece)
                    mean = mean + further.sum() * (self.machine.processes / rest_rows)
                torch.autograd.backward(self.scaler.scale(mean))
            losses.append(loss.detach())
            target = piece.target
            right = target.correct(target.predict(logits), target.decode(piece.labels))
            correct.append(right.sum())
        self._descend(lr)
        return torch.cat(losses), torch.stack(correct).sum()

    def _logits(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return the logits of the labelled and of the unlabelled rows, in one pass."""
        rest = batch.unlabelled
        inputs = batch.arguments
        if rest is not None:
            inputs = (torch.cat([batch.inputs, rest.inputs]),)
        try:
            logits: Tensor = self.shared(*inputs)
        except TypeError as error:
            if batch.partner is None:
                raise
            raise UsageError(
                "mixup blends word embeddings inside the network, which "
                f"{type(self.model).__name__} does not support: add the arguments partner=None "
                "(words of the other text) and share=None to its forward method, or train "
                "without mixup"
            ) from error
        return (logits, None) if rest is None else (logits[: len(batch)], logits[len(batch) :])

    def choose(self) -> int:
        """Load the weights of the chosen epoch into `kept`; return its number, from 1."""
        if self.best is None:
            return self.epoch
        self.kept.load_state_dict(self.best)
        return 1 + max(range(self.epoch), key=lambda i: _standing(self.curves[i]))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything the next epoch needs: tensors, and facts for JSON."""
        measured = self.convergence.state() if self.convergence else ({}, {})
        tensors = {
            **prefixed("model", self.model.state_dict()),
            **prefixed("optimiser", self.optimiser.state_dict()),
            **prefixed("average", self.average.model.state_dict() if self.average else {}),
            **prefixed("best", self.best or {}),
            **prefixed("convergence", measured[0]),
            **prefixed("augmenter", self.augmenter.state_dict()),
        }
        return tensors, {
            "curves": [asdict(epoch) for epoch in self.curves],
            "units": asdict(self.units),
            "scaler": self.scaler.state_dict(),
            "convergence": measured[1],
            "stable_epochs": self.stable_epochs,
        }

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.model.load_state_dict(under("model", tensors))
        self.optimiser.load_state_dict(under("optimiser", tensors))
        if self.average is not None:
            self.average.model.load_state_dict(under("average", tensors))
        self.best = under("best", tensors) or None
        self.augmenter.load_state_dict(under("augmenter", tensors))
        self.curves = [Epoch(**epoch) for epoch in facts["curves"]]
        self.units = Units(**facts["units"])
        if self.convergence is not None:
            self.convergence.restore(under("convergence", tensors), facts["convergence"])
            self.stable_epochs = facts["stable_epochs"]
        self.scaler.load_state_dict(facts["scaler"])

    def _descend(self, lr: float) -> None:
        # The scaler's type hint asks for a PyTorch optimiser, but it uses only what ours provides.
        optimiser = cast(torch.optim.Optimizer, self.optimiser)
        self.optimiser.lr = lr
        if self.recipe.clip_norm is not None:
            self.scaler.unscale_(optimiser)
            nn.utils.clip_grad_norm_(self.optimiser.weights, self.recipe.clip_norm)
        self.scaler.step(optimiser)
        self.scaler.update()
        self.optimiser.clear()

    def _gradients_stay(self, stay: bool) -> AbstractContextManager[None]:
        """Accumulate gradients locally, without averaging them over the processes yet."""
        if stay and isinstance(self.shared, DistributedDataParallel):
            return self.shared.no_sync()
        return nullcontext()


def _standing(epoch: Epoch) -> float:
    """Return the score that selects the best epoch; older runs recorded accuracy only."""
    scored = epoch.validation_score is not None
    found = epoch.validation_score if scored else epoch.validation_accuracy
    return -math.inf if found is None else found  # Scores of errors are below 0.
