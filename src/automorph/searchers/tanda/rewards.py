"""From the discriminator's scores of every prefix to the gradient of the generator.

Ratner, Ehrenberg, Hussain, Dunnmon, Re, "Learning to compose domain-specific transformations for
data augmentation" (NIPS 2017), section 4; signs, sums and the non-saturating loss follow the
released code. Rewards are costs here: the generator minimises them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from automorph.errors import UsageError

Kind = Literal["bounded", "published", "none"]


@dataclass(frozen=True)
class Diversity:
    """Cost of staying close to the original example: a function of the squared distance.

    - ``bounded``: w exp(-d / s), at most w. The scale s follows the data: a share of the mean
      distance between different examples.
    - ``published``: w / (d + 1e-6). It has a pole: w = 1e-4 gives 100 where nothing moved, hundreds
      of times the discriminator's cost, so operations that undo each other are never combined, and
      the generator ends with one direction out of the data.
    - ``none``: 0.

    >>> Diversity("bounded", weight=0.1, scale=0.5)(torch.tensor([0.0, 1.0]), typical=2.0)
    tensor([0.1000, 0.0368])
    """

    kind: Kind = "bounded"
    weight: float = 0.1
    scale: float = 0.1
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        if self.kind not in ("bounded", "published", "none"):
            raise UsageError(
                f"got the diversity {self.kind!r}; expected bounded, published or none"
            )
        if not (self.weight >= 0 and self.scale > 0 and self.epsilon > 0):
            raise UsageError(
                f"got a diversity with weight {self.weight}, scale {self.scale} and epsilon "
                f"{self.epsilon}; expected a weight of at least 0, and the others above 0"
            )

    def __call__(self, distance: Tensor, typical: float) -> Tensor:
        """Return the costs of distances; ``typical`` is the distance of different examples."""
        if self.kind == "published":
            return self.weight / (distance + self.epsilon)
        if self.kind == "none":
            return torch.zeros_like(distance)
        return self.weight * torch.exp(-distance / max(self.scale * typical, 1e-12))


def costs(logits: Tensor, features: Tensor, diversity: Diversity) -> Tensor:
    """Return l_t = -log D(x_t) + diversity(|phi(x) - phi(x_t)|^2), ``(n, L + 1)``; x_0 = x.

    ``logits`` ``(n, L + 1)`` and ``features`` ``(n, L + 1, d)`` are the discriminator's; squares
    are means over the d features.
    """
    distance = (features - features[:, :1]).square().mean(dim=2)
    return softplus(-logits) + diversity(distance, typical_distance(features[:, 0]))


def typical_distance(features: Tensor) -> float:
    """Return the mean squared distance of two rows of ``(n, d)``: twice the variance."""
    return 2.0 * float(features.var(dim=0, unbiased=False).mean())


def increments(cost: Tensor) -> Tensor:
    """Return r_t = l_t - l_{t-1}, ``(n, L)`` of ``(n, L + 1)``: the cost of each operation."""
    return cost[:, 1:] - cost[:, :-1]


def discount_matrix(length: int, discount: float) -> Tensor:
    """Return gamma^(i - t) where i >= t, else 0, ``(L, L)``; 0^0 = 1.

    >>> discount_matrix(3, 0.5)
    tensor([[1.0000, 0.0000, 0.0000],
            [0.5000, 1.0000, 0.0000],
            [0.2500, 0.5000, 1.0000]])
    """
    position = torch.arange(length)
    power = (position[:, None] - position).clamp(min=0)
    return torch.tensor(float(discount)).pow(power).tril()


def advantages(increment: Tensor, discount: float) -> Tensor:
    """Return A_t = G_t - mean over rows, of the future costs G_t = sum_{i >= t} gamma^(i-t) r_i."""
    matrix = discount_matrix(increment.shape[1], discount).to(increment)
    to_come = increment @ matrix
    return to_come - baseline(to_come)


def baseline(to_come: Tensor) -> Tensor:
    """Return the mean over the batch for each position, ``(L,)``."""
    return to_come.mean(dim=0)


def reinforce_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Return sum_{n,t} log pi(tau_{n,t}) A_{n,t}, not averaged, as released."""
    return (log_prob * advantage.detach()).sum()
