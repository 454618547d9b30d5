"""The realised distribution over operations of the trained views, epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.augmenters.base import InTrainingMethod
from automorph.augmenters.distributed import summed
from automorph.operations import NOTHING, Sequences

LEVELS = 10
"""Number of equal magnitude bins."""


class Tally:
    """Counts of operations by level, for the stage of a chain that a method draws itself.

    ``take`` gets sequences of the whole chain; the method's own operations are those from ``first``
    on.
    """

    def __init__(self, method: InTrainingMethod) -> None:
        self.first = sum(len(policy.space) for policy in method.before)
        space = method.inner.space
        self.names = space.names
        # An operation without a magnitude has one level.
        self.levels = np.array([1 if operation.magnitude_free else LEVELS for operation in space])
        self.fired = np.zeros((len(self.names), LEVELS))
        self.rows = 0

    def cells(self, sequences: Sequences) -> NDArray[np.int64]:
        """Return the (operation, level) index of each sequence and position, -1 for none."""
        own = sequences.op - self.first
        counts = sequences.fire & (sequences.op != NOTHING) & (own >= 0) & (own < len(self.names))
        levels = self.levels[np.where(counts, own, 0)]
        level = np.minimum((sequences.magnitude * levels).astype(np.int64), levels - 1)
        return np.where(counts, own * LEVELS + level, -1)

    def take(self, cells: NDArray[np.int64]) -> None:
        """Count trained views by their `cells` ``(rows, length)``."""
        fired_cells = cells[cells >= 0]
        self.fired += np.bincount(fired_cells, minlength=self.fired.size).reshape(self.fired.shape)
        self.rows += len(cells)

    def close(self, device: torch.device) -> dict[str, Any]:
        """Return the frequency and mean magnitude of each operation, over all processes."""
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
