"""The losses of a CycleGAN: pure functions of tensors.

Zhu, Park, Isola and Efros, "Unpaired image-to-image translation using cycle-consistent adversarial
networks", ICCV 2017, equations 1 to 3 and section 5.2; cross-entropy as in Goodfellow et al. 2014.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Adversarial = Literal["least-squares", "cross-entropy"]


def adversarial(logits: Tensor, real: bool, kind: Adversarial = "least-squares") -> Tensor:
    """Return the distance of a map of logits from the verdict "all real", or "all generated".

    ``least-squares``: mean (logit - target)^2 with target 1 or 0 (Mao et al. 2017);
    ``cross-entropy``: mean of -log sigmoid(logit), or of -log sigmoid(-logit).

    >>> adversarial(torch.tensor([1.0, 0.0]), True).item()
    0.5
    """
    if kind == "least-squares":
        return (logits - float(real)).square().mean()
    return functional.softplus(-logits if real else logits).mean()


@dataclass(frozen=True, eq=False)
class Made:
    """All outputs of one step for a batch of each subgroup, each ``(n, C, H, W)``.

    ``G`` maps a to b, ``F`` maps b to a.
    """

    b_of_a: Tensor
    """G(a)"""
    a_of_b: Tensor
    """F(b)"""
    a_again: Tensor
    """F(G(a))"""
    b_again: Tensor
    """G(F(b))"""
    a_same: Tensor
    """F(a)"""
    b_same: Tensor
    """G(b)"""


@dataclass(frozen=True, eq=False)
class GeneratorLosses:
    """The weighted parts of the generators' loss; ``mask`` is 0 for generators without masks."""

    fool: Tensor
    cycle: Tensor
    identity: Tensor
    mask: Tensor

    @property
    def total(self) -> Tensor:
        """The sum of the parts."""
        return torch.stack([getattr(self, field.name) for field in fields(self)]).sum()


def generator_losses(
    a: Tensor,
    b: Tensor,
    made: Made,
    judged: tuple[Tensor, Tensor],
    *,
    cycle: float = 10.0,
    identity: float = 1.0,
    kind: Adversarial = "least-squares",
) -> GeneratorLosses:
    """Return the losses that the generators minimise.

    gan(D_b(G(a)), 1) + gan(D_a(F(b)), 1) + s_cyc (|F(G(a)) - a| + |G(F(b)) - b|)
    + s_id / 2 (|F(a) - a| + |G(b) - b|), with means for |.|; ``judged`` is (D_b(G(a)), D_a(F(b))).
    """
    fool = adversarial(judged[0], True, kind) + adversarial(judged[1], True, kind)
    back = functional.l1_loss(made.a_again, a) + functional.l1_loss(made.b_again, b)
    same = functional.l1_loss(made.a_same, a) + functional.l1_loss(made.b_same, b)
    return GeneratorLosses(fool, cycle * back, 0.5 * identity * same, torch.zeros_like(fool))


def discriminator_loss(real: Tensor, fake: Tensor, kind: Adversarial = "least-squares") -> Tensor:
    """Return (gan(D(real), 1) + gan(D(fake), 0)) / 2, with fakes from the replay buffer."""
    return 0.5 * (adversarial(real, True, kind) + adversarial(fake, False, kind))
