"""Robust objectives: from the losses of a batch and their groups to the minimised value."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from automorph.robustness.consistency import Form, Reduction, consistency
from automorph.robustness.groups import Grouper
from automorph.targets import Classes


class Objective:
    """The mean loss (empirical risk); subclasses override parts of it.

    Objectives may have state between steps; ``state_dict`` lets runs resume.
    """

    def __call__(self, losses: Tensor, groups: Tensor) -> Tensor:
        """Return the minimised number, from losses ``(n,)`` and groups ``(n,)`` of a batch."""
        return losses.mean()

    def penalty(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor | float:
        """Return an added term, from logits ``(n, 1 + k, classes)`` of examples and renderings.

        ``labels`` are soft, ``(n, classes)``.
        """
        return 0.0

    def facts(self) -> dict[str, Any]:
        """Return plain data for the record of an epoch."""
        return {}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state that a resumed run needs."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the result of ``state_dict``."""


class GroupDRO(Objective):
    """The worst group's loss, found by exponentiated gradient ascent on weights of groups.

    Sagawa, Koh, Hashimoto, Liang (ICLR 2020), algorithm 1, with group adjustments (section 3.3).
    Every step, with L_g the mean loss of group g in the batch and n_g its training examples:

        L_g <- L_g + C / sqrt(n_g);   u_g <- u_g + eta L_g;   q = softmax(u);   loss = sum q_g L_g

    The softmax is over all groups or, if ``class_conditional``, over those of each class, which
    then weighs as much as it has groups (Goel et al. 2021): no hard class can take all weight.
    Gradients do not pass through q. A group that is absent from a batch keeps its u and adds
    nothing; one without training examples has weight 0.

    >>> grouper = Grouper(("a", "b"), ("x", "y"))
    >>> dro = GroupDRO(grouper, np.array([9, 1, 1, 9]), rate=0.5)
    >>> loss = dro(torch.tensor([1.0, 3.0, 1.0, 1.0]), torch.arange(4))
    >>> [round(weight, 3) for weight in dro.weights.tolist()]
    [0.175, 0.475, 0.175, 0.175]
    """

    def __init__(
        self,
        grouper: Grouper,
        counts: NDArray[np.int64],
        *,
        adjustment: float = 0.0,
        rate: float = 0.01,
        class_conditional: bool = False,
    ) -> None:
        present = torch.from_numpy(counts > 0)
        self.blocks = (
            torch.from_numpy(grouper.class_of) if class_conditional else torch.zeros(len(grouper))
        )
        self.blocks = self.blocks.to(torch.int64)
        self.rate = rate
        size = torch.from_numpy(counts).clamp(min=1).float()
        self.added = adjustment / size.sqrt()
        shares = torch.bincount(self.blocks[present], minlength=int(self.blocks.max()) + 1).float()
        self.shares = shares / shares.sum()
        self.u = torch.where(present, 0.0, -torch.inf)

    @property
    def weights(self) -> Tensor:
        """The weight of every group: q, times the weight of its class; they sum to 1."""
        q = torch.zeros_like(self.u)
        for block in range(len(self.shares)):
            rows = self.blocks == block
            if self.u[rows].isfinite().any():
                q[rows] = self.u[rows].softmax(dim=0)
        return q * self.shares[self.blocks]

    def __call__(self, losses: Tensor, groups: Tensor) -> Tensor:
        """Return the weighted sum of the groups' mean losses."""
        self._move(losses.device)
        means, seen = group_means(losses, groups, len(self.u))
        adjusted = means + self.added
        # An absent group has no loss: its adjustment alone must not raise its weight.
        self.u = self.u + self.rate * torch.where(seen, adjusted.detach(), 0.0)
        return (self.weights * torch.where(seen, adjusted, 0.0)).sum()

    def facts(self) -> dict[str, Any]:
        """Return the weights of the groups."""
        return {"weights": [round(value, 6) for value in self.weights.tolist()]}

    def state_dict(self) -> dict[str, Tensor]:
        """Return the logarithms of the weights."""
        return {"u": self.u}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the weights."""
        self.u = state["u"].clone()

    def _move(self, device: torch.device) -> None:
        for name in ("u", "added", "shares", "blocks"):
            setattr(self, name, getattr(self, name).to(device))


class Camel(GroupDRO):
    """Class-conditional group DRO on the examples, and consistency with their renderings.

    loss = SGDRO + weight * sum over g of the mean of L_c in group g (CAMEL, first called CLAMP:
    Goel et al. 2021, section 3, and the released code). ``reduction="mean"`` takes the mean of L_c
    over the batch instead, so that the weight does not depend on the number of groups.
    """

    def __init__(
        self,
        *args: Any,
        weight: float,
        form: Form = "camel",
        reduction: Reduction = "sum",
        **options: Any,
    ) -> None:
        super().__init__(*args, **options, class_conditional=True)
        self.weight = weight
        self.form: Form = form
        self.reduction: Reduction = reduction

    def penalty(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the weighted consistency of the examples with their renderings."""
        apart = consistency(logits.float().log_softmax(dim=2), self.form)
        if self.reduction == "mean":
            return self.weight * apart.mean()
        return self.weight * group_means(apart, groups, len(self.u))[0].sum()


