"""Whether a training has converged: its validation loss has stopped improving beyond its noise.

At a constant rate the weights jitter, and the loss with them: by more than it improves in ten
epochs. The loss of their running average has little of this noise, and follows the loss that a
cool-down would reach. It is measured at epochs whose distance grows (8, 9, 11, 12, 14, 16, ..).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.targets import Target
from automorph.training.checkpoint import prefixed, under
from automorph.training.evaluation import Evaluation
from automorph.training.optimiser import Average

FOLDS = 5
MOST_ROWS = 2000
"""Losses of so many validation examples are kept: more do not change the decision."""
FIRST = 8
"""The epoch of the first measurement."""
BACK = 2
"""A measurement is compared with the second before, which a quarter of the epochs lie between."""
NOISE = 0.5
"""Improvements up to so many standard errors count as noise. One would be usual, but with few
examples it ended trainings at a third of their best length (CIFAR-10, 80 validation images)."""
IN_A_ROW = 2
"""So many comparisons in a row must find no improvement: a single one errs too often."""


class Convergence:
    """The average of a network's weights, and its validation losses at some epochs."""

    def __init__(self, model: nn.Module) -> None:
        self.average = Average(model)
        self.epochs: list[int] = []
        self.losses: list[Tensor] = []

    def add(self, epoch: int, seen: Evaluation) -> None:
        """Record what the averaged network gave after an epoch."""
        self.epochs.append(epoch)
        self.losses.append(torch.from_numpy(calibrated_losses(seen)))

    @property
    def reached(self) -> bool:
        """Whether the training had converged at the last measurement."""
        return has_converged([losses.numpy() for losses in self.losses])

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors, and facts for JSON."""
        losses = {"losses": torch.stack(self.losses)} if self.losses else {}
        return {**prefixed("average", self.average.model.state_dict()), **losses}, {
            "epochs": self.epochs
        }

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.average.model.load_state_dict(under("average", tensors))
        self.losses = list(tensors.get("losses", ()))
        self.epochs = list(facts["epochs"])


def is_measured(epoch: int) -> bool:
    """Whether the validation loss is measured after an epoch: 8 (4/3)^(k/2), rounded.

    >>> [epoch for epoch in range(1, 40) if is_measured(epoch)]
    [8, 9, 11, 12, 14, 16, 19, 22, 25, 29, 34, 39]
    """
    if epoch < FIRST:
        return False
    k = round(2 * math.log(epoch / FIRST, 4 / 3))
    return any(round(FIRST * (4 / 3) ** (n / 2)) == epoch for n in (k - 1, k, k + 1))


def has_converged(losses: Sequence[NDArray[np.floating]]) -> bool:
    """Whether the last of the measured losses, each ``(n,)``, have stopped improving.

    Two measurements in a row must not be better than those a quarter of the epochs before: the mean
    improvement over the examples is at most half its standard error. False for fewer measurements.

    >>> falling = [np.full(50, 2 - 0.1 * k) for k in range(8)]
    >>> has_converged(falling), has_converged([*falling, *falling[-1:] * 4])
    (False, True)
    """
    if len(losses) < BACK + IN_A_ROW:
        return False
    for place in range(-IN_A_ROW, 0):
        gain = np.subtract(losses[place - BACK], losses[place], dtype=np.float64)
        if gain.mean() > NOISE * gain.std() / math.sqrt(len(gain)):
            return False
    return True


def calibrated_losses(seen: Evaluation) -> NDArray[np.float32]:
    """Return losses after temperature scaling, float32, of at most 2,000 of the examples.

    Logits are divided by a temperature that is fitted on the other folds (Guo et al., "On
    calibration of modern neural networks", ICML 2017, section 4.2): while accuracy still rises, the
    plain loss of an overconfident network may already grow.

    >>> from automorph.targets import Classes
    >>> labels = np.arange(10) % 2
    >>> logits = np.eye(2, dtype=np.float32)[labels]
    >>> seen = Evaluation(logits, np.zeros(10, np.float32), labels, Classes(2))
    >>> bool(calibrated_losses(seen).max() < 0.1)  # Always right, so confidence rises.
    True
    """
    # Evenly spread: the examples may be sorted by class.
    rows = slice(None, None, math.ceil(len(seen.labels) / MOST_ROWS))
    kept, labels = seen.sample
    logits = torch.from_numpy(kept[rows])
    targets = torch.from_numpy(seen.target.encode(labels[rows]))
    losses = np.empty(len(logits), np.float32)
    for own, temperature in fold_temperatures(logits, targets, seen.target):
        losses[own.numpy()] = seen.target.loss(logits[own] / temperature, targets[own]).numpy()
    return losses


def fold_temperatures(
    logits: Tensor, targets: Tensor, target: Target, *, deviation: float | None = None
) -> Iterator[tuple[Tensor, float]]:
    """Yield the rows of each fold, bool ``(n,)``, and the temperature fitted on the other folds.

    It minimises their mean loss. With a ``deviation``, log T has a normal prior around 0, which
    matters where few rows are wrong: confidence alone would then lower the loss without end.
    """
    from scipy.optimize import minimize_scalar

    fold = torch.arange(len(logits)) % FOLDS
    for number in range(min(FOLDS, len(logits))):
        own, others = fold == number, fold != number
        if not others.any():  # One example: nothing to fit on.
            yield own, 1.0
            return
        precision = 0.0 if deviation is None else 0.5 / deviation**2 / int(others.sum())

        def cost(log_temperature: float, rows: Tensor, precision: float) -> float:
            losses = target.loss(logits[rows] / math.exp(log_temperature), targets[rows])
            return float(losses.mean(dtype=torch.float64)) + precision * log_temperature**2

        found = minimize_scalar(
            cost, bounds=(-3.0, 3.0), args=(others, precision), method="bounded",
            options={"xatol": 1e-2},
        )  # fmt: skip
        yield own, math.exp(float(found.x))
