"""The adaptive rule: as hard as the training can bear, between no draw and the proportional rule.

One number h in [0, 1] says how hard. Candidates are drawn with h of their magnitudes (see
`automorph.augmenters.scaled`), and of them

    P(candidate) ~ g * min(l, log k)^h

is trained on: h = 0 trains on what stands around the method alone, and nothing is scored; h = 0.6
has the mean magnitude of RandAugment's m = 9; h = 1 is the proportional rule at full magnitudes.
After every epoch

    h <- h + GAIN * log(t * loss on unseen data / loss on the views that were trained on),
    t = SHARE * (1 + learning rate / its highest).

- A model that learns its examples by heart, so that they cost it less than t of what unseen ones
  do, gets harder views; one that cannot fit them gets easier ones. Training starts with the
  easiest: a model that never fits its examples never meets others.
- The best of trainings end with examples that cost about half of what unseen ones do, and begin
  with a share of 1. So t falls with the learning rate, and whether a model is going to learn by
  heart is known early: hard views come in the middle, milder ones at the end.
- Knowing nothing costs log k, with k classes; what costs more is not harder, only more wrong.
- The guard g tells destroyed candidates from informative ones: under an operation and level that
  destroys, the model recognises next to nothing of what it recognises elsewhere, whichever the
  example. One candidate cannot show this, the thousands of an epoch do.
- In steps without scores the losses are foreseen: log l is taken to be the sum, over operations, of
  how much each (operation, level) raised it in the epochs before. Only what is chosen is drawn.
  With a single candidate nothing is ever scored, and h steers the magnitudes alone.

All change between epochs only. Of the validation part one number an epoch is used; without one, h
is HALFWAY from the second epoch on.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.augmenters.distributed import summed

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]

GAIN = 0.3
"""From the plain example to full strength in five epochs, if the loss is half of what it may be."""
SHARE = 0.45
"""Below this share of the loss on unseen data, what is trained on in the end is too easy."""
HALFWAY = 0.5
"""How hard views are if nothing tells."""
MEMORY = 0.5
"""What is kept of the counts from epoch to epoch."""
HALF = 0.5
"""An operation is free of suspicion if the model recognises this share of what it else does."""
PRIOR = 10.0
"""Sightings without suspicion, and without effect, that every operation starts with."""


def log_loss(excess: Floats, classes: int) -> Floats:
    """log min(l, log k), finite: the smallest l stands in for 0.

    >>> log_loss(np.array([1.0, 9.0]), classes=3).round(3)
    array([0.   , 0.094])
    """
    return np.asarray(np.log(np.clip(excess, 1e-6, math.log(classes))))


def weights(logs: Floats, guard: Floats, exponent: float) -> Floats:
    """The weights ``(n, c)`` of candidates: g exp(b log l), up to a factor for each example.

    >>> weights(np.log([[0.1, 0.4, 0.2]]), np.ones((1, 3)), 1.0).round(3)
    array([[0.25, 1.  , 0.5 ]])
    """
    powers = exponent * logs
    return np.asarray(guard * np.exp(powers - powers.max(axis=1, keepdims=True)))


class Adaptive:
    """Strength, guard and table of a run; ``cells`` is the number of (operation, level) pairs."""

    def __init__(self, cells: int, classes: int) -> None:
        self.strength = 0.0
        self.classes = classes
        self.unseen = math.log(classes)
        self.peak = 0.0
        # Of candidates in which a cell fired, and (last) of all: how many, how many right, and the
        # sum of log l.
        self.kept = np.zeros((3, cells + 1))
        self.seen = np.zeros((3, cells + 1))

    def weights(self, excess: Floats, right: NDArray[np.bool_], cells: Cells) -> Floats:
        """The weights ``(n, c)``; notes what the scores say. ``cells`` is ``(n * c, length)``."""
        logs = log_loss(excess, self.classes)
        self._note(right.ravel(), logs.ravel(), cells)
        return weights(logs, self._product(self.guard(), cells, excess.shape), self.strength)

    def foreseen(self, cells: Cells, count: int) -> Floats:
        """The weights ``(n, count)`` of candidates that are not scored."""
        shape = (len(cells) // count, count)
        logs = np.append(self.effects(), 0.0)[cells].sum(axis=1).reshape(shape)
        return weights(logs, self._product(self.guard(), cells, shape), self.strength)

    def guard(self) -> Floats:
        """g of every cell: what is recognised under it, beyond chance, over half of the usual."""
        count, right, _ = self.kept
        chance = 1 / self.classes
        usual = right[-1] / count[-1] - chance if count[-1] else 0.0
        if usual <= 0.05:  # A model that knows nothing cannot tell.
            return np.ones(len(count) - 1)
        above = right[:-1] - chance * count[:-1] + PRIOR * usual
        return np.clip(above / (count[:-1] + PRIOR) / (HALF * usual), 0.0, 1.0)

    def effects(self) -> Floats:
        """By how much every cell raised the mean of log l."""
        count, _, logs = self.kept
        mean = logs[-1] / max(count[-1], 1.0)
        return np.asarray((logs[:-1] - mean * count[:-1]) / (count[:-1] + PRIOR))

    @staticmethod
    def _product(guard: Floats, cells: Cells, shape: tuple[int, ...]) -> Floats:
        # Number -1, no operation, is beyond suspicion.
        return np.asarray(np.append(guard, 1.0)[cells].prod(axis=1).reshape(shape))

    def _note(self, right: NDArray[np.bool_], logs: Floats, cells: Cells) -> None:
        # Every view counts for the cell "all" once.
        size = self.seen.shape[1]
        fired = np.concatenate([cells, np.full((len(cells), 1), size - 1)], axis=1)
        row, _ = np.nonzero(fired >= 0)
        cell = fired[fired >= 0]
        for total, values in zip(self.seen, (np.ones(len(cells)), right, logs), strict=True):
            total += np.bincount(cell, weights=values[row], minlength=size)

    def end_epoch(
        self, unseen: float | None, trained: float, device: torch.device, *, lr: float = 0.0
    ) -> None:
        """Steer, given the losses on unseen data (None: not known) and on what was trained on.

        The views were met in the course of the epoch, so they are held against unseen data at its
        beginning and at its end.
        """
        self.kept = MEMORY * self.kept + summed(torch.from_numpy(self.seen), device).numpy()
        self.seen = np.zeros_like(self.seen)
        if unseen is None:
            self.strength = HALFWAY
            return
        before, self.unseen = self.unseen, max(unseen, 1e-4)
        self.peak = max(self.peak, lr)
        target = SHARE * (1 + (lr / self.peak if lr else 0)) * math.sqrt(before * self.unseen)
        steered = self.strength + GAIN * math.log(target / max(trained, 1e-6))
        self.strength = max(0.0, min(1.0, steered))

    def state_dict(self) -> dict[str, Tensor]:
        """Strength, counts and what they rest on."""
        facts = [self.strength, self.unseen, self.peak, self.classes]
        return {
            "adaptive": torch.tensor(facts, dtype=torch.float64),
            "counts": torch.from_numpy(self.kept.copy()),
        }

    @classmethod
    def from_state_dict(cls, state: dict[str, Tensor]) -> Adaptive:
        """The rule as it was when ``state_dict`` was called."""
        strength, unseen, peak, classes = state["adaptive"].tolist()
        counts = state["counts"].cpu().numpy().copy()
        rule = cls(counts.shape[1] - 1, int(classes))
        rule.strength, rule.unseen, rule.peak, rule.kept = strength, unseen, peak, counts
        return rule
