"""The adaptive rule: views as hard as unseen data, and none that an operation has destroyed.

    P(candidate) ~ g * min(l, log k)^b

- With the loss l and the exponent b (an inverse temperature of log l) this is every published rule:
  b = 1 draws in proportion to the loss, 0 at random, and plus and minus infinity are the highest
  and the lowest loss. Here training steers b: up where the views that were trained on are easier
  for the model than data it has not seen, down where they are harder,

      b <- b + GAIN * log(loss on unseen data / loss on the views that were chosen).

  A model that has learned its examples by heart gets harder views, one that cannot fit them gets
  easier ones, and the gap between training and validation loss closes from either side.
- Knowing nothing costs log k, with k classes; what costs more is not harder, only more wrong.
- The guard g tells destroyed candidates from informative ones: under an operation and level that
  destroys, the model recognises next to nothing of what it recognises elsewhere, whichever the
  example. One candidate cannot show this, the thousands of an epoch do.

All change between epochs only. Of the validation part one number an epoch is used; without one, b
stays at 1.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.online.reduce import summed

Floats = NDArray[np.float64]

GAIN = 2.0
"""Of four candidates, b + 1 raises the log of the loss by about 0.4: most of a gap in one epoch."""
STEEPEST = 4.0
"""Beyond this b hardly differs from the highest, or the lowest, loss."""
MEMORY = 0.5
"""What is kept of the guard's counts from epoch to epoch."""
HALF = 0.5
"""An operation is free of suspicion if the model recognises this share of what it else does."""
PRIOR = 10.0
"""Sightings without suspicion that every operation starts with."""


def weights(excess: Floats, guard: Floats, exponent: float, most: float = math.inf) -> Floats:
    """The weights ``(n, c)`` of candidates: g min(l, most)^b, up to a factor for each example.

    >>> weights(np.array([[0.1, 0.4, 0.2]]), np.ones((1, 3)), 1.0).round(3)
    array([[0.25, 1.  , 0.5 ]])
    """
    # The smallest l stands in for 0, so that an example that is known by heart has a choice too.
    logs = exponent * np.log(np.clip(excess, 1e-6, most))
    return np.asarray(guard * np.exp(logs - logs.max(axis=1, keepdims=True)))


class Adaptive:
    """Exponent and guard of a run; ``cells`` is the number of (operation, level) pairs."""

    def __init__(self, cells: int, classes: int) -> None:
        self.exponent = 1.0
        self.classes = classes
        self.unseen = math.log(classes)
        # Of candidates in which a cell fired, and (last) of all: how many, and how many right.
        self.kept = np.zeros((2, cells + 1))
        self.seen = np.zeros((2, cells + 1))

    def weights(self, excess: Floats, right: NDArray[np.bool_], cells: NDArray[np.int64]) -> Floats:
        """The weights ``(n, c)``; notes what the scores say. ``cells`` is ``(n * c, length)``."""
        self._note(right.ravel(), cells)
        guard = self.trust(cells).reshape(excess.shape)
        return weights(excess, guard, self.exponent, math.log(self.classes))

    def trust(self, cells: NDArray[np.int64]) -> Floats:
        """The guard g in [0, 1] of sequences: the product over their operations, ``(rows,)``."""
        table = np.append(self.guard(), 1.0)  # Number -1, no operation, is beyond suspicion.
        return np.asarray(table[cells].prod(axis=1))

    def guard(self) -> Floats:
        """g of every cell: what is recognised under it, beyond chance, over half of the usual."""
        count, right = self.kept
        chance = 1 / self.classes
        usual = right[-1] / count[-1] - chance if count[-1] else 0.0
        if usual <= 0.05:  # A model that knows nothing cannot tell.
            return np.ones(len(count) - 1)
        above = right[:-1] - chance * count[:-1] + PRIOR * usual
        return np.clip(above / (count[:-1] + PRIOR) / (HALF * usual), 0.0, 1.0)

    def _note(self, right: NDArray[np.bool_], cells: NDArray[np.int64]) -> None:
        # Every view counts for the cell "all" once.
        size = self.seen.shape[1]
        fired = np.concatenate([cells, np.full((len(cells), 1), size - 1)], axis=1)
        row, _ = np.nonzero(fired >= 0)
        cell = fired[fired >= 0]
        self.seen[0] += np.bincount(cell, minlength=size)
        self.seen[1] += np.bincount(cell, weights=right[row], minlength=size)

    def end_epoch(self, unseen: float | None, chosen: float, device: torch.device) -> None:
        """Steer, given the losses on unseen data (None: not known) and on the chosen views.

        The views were met in the course of the epoch, so they are held against unseen data at its
        beginning and at its end.
        """
        self.kept = MEMORY * self.kept + summed(torch.from_numpy(self.seen), device).numpy()
        self.seen = np.zeros_like(self.seen)
        if unseen is None or not chosen > 0:
            return
        before, self.unseen = self.unseen, max(unseen, 1e-4)
        gap = 0.5 * math.log(before * self.unseen) - math.log(chosen)
        steered = self.exponent + GAIN * gap
        self.exponent = max(-STEEPEST, min(STEEPEST, steered))

    def state_dict(self) -> dict[str, Tensor]:
        """Exponent, counts and what they rest on."""
        facts = [self.exponent, self.unseen, self.classes]
        return {
            "adaptive": torch.tensor(facts, dtype=torch.float64),
            "counts": torch.from_numpy(self.kept.copy()),
        }

    @classmethod
    def from_state_dict(cls, state: dict[str, Tensor]) -> Adaptive:
        """The rule as it was when ``state_dict`` was called."""
        exponent, unseen, classes = state["adaptive"].tolist()
        counts = state["counts"].cpu().numpy().copy()
        rule = cls(counts.shape[1] - 1, int(classes))
        rule.exponent, rule.unseen, rule.kept = exponent, unseen, counts
        return rule
