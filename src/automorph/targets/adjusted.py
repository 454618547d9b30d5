"""Logit adjustment: a loss under which a network learns classes as if they were equally common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from automorph.targets.classes import Classes

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class AdjustedClasses(Classes):
    """`Classes` whose loss adds tau log prior to the logits; decisions use the plain logits.

    ``shift`` has one number for each class. Menon et al., "Long-tail learning via logit
    adjustment", ICLR 2021, equation 10:

        loss(y, f(x)) = -log( exp(f_y(x) + tau log pi_y) / sum_k exp(f_k(x) + tau log pi_k) )

    The softmax of f + log pi fits the classes as often as they occur (pi), so that f itself ranks
    them as if all were equally common: for tau = 1 its largest entry minimises the balanced error.
    """

    shift: tuple[float, ...] = ()

    @classmethod
    def of(cls, counts: Sequence[int], *, tau: float = 1.0) -> Self:
        """Return the target for classes with these numbers of training examples, each above 0.

        >>> AdjustedClasses.of([3, 1]).shift
        (-0.287..., -1.386...)
        """
        total = sum(counts)
        return cls(len(counts), tuple(tau * math.log(count / total) for count in counts))

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy of the shifted logits, float32 ``(n,)``."""
        return super().loss(self._shifted(logits), targets, smoothing=smoothing)

    def gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """softmax(f + shift) - q."""
        return super().gradient(self._shifted(logits), targets)

    def _shifted(self, logits: Tensor) -> Tensor:
        exact = logits.float()
        return exact + exact.new_tensor(self.shift)
