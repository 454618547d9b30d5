"""A distribution over sequences that is learned by gradient: a table of logits per position."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.augmenters import inverse
from automorph.operations import SearchSpace, Stream, weighted
from automorph.policies import Step, SubPolicy

LEVELS = 10
"""Number of equally spaced magnitudes."""


class Choices(nn.Module):
    """log p = sum over positions of log p(op) + log p(fire | op) + [fire] log p(level | op).

    Operations and levels start uniform, and probabilities at one half. In double precision, so that
    the order of summation changes no decision.
    """

    def __init__(self, length: int, operations: int, levels: int = LEVELS) -> None:
        super().__init__()
        self.operation = nn.Parameter(torch.zeros(length, operations, dtype=torch.float64))
        self.chance = nn.Parameter(torch.zeros(length, operations, dtype=torch.float64))
        self.level = nn.Parameter(torch.zeros(length, operations, levels, dtype=torch.float64))

    @torch.no_grad()
    def draw(self, uniform: NDArray[np.float32]) -> Tensor:
        """Draw decisions int64 ``(n, length, 3)``: operation, fires, level."""
        u = torch.from_numpy(uniform).double().reshape(len(uniform), -1, 3)
        drawn = []
        for position in range(u.shape[1]):
            logits = self.operation[position].expand(len(u), -1)
            op = inverse(logits.softmax(dim=1), u[:, position, 0])
            fires = (u[:, position, 1] < self.chance[position, op].sigmoid()).long()
            level = inverse(self.level[position, op].softmax(dim=1), u[:, position, 2])
            drawn.append(torch.stack([op, fires, level], dim=1))
        return torch.stack(drawn, dim=1)

    def log_probability(self, decisions: Tensor) -> Tensor:
        """Return log p of decisions ``(n, length, 3)``: ``(n,)``."""
        op, fires, level = decisions.unbind(dim=2)
        position = torch.arange(op.shape[1]).expand_as(op)
        chosen = self.operation.log_softmax(dim=1)[position, op]
        logit = self.chance[position, op]
        fired = nn.functional.logsigmoid(torch.where(fires > 0, logit, -logit))
        strength = self.level.log_softmax(dim=2)[position, op, level]
        return (chosen + fired + fires * strength).sum(dim=1)


def choices_loss(log_p: Tensor, reward: Tensor) -> Tensor:
    """Return -mean (R - mean of the example's other rewards) log p, for ``(n, draws)`` draws.

    The leave-one-out baseline (Kool, van Hoof, Welling 2019) does not depend on the draw from which
    it is subtracted, so the gradient is that of -E[R], without bias, for any number of draws >= 2.
    """
    count = reward.shape[1]
    rest = (reward.sum(dim=1, keepdim=True) - reward) / (count - 1)
    return -((reward - rest).detach() * log_p).mean()


def drawn(facts: dict[str, Any], space: SearchSpace, count: int, *, seed: int) -> list[SubPolicy]:
    """Draw sub-policies from the distribution of a run, each step with its learned probability."""
    operation, chance, level = (np.asarray(facts[k]) for k in ("operation", "chance", "level"))
    length = len(operation)
    u = Stream(seed=seed, index=np.arange(count)).uniform("gradient search", 2 * length)
    subpolicies = []
    for row in u.reshape(count, length, 2).tolist():
        steps = []
        for position, (first, second) in enumerate(row):
            op = int(weighted(operation[position], first))
            magnitude = int(weighted(level[position, op], second)) / (level.shape[2] - 1)
            steps.append(Step(space.names[op], float(chance[position, op]), magnitude))
        subpolicies.append(tuple(steps))
    return subpolicies
