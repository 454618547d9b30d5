"""A batch of sampled transformation sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
"""The operation number that stands for "no operation here"."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """What happens to each example: ``n`` sequences of at most ``L`` operations.

    ``op`` int16 ``(n, L)`` holds numbers into the search space (-1: nothing), ``magnitude`` float32
    ``(n, L)`` is in [0, 1], and ``fire`` bool ``(n, L)`` is the coin of the apply-probability. The
    coin is tossed when the sequences are sampled and never again: an example that was scored and
    the one that is trained on are the same.

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
                f"fire {self.fire.shape}; expected three times the same (n, L)"
            )

    @classmethod
    def of(cls, op: Any, magnitude: Any = 0.0, fire: Any = True) -> Sequences:
        """Sequences from anything array-like; magnitudes and coins broadcast to ``op``."""
        ops = np.ascontiguousarray(op, np.int16)
        magnitudes, fires = np.empty(ops.shape, np.float32), np.empty(ops.shape, np.bool_)
        magnitudes[...] = magnitude
        fires[...] = fire
        return cls(ops, magnitudes, fires)

    @classmethod
    def empty(cls, n: int) -> Sequences:
        """Sequences of length 0: nothing happens."""
        return cls.of(np.empty((n, 0), np.int16))

    def __len__(self) -> int:
        return len(self.op)

    @property
    def length(self) -> int:
        """The longest sequence, ``L``."""
        return int(self.op.shape[1])

    def take(self, rows: Any) -> Sequences:
        """Some of the sequences (numbers or a mask)."""
        return Sequences(self.op[rows], self.magnitude[rows], self.fire[rows])

    def then(self, other: Sequences, *, offset: int = 0) -> Sequences:
        """These sequences followed by others whose operation numbers are moved by ``offset``."""
        moved = np.where(other.op == NOTHING, NOTHING, other.op + offset).astype(np.int16)
        return Sequences(
            np.concatenate([self.op, moved], axis=1),
            np.concatenate([self.magnitude, other.magnitude], axis=1),
            np.concatenate([self.fire, other.fire], axis=1),
        )
