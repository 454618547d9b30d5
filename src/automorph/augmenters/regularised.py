"""Transformation regularisation: predictions should not change under transformations.

Ratner et al. (NIPS 2017), end models of the released code (``ls_term``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.augmenters.base import (
    InTrainingMethod,
    copy_of,
    examples_meet,
    refuse_mixing,
    with_unlabelled,
)
from automorph.operations import Stream
from automorph.policies import NAMED, Policy, check_range, load_policy, with_options
from automorph.training import Augmenter, Batch, RawBatch

NAME = "tanda-tr"


def transformation_regularisation(logits: Tensor, views: int) -> Tensor:
    """Compute ``TR_b = 1/V sum_{i>j} |A_bi - A_bj|^2`` for each of n examples, ``(n,)``.

    ``logits`` ``(n * V, k)`` have the V views of an example in adjacent rows; logits, not
    probabilities. With V = 2 it is half of the squared distance.

    >>> import torch
    >>> transformation_regularisation(torch.tensor([[0.0], [2.0], [1.0], [1.0]]), views=2)
    tensor([2., 0.])
    """
    parts = logits.float().view(-1, views, logits.shape[1])
    # The sum over pairs is V times the sum of squares about the mean: no pairs are formed.
    centred = parts - parts.mean(dim=1, keepdim=True)
    return centred.square().sum(dim=(1, 2))


@dataclass(frozen=True, kw_only=True)
class Regularised(InTrainingMethod):
    """Training on a policy's copies, with logits that must agree: CE + weight * TR.

    CE is the cross-entropy of one draw of the policy. TR compares the basic view of an example (the
    steps before and after the method alone) with ``passes`` further draws; it is the mean over the
    batch and ``unlabelled`` more examples, whose labels are not needed. A draw for CE is
    transformed with probability ``share``, and in the last share ``plain`` of the training it is
    the example as it is; TR goes on. The defaults are those released for 10 % of CIFAR-10, of which
    weight 0.5 and three passes are the other choices; there, CE is plain in the last 9 of 150
    epochs.
    """

    draws: Policy
    weight: float = 0.1
    passes: int = 1
    share: float = 1.0
    unlabelled: int = 10
    plain: float = 0.06

    def __post_init__(self) -> None:
        check_range(NAME, "weight", self.weight, float, 0, 1e6)
        check_range(NAME, "passes", self.passes, int, 1, 100)
        check_range(NAME, "share", self.share, float, 0, 1)
        check_range(NAME, "unlabelled", self.unlabelled, int, 0, 1e6)
        check_range(NAME, "plain", self.plain, float, 0, 1)
        refuse_mixing(NAME, self.policy)

    @property
    def title(self) -> str:
        """The name with all options."""
        options = [f"weight={self.weight:g}", f"passes={self.passes}"]
        options += [f"share={self.share:g}"] * (self.share < 1)
        options += [f"unlabelled={self.unlabelled}", f"plain={self.plain:g}"]
        return with_options(NAME, [*options, f"policy={self.draws.name}"])

    @property
    def inner(self) -> Policy:
        """The policy of the views."""
        return self.draws

    def unlabelled_rows(self, batch_size: int) -> int:
        """Return how many examples without labels take part in TR."""
        return self.unlabelled

    def build(self) -> Augmenter:
        """Build an augmenter without state."""
        return RegularisedAugmenter(self)


class RegularisedAugmenter(Augmenter):
    """Draws the views, and defines their loss."""

    targets = "classes", "values"

    def __init__(self, method: Regularised) -> None:
        self.method = method
        self.basic = method.around(NAMED["none"]())
        self.drawn = method.policy
        self.whole_batch = examples_meet(method.policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return the draw to learn from and the views to compare, an example's rows adjacent."""
        compared = self._compared(raw)
        rest = [] if raw.unlabelled is None else self._compared(raw.unlabelled)
        return with_unlabelled(raw, [self._learned(raw, compared[0]), *compared], rest, raw.labels)

    def unlabelled_rows(self, batch_size: int) -> int:
        """Return how many examples without labels take part in TR."""
        return self.method.unlabelled_rows(batch_size)

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy of the first view and TR of the others, in each row."""
        count = batch.views
        learned = batch.target.loss(logits[::count], batch.labels[::count], smoothing=smoothing)
        others = logits.view(-1, count, logits.shape[1])[:, 1:].flatten(0, 1)
        agreed = transformation_regularisation(others, count - 1)
        return (learned + self._weight(batch) * agreed).repeat_interleave(count)

    def unlabelled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the weighted TR of the unlabelled examples, in each row."""
        rest = batch.unlabelled
        assert rest is not None
        agreed = transformation_regularisation(logits, rest.views)
        weight = self.method.weight - self._weight(batch)
        return (weight * agreed).repeat_interleave(rest.views)

    def describe(self) -> Any:
        """Return name and content of the method."""
        return self.method.describe()

    def _weight(self, batch: Batch) -> float:
        """Return the weight of the mean over labelled examples: TR is a mean over all of them."""
        rest = 0 if batch.unlabelled is None else batch.unlabelled.examples
        return self.method.weight * batch.examples / max(1, batch.examples + rest)

    def _compared(self, raw: RawBatch) -> list[Any]:
        """Return the basic view and the transformed ones."""
        return [
            policy.transform(raw.examples, copy_of(raw, copy))
            for copy, policy in enumerate([self.basic, *[self.drawn] * self.method.passes], 1)
        ]

    def _learned(self, raw: RawBatch, basic: Any) -> Any:
        if raw.progress >= 1 - self.method.plain:
            return raw.examples
        stream = copy_of(raw, 0)
        drawn = self.drawn.transform(raw.examples, stream)
        if self.method.share == 1:
            return drawn
        return np.where(self._transformed(stream, drawn.ndim), drawn, basic)

    def _transformed(self, stream: Stream, dimensions: int) -> NDArray[np.bool_]:
        coins = stream.uniform("transformed", 1)[:, 0] < self.method.share
        return coins.reshape(-1, *[1] * (dimensions - 1))


def build(
    weight: float = 0.1,
    passes: int = 1,
    share: float = 1,
    unlabelled: int = 10,
    plain: float = 0.06,
    policy: str = "composition(n=2)",
) -> InTrainingMethod:
    """Build the method from the options that a user types."""
    return Regularised(
        draws=load_policy(policy), weight=weight, passes=passes, share=share,
        unlabelled=unlabelled, plain=plain,
    )  # fmt: skip
