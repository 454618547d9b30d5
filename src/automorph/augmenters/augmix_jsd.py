"""AugMix as published: mixtures of chains, and a loss that makes their predictions agree.

Hendrycks, Mu, Cubuk, Zoph, Gilmer, Lakshminarayanan, "AugMix" (ICLR 2020), algorithm 1 and section
3, equation 1. The policy ``augmix`` is the mixtures alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from automorph.augmenters.base import InTrainingMethod, examples_meet, stream_of, together
from automorph.errors import PolicyError
from automorph.policies import (
    NAMED,
    Policy,
    chained,
    check_range,
    load_policy,
    stages_of,
    with_options,
)
from automorph.targets import Classes, Target
from automorph.training import Augmenter, Batch, RawBatch, divergence


def consistency_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    views: int,
    weight: float,
    smoothing: float = 0.0,
    target: Target | None = None,
) -> Tensor:
    """Return CE(clean) + weight * JS(p_clean, p_1, .., p_m), ``views`` rows per example.

    ``logits`` and soft ``labels`` are ``(n * views, k)``, the clean view first. JS is the mean of
    KL(p_v | p) over the views, p their mean prediction (see `divergence`). Each row of the result
    ``(n * views,)`` holds the loss of its example, so the mean over rows is that over examples.

    >>> import torch
    >>> same = torch.zeros(3, 10)
    >>> labels = torch.eye(10)[[4, 4, 4]]
    >>> consistency_loss(same, labels, views=3, weight=12.0)
    tensor([2.3026, 2.3026, 2.3026])
    """
    target = target or Classes(labels.shape[1])
    clean = target.loss(logits[::views], labels[::views], smoothing=smoothing)
    log_p = logits.float().log_softmax(dim=1).view(-1, views, logits.shape[1])
    return (clean + weight * divergence(log_p)).repeat_interleave(views)


@dataclass(frozen=True, kw_only=True)
class Consistency(InTrainingMethod):
    """A clean view and several others of every example, whose predictions must agree.

    Steps before the method are shared by all views of an example; steps after it are drawn for each
    view, except mixing, which must be the same for all.
    """

    draws: Policy
    count: int = 2
    weight: float = 12.0

    def __post_init__(self) -> None:
        check_range("augmix-jsd", "m", self.count, int, 1, 100)
        check_range("augmix-jsd", "weight", self.weight, float, 0, 1e6)
        apart = any(getattr(stage, "mix", "") == "set-mixup" for stage in stages_of(self.policy))
        if apart or self.policy.space.mixes_labels:
            raise PolicyError(
                f"augmix-jsd got the policy {self.policy.name!r:.200}, which mixes another example "
                "into every view; expected one that mixes all views alike: use "
                "mixup(partner=batch), and operations without Mixup"
            )

    @property
    def title(self) -> str:
        """The name with all options."""
        usual = self.draws == NAMED["augmix"]()
        options = [f"weight={self.weight:g}", f"m={self.count}"]
        return with_options("augmix-jsd", options + [f"policy={self.draws.name}"] * (not usual))

    @property
    def inner(self) -> Policy:
        """The policy of all views except the clean one."""
        return self.draws

    def build(self) -> Augmenter:
        """Build an augmenter without state."""
        return ConsistencyAugmenter(self)


class ConsistencyAugmenter(Augmenter):
    """Draws the clean view and the others, and defines their loss."""

    def __init__(self, method: Consistency) -> None:
        self.method = method
        nothing = NAMED["none"]()
        self.shared = chained(*method.before) if method.before else nothing
        self.clean = chained(nothing, *method.after)
        self.other = chained(method.draws, *method.after)
        self.whole_batch = examples_meet(method.policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return the clean view and the others, an example's rows adjacent."""
        stream = stream_of(raw)
        base = self.shared.transform(raw.examples, stream)
        # Each stage has its own copy number, so that no two stages share random numbers.
        last = replace(stream, copy=np.full(len(raw), self.method.count + 1))
        drawn = [self.clean.transform(base, last)]
        for copy in range(1, self.method.count + 1):
            own = replace(stream, copy=np.full(len(raw), copy))
            drawn.append(self.other.transform(base, own))
        labels, mixing = raw.labels, self.other.mixing(stream, np.shape(base))
        if mixing is not None:
            drawn = [mixing.examples(view) for view in drawn]
            labels = mixing.labels(labels)
        return together(raw, drawn, [labels] * len(drawn))

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy of the clean view plus the divergence of all views."""
        return consistency_loss(
            logits, batch.labels, views=self.method.count + 1, weight=self.method.weight,
            smoothing=smoothing, target=batch.target,
        )  # fmt: skip

    def describe(self) -> Any:
        """Return name and content of the method."""
        return self.method.describe()


def build(weight: float = 12, m: int = 2, policy: str = "augmix") -> InTrainingMethod:
    """Build the method from the options that a user types."""
    return Consistency(draws=load_policy(policy), count=m, weight=weight)
