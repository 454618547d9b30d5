"""Consistency training on unlabelled examples: a policy must not change what is predicted for them.

Xie, Dai, Hovy, Luong, Le, "Unsupervised data augmentation for consistency training" (NeurIPS 2020,
arXiv 1904.12848).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from automorph.augmenters.base import (
    InTrainingMethod,
    copy_of,
    examples_meet,
    refuse_mixing,
    with_unlabelled,
)
from automorph.augmenters.distributed import summed
from automorph.errors import PolicyError
from automorph.policies import NAMED, Policy, check_range, load_policy, with_options
from automorph.registry import unknown
from automorph.training import Augmenter, Batch, Epoch, RawBatch

NAME = "consistency"
Annealing = Literal["none", "linear", "log", "exp"]
SCALE = 5.0
"""How steep the curves of ``log`` and ``exp`` are, as released."""


def annealing_threshold(progress: float, annealing: Annealing, classes: int) -> float:
    """Return eta_t = alpha_t (1 - 1/K) + 1/K, up to which examples are still learned from.

    With t the progress, 0 to 1, alpha is t (``linear``), 1 - exp(-5 t) (``log``) or exp(5 (t - 1))
    (``exp``): the paper's training signal annealing.

    >>> [round(annealing_threshold(t, "linear", 2), 2) for t in (0, 0.5, 1)]
    [0.5, 0.75, 1.0]
    """
    share = {
        "none": 1.0,
        "linear": progress,
        "log": 1 - math.exp(-SCALE * progress),
        "exp": math.exp(SCALE * (progress - 1)),
    }[annealing]
    return share * (1 - 1 / classes) + 1 / classes


@dataclass(frozen=True, kw_only=True)
class UnlabelledConsistency(InTrainingMethod):
    """Cross-entropy of labelled examples, and agreement of two views of unlabelled ones.

    With p the prediction of the network, x a labelled example and u an unlabelled one, as it is and
    as drawn by the policy (u'), a step minimises

        mean CE(y, p(x))  +  weight * mean 1[max p(u) > threshold] KL(p_T(u) | p(u'))

    where p_T is p at the ``temperature`` T, without gradient. There are ``ratio`` unlabelled
    examples for each labelled one. With ``annealing``, labelled examples whose right class has a
    probability above `annealing_threshold` are left out of the mean. Steps before and after the
    method are drawn for every view, labelled or not. The defaults are those released for CIFAR-10
    (texts: ratio 3 to 7, temperature 0.85, threshold 0, annealing linear).
    """

    draws: Policy
    ratio: int = 7
    weight: float = 1.0
    temperature: float = 0.4
    threshold: float = 0.8
    annealing: Annealing = "none"

    def __post_init__(self) -> None:
        check_range(NAME, "ratio", self.ratio, int, 1, 1000)
        check_range(NAME, "weight", self.weight, float, 0, 1e6)
        check_range(NAME, "temperature", self.temperature, float, 0.01, 100)
        check_range(NAME, "threshold", self.threshold, float, 0, 1)
        if self.annealing not in (known := get_args(Annealing)):
            raise PolicyError(unknown("annealing", str(self.annealing), known, where=f"of {NAME}"))
        refuse_mixing(NAME, self.policy)

    @property
    def title(self) -> str:
        """The name with all options."""
        options = [
            f"{name}={getattr(self, name):g}"
            for name in ("ratio", "weight", "temperature", "threshold")
        ]
        annealing = [f"annealing={self.annealing}"] * (self.annealing != "none")
        return with_options(NAME, [self.draws.name, *options, *annealing])

    @property
    def inner(self) -> Policy:
        """The policy of the second view."""
        return self.draws

    def unlabelled_rows(self, batch_size: int) -> int:
        """Return how many examples without labels a batch needs."""
        return self.ratio * batch_size

    def build(self) -> Augmenter:
        """Build an augmenter that learns nothing."""
        return UnlabelledAugmenter(self)


class UnlabelledAugmenter(Augmenter):
    """Draws the views, defines their losses, and records how many examples take part."""

    def __init__(self, method: UnlabelledConsistency) -> None:
        self.method = method
        self.basic = method.around(NAMED["none"]())
        self.drawn = method.policy
        self.whole_batch = examples_meet(method.policy)
        self.seen: dict[str, Tensor] = {}

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return the labelled examples and, as ``unlabelled``, both views of the others."""
        labelled = [self.basic.transform(raw.examples, copy_of(raw, 0))]
        rest = raw.unlabelled
        views = [] if rest is None else [
            self.basic.transform(rest.examples, copy_of(rest, 0)),
            self.drawn.transform(rest.examples, copy_of(rest, 1)),
        ]  # fmt: skip
        return with_unlabelled(raw, labelled, views, raw.labels)

    def unlabelled_rows(self, batch_size: int) -> int:
        """Return how many examples without labels a batch needs."""
        return self.method.unlabelled_rows(batch_size)

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy, scaled so that its mean is that of the rows that take part."""
        losses = batch.target.loss(logits, batch.labels, smoothing=smoothing)
        if self.method.annealing == "none":
            return losses
        share = annealing_threshold(batch.progress, self.method.annealing, batch.labels.shape[1])
        with torch.no_grad():
            right = (logits.float().softmax(dim=1) * batch.labels).sum(dim=1)
            # Of a one, rounding may make slightly more.
            learned = (right <= share + 1e-6).float()
        self._record("learned", learned)
        return losses * learned * (len(learned) / learned.sum().clamp(min=1))

    def unlabelled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return weight * KL where the network is sure enough, else 0, in both rows."""
        method = self.method
        plain, drawn = logits.float().view(-1, 2, logits.shape[1]).unbind(dim=1)
        plain = plain.detach()
        sure = (plain.softmax(dim=1).amax(dim=1) > method.threshold).float()
        target = (plain / method.temperature).log_softmax(dim=1)
        apart = (target.exp() * (target - drawn.log_softmax(dim=1))).sum(dim=1) * sure
        self._record("sure", sure)
        self._record("divergence", apart.detach())
        return (method.weight * apart).repeat_interleave(2)

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Return means over the epoch: examples that take part, and the divergence of views."""
        found = {}
        for name in sorted(self.seen):
            total, count = summed(self.seen[name], self.seen[name].device).tolist()
            found[name] = total / max(1, count)
        self.seen = {}
        return found

    def describe(self) -> Any:
        """Return name and content of the method."""
        return self.method.describe()

    def _record(self, name: str, values: Tensor) -> None:
        one = torch.stack([values.sum(), torch.ones_like(values).sum()])
        self.seen[name] = self.seen[name] + one if name in self.seen else one


def build(
    policy: str = "randaugment(n=2,m=9) + cutout(16)",
    ratio: int = 7,
    weight: float = 1,
    temperature: float = 0.4,
    threshold: float = 0.8,
    annealing: str = "none",
) -> InTrainingMethod:
    """Build the method from the options that a user types."""
    return UnlabelledConsistency(
        draws=load_policy(policy), ratio=ratio, weight=weight, temperature=temperature,
        threshold=threshold, annealing=annealing,  # type: ignore[arg-type]
    )  # fmt: skip
