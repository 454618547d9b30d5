"""Loss and accuracy of an epoch, and the check that stops a diverged training."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from automorph.errors import TrainingError
from automorph.targets import Target
from automorph.training.device import Machine

HOPELESS = 20.0
"""Mean loss of an epoch that counts as divergence, in multiples of ln(classes)."""


class Meter:
    """Sums over one epoch, of all processes. Raises `TrainingError` when the loss is not finite."""

    def __init__(self, machine: Machine, *, target: Target, epoch: int, steps: int) -> None:
        self.machine = machine
        self.guess = target.guess
        self.epoch = epoch
        self.steps = steps
        # Reading a value synchronises with the GPU, so many steps are read at once.
        self.patience = 1 if machine.device.type == "cpu" else 50
        self.pending: list[Tensor] = []
        self.seen = 0
        self.rows = 0
        self.loss = 0.0
        self.correct = 0.0

    def add(self, losses: Tensor, correct: Tensor, *, rows: int, lr: float) -> None:
        """Add a step: losses ``(n,)``, the correct predictions, the rows of all processes."""
        self.pending.append(torch.stack([losses.sum(), correct.to(losses.dtype)]))
        self.rows += rows
        if len(self.pending) == self.patience:
            self._read(lr)

    def close(self, lr: float) -> tuple[float, float]:
        """Return mean loss and accuracy of the epoch."""
        if self.pending:
            self._read(lr)
        loss = self.loss / self.rows
        if self.epoch > 0 and loss > HOPELESS * self.guess:
            raise self._error(f"the mean loss of the epoch is {loss:.3g}", self.steps, lr)
        return loss, self.correct / self.rows

    def check(self, loss: float, lr: float) -> None:
        """Stop when the validation loss is not finite: the weights have grown out of range."""
        if not math.isfinite(loss):
            raise self._error(f"the validation loss is {loss}", self.steps, lr)

    def _read(self, lr: float) -> None:
        sums = self.machine.sum(torch.stack(self.pending)).cpu().double()
        if not bool(sums[:, 0].isfinite().all()):
            first = int((~sums[:, 0].isfinite()).nonzero()[0])
            value = sums[first, 0].item()
            raise self._error(f"the loss is {value}", self.seen + first + 1, lr)
        self.seen += len(self.pending)
        self.loss += sums[:, 0].sum().item()
        self.correct += sums[:, 1].sum().item()
        self.pending.clear()

    def _error(self, what: str, step: int, lr: float) -> TrainingError:
        return TrainingError(
            f"the training diverged: {what} in epoch {self.epoch + 1}, step {step} of "
            f"{self.steps}, at a learning rate of {lr:.3g}. Try a rate of {lr / 3:.1g}, "
            "clip_norm=1, warmup_epochs=3, or precision fp32, in a new run folder"
        )
