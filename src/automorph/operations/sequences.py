"""A batch of sampled transformation sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
"""The operation number that means "no operation"."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of at most ``L`` operations, one for each of ``n`` examples.

    ``op`` int16 ``(n, L)`` holds indices into the search space (-1: no operation), ``magnitude``
    float32 ``(n, L)`` is in [0, 1], and ``fire`` bool ``(n, L)`` is the coin of the application
    probability. The coin is tossed once, when the sequences are sampled, so that the example that
    is scored and the one that is trained on are the same.

    >>> s = Sequences.of([[0, 2]], [[0.5, 1.0]])
    >>> s.op.shape, bool(s.fire.all())
    ((1, 2), True)
    """

    op: NDArray[np.int16]
    magnitude: NDArray[np.float32]
    fire: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if not self.op.shape == self.magnitude.shape == self.fire.shape or self.op.ndim != 2:
            raise ValueError(
                f"sequences have the shapes op {self.op.shape}, magnitude {self.magnitude.shape}, "
                f"fire {self.fire.shape}; expected one shape (n, L) for all three"
            )

    @classmethod
    def of(cls, op: Any, magnitude: Any = 0.0, fire: Any = True) -> Sequences:
        """Make sequences from array-likes; magnitudes and coins broadcast to ``op``."""
        ops = np.ascontiguousarray(op, np.int16)
        magnitudes, fires = np.empty(ops.shape, np.float32), np.empty(ops.shape, np.bool_)
        magnitudes[...] = magnitude
        fires[...] = fire
        return cls(ops, magnitudes, fires)

    @classmethod
    def empty(cls, n: int) -> Sequences:
        """Return ``n`` sequences of length 0, which change nothing."""
        return cls.of(np.empty((n, 0), np.int16))

    def __len__(self) -> int:
        return len(self.op)

    @property
    def length(self) -> int:
        """The length of the longest sequence, ``L``."""
        return int(self.op.shape[1])

    def take(self, rows: Any) -> Sequences:
        """Select sequences (indices or a mask)."""
        return Sequences(self.op[rows], self.magnitude[rows], self.fire[rows])

    def then(self, other: Sequences, *, offset: int = 0) -> Sequences:
        """Append other sequences whose operation numbers are shifted by ``offset``."""
        moved = np.where(other.op == NOTHING, NOTHING, other.op + offset).astype(np.int16)
        return Sequences(
            np.concatenate([self.op, moved], axis=1),
            np.concatenate([self.magnitude, other.magnitude], axis=1),
            np.concatenate([self.fire, other.fire], axis=1),
        )
