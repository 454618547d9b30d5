"""The adaptive rule: as hard as unseen data, and nothing that an operation has destroyed.

The released code of uncertainty sampling draws candidates in proportion to their loss l. Here

    P(candidate) ~ g * l * exp(-l / T)

has two factors more.

- The temperature T is the loss that the model has on data it has not seen: the validation loss of
  the last epochs. Up to T harder is better, as in the published rule; beyond it, worse. So the
  gap between training and validation steers the hardness, example by example: a model that has
  learned its training examples by heart (candidates far below T) gets the hardest views, one that
  cannot yet fit them (candidates beyond T) the easiest. T to infinity is the published rule.
- The guard g tells destroyed candidates from informative ones: under an operation and level that
  destroys, the model recognises next to nothing of what it recognises elsewhere, whichever the
  example. One candidate cannot show this, the thousands of an epoch do.

Both change between epochs only. Of the validation part one number an epoch is used. Without
one, T is the mean loss of the candidates.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.online.reduce import summed

Floats = NDArray[np.float64]

MEMORY = 0.5
"""What is kept of temperature and counts from epoch to epoch."""
HALF = 0.5
"""An operation is free of suspicion if the model recognises this share of what it else does."""
PRIOR = 20.0
"""Sightings without suspicion that every operation starts with."""


def weights(excess: Floats, guard: Floats, temperature: float) -> Floats:
    """The weights ``(n, c)`` of candidates: g l exp(-l / T).

    >>> w = weights(np.array([[0.01, 0.5, 4.0]]), np.ones((1, 3)), 0.5)
    >>> int(w.argmax())
    1
    """
    # The smallest l stands in for 0, so that an example that is known by heart has a choice too.
    floor = np.maximum(excess, 1e-6)
    # Only ratios within an example count; without the shift all of a hard one would be 0.
    beyond = (floor - floor.min(axis=1, keepdims=True)) / temperature
    return np.asarray(guard * floor * np.exp(-beyond))


class Adaptive:
    """Temperature and guard of a run; ``cells`` are (operation, level) pairs."""

    def __init__(self, cells: int, classes: int) -> None:
        self.temperature = math.inf
        self.chance = 1.0 / classes
        # Of candidates in which a cell fired, and (last) of all: how many, and how many right.
        self.kept = np.zeros((2, cells + 1))
        self.seen = np.zeros((2, cells + 1))
        self.loss = np.zeros(2)

    def weights(self, excess: Floats, right: NDArray[np.bool_], cells: NDArray[np.int64]) -> Floats:
        """The weights ``(n, c)``; notes what the scores say. ``cells`` is ``(n * c, length)``."""
        self._note(excess, right.ravel(), cells)
        return weights(excess, self.trust(cells).reshape(excess.shape), self.temperature)

    def trust(self, cells: NDArray[np.int64]) -> Floats:
        """The guard g in [0, 1] of sequences: the product over their operations, ``(rows,)``."""
        table = np.append(self.guard(), 1.0)  # Number -1, no operation, is beyond suspicion.
        return np.asarray(table[cells].prod(axis=1))

    def guard(self) -> Floats:
        """g of every cell: what is recognised under it, beyond chance, over half of the usual."""
        count, right = self.kept
        usual = right[-1] / count[-1] - self.chance if count[-1] else 0.0
        if usual <= 0.05:  # A model that knows nothing cannot tell.
            return np.ones(len(count) - 1)
        above = right[:-1] - self.chance * count[:-1] + PRIOR * usual
        return np.clip(above / (count[:-1] + PRIOR) / (HALF * usual), 0.0, 1.0)

    def _note(self, excess: Floats, right: NDArray[np.bool_], cells: NDArray[np.int64]) -> None:
        self.loss += excess.sum(), excess.size
        # Every view counts for the cell "all" once.
        everywhere = np.full((len(cells), 1), self.seen.shape[1] - 1)
        fired = np.concatenate([cells, everywhere], axis=1)
        row, _ = np.nonzero(fired >= 0)
        cell = fired[fired >= 0]
        size = self.seen.shape[1]
        self.seen[0] += np.bincount(cell, minlength=size)
        self.seen[1] += np.bincount(cell, weights=right[row], minlength=size)

    def end_epoch(self, unseen: float | None, device: torch.device) -> None:
        """Steer by the loss on unseen data (None: by the mean loss of the candidates)."""
        seen, loss = (
            summed(torch.from_numpy(sums), device).numpy() for sums in (self.seen, self.loss)
        )
        self.kept = MEMORY * self.kept + seen
        mean = float(loss[0] / max(loss[1], 1.0))
        now = max(mean if unseen is None else unseen, 1e-3)
        known = math.isfinite(self.temperature)
        self.temperature = self.temperature**MEMORY * now ** (1 - MEMORY) if known else now
        self.seen[:], self.loss[:] = 0.0, 0.0

    def state_dict(self) -> dict[str, Tensor]:
        """Temperature and counts."""
        return {
            "classes": torch.tensor(round(1 / self.chance)),
            "temperature": torch.tensor(self.temperature, dtype=torch.float64),
            "counts": torch.from_numpy(self.kept.copy()),
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take back what ``state_dict`` gave."""
        self.temperature = float(state["temperature"])
        self.kept = state["counts"].cpu().numpy().copy()