class InvariantRisk(Objective):
    """IRMv1: one last layer must be optimal in all environments.

    Arjovsky et al. (2019), section 3.1. The environments are the groups, so that what predicts the
    class in most of them is penalised in the others.
    loss = mean over e of R_e + weight * (dR_e / ds)^2 at s = 1, R_e the mean loss of s * logits.
    The weight is 1 for the first ``anneal`` steps; the loss is divided by a weight above 1, as in
    the authors' code, so that the steps keep their size.
    """

    def __init__(self, groups: int, *, weight: float, anneal: int) -> None:
        self.groups = groups
        self.weight = weight
        self.anneal = anneal
        self.steps = 0

    @property
    def now(self) -> float:
        """The weight of this step."""
        return self.weight if self.steps >= self.anneal else min(1.0, self.weight)

    def __call__(self, losses: Tensor, groups: Tensor) -> Tensor:
        """Return the mean of the environments' mean losses."""
        means, seen = group_means(losses, groups, self.groups)
        return (means.sum() / seen.sum()) / max(1.0, self.now)

    def penalty(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the squared derivatives, each estimated without bias from two halves.

        Every other example of an environment belongs to its second half. Environments with a
        single example in the batch add nothing.
        """
        slopes = scale_slopes(logits[:, 0].float(), labels)
        members = (groups[:, None] == torch.arange(self.groups, device=groups.device)).long()
        turn = (members.cumsum(dim=0) * members).sum(dim=1) % 2
        means, seen = group_means(slopes, 2 * groups + turn, 2 * self.groups)
        both = seen.view(-1, 2).all(dim=1)
        weight = self.now / max(1.0, self.now)
        self.steps += 1
        return weight * (means.view(-1, 2).prod(dim=1) * both).sum() / both.sum().clamp(min=1)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the number of steps."""
        return {"steps": torch.tensor(self.steps)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the number of steps."""
        self.steps = int(state["steps"])


def scale_slopes(logits: Tensor, labels: Tensor) -> Tensor:
    """Return d CE(softmax(s z), y) / ds at s = 1 per example: sum_k (softmax(z)_k - y_k) z_k.

    >>> z, y = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.0, 1.0]])
    >>> round(scale_slopes(z, y).item(), 4)
    2.8577
    """
    return (Classes(labels.shape[1]).gradient(logits, labels) * logits).sum(dim=1)


def group_means(values: Tensor, groups: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the mean value of every group in a batch, and which groups are present.

    Both are ``(count,)``; the mean of an absent group is 0. In distributed training each process
    has some of the rows: counts are those of all processes, and the result is scaled so that its
    mean over processes, which the gradients become, is right.
    """
    zeros = torch.zeros(count, dtype=values.dtype, device=values.device)
    sums = zeros.index_add(0, groups, values)
    sizes = torch.bincount(groups, minlength=count).to(values.dtype)
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        processes = dist.get_world_size()
        dist.all_reduce(sizes)
        own = sums * processes
        total = sums.detach().clone()
        dist.all_reduce(total)
        # The value covers all rows, the gradient only those of this process.
        sums = total + own - own.detach()
    return sums / sizes.clamp(min=1), sizes > 0
