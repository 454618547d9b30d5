"""What was trained on: the realised distribution over operations, epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.augmenters.base import InTrainingMethod
from automorph.augmenters.distributed import summed
from automorph.operations import NOTHING, Sequences

LEVELS = 10
"""Magnitudes are told apart in so many equal steps."""


class Tally:
    """Counts of operations by level, for the stage of a chain that a method draws itself.

    ``take`` gets sequences of the whole chain; of its operations those from ``first`` on are the
    method's own.
    """

    def __init__(self, method: InTrainingMethod) -> None:
        self.first = sum(len(policy.space) for policy in method.before)
        space = method.inner.space
        self.names = space.names
        # Where the magnitude changes nothing there is one level.
        self.levels = np.array([1 if operation.magnitude_free else LEVELS for operation in space])
        self.fired = np.zeros((len(self.names), LEVELS))
        self.rows = 0

    def cells(self, sequences: Sequences) -> NDArray[np.int64]:
        """For each sequence and position the number of its (operation, level), -1 for none."""
        own = sequences.op - self.first
        counts = sequences.fire & (sequences.op != NOTHING) & (own >= 0) & (own < len(self.names))
        levels = self.levels[np.where(counts, own, 0)]
        level = np.minimum((sequences.magnitude * levels).astype(np.int64), levels - 1)
        return np.where(counts, own * LEVELS + level, -1)

    def take(self, cells: NDArray[np.int64]) -> None:
        """Count views that are trained on, by their `cells` ``(rows, length)``."""
        found = cells[cells >= 0]
        self.fired += np.bincount(found, minlength=self.fired.size).reshape(self.fired.shape)
        self.rows += len(cells)

    def close(self, device: torch.device) -> dict[str, Any]:
        """How often a view had each operation, and its mean magnitude, over all processes."""
        fired = summed(torch.from_numpy(self.fired), device).numpy()
        rows = int(summed(torch.tensor(self.rows), device))
        times = fired.sum(axis=1)
        middle = (np.arange(LEVELS) + 0.5) / LEVELS
        magnitude = fired @ middle / np.maximum(times, 1)
        share = times / max(rows, 1)
        self.fired, self.rows = np.zeros_like(fired), 0
        return {
            "operations": dict(zip(self.names, share.round(5).tolist(), strict=True)),
            "magnitudes": {
                name: round(float(mean), 4)
                for name, mean, levels in zip(self.names, magnitude, self.levels, strict=True)
                if levels > 1
            },
        }
