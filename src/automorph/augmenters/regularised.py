"""Transformation regularisation: predictions should not change under transformations.

Ratner et al. (NIPS 2017), end models of the released code (``ls_term``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.augmenters.base import InTrainingMethod, examples_meet, together
from automorph.operations import Stream
from automorph.policies import NAMED, Policy, chained, check_range, with_options
from automorph.training import Augmenter, Batch, RawBatch


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

    A step has ``1 + passes`` views of every example: one to learn from, which is transformed with
    probability ``share``, and ``passes`` transformed ones that only have to agree with it and with
    one another. Released: weight 0.1 or 0.5, one pass or three. TR never uses labels.
    """

    draws: Policy
    weight: float = 0.1
    passes: int = 1
    share: float = 1.0

    def __post_init__(self) -> None:
        check_range("tanda-tr", "weight", self.weight, float, 0, 1e6)
        check_range("tanda-tr", "passes", self.passes, int, 1, 100)
        check_range("tanda-tr", "share", self.share, float, 0, 1)

    @property
    def title(self) -> str:
        """The name with all options."""
        options = [f"weight={self.weight:g}", f"passes={self.passes}"]
        options += [f"share={self.share:g}"] * (self.share < 1)
        return with_options("tanda-tr", [*options, f"policy={self.draws.name}"])

    @property
    def inner(self) -> Policy:
        """The policy of the views."""
        return self.draws

    def build(self) -> Augmenter:
        """Build an augmenter without state."""
        return RegularisedAugmenter(self)


class RegularisedAugmenter(Augmenter):
    """Draws the views, and defines their loss."""

    def __init__(self, method: Regularised) -> None:
        self.method = method
        self.plain = chained(*method.before, NAMED["none"](), *method.after)
        self.drawn = method.policy
        self.whole_batch = examples_meet(method.policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return the view to learn from and the others, an example's rows adjacent."""
        stream = Stream(seed=raw.seed, epoch=raw.epoch, index=raw.numbers)
        views = []
        for copy in range(self.method.passes + 1):
            own = replace(stream, copy=np.full(len(raw), copy))
            views.append(self.drawn.transform(raw.examples, own))
        if self.method.share < 1:
            views[0] = np.where(
                self._transformed(stream, views[0].ndim),
                views[0],
                self.plain.transform(raw.examples, stream),
            )
        return together(raw, views, [raw.labels] * len(views))

    def loss(self, logits: Tensor, batch: Batch, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy of the first view and TR of all, in each row of an example."""
        count = batch.views
        learned = batch.target.loss(logits[::count], batch.labels[::count], smoothing=smoothing)
        agreed = transformation_regularisation(logits, count)
        return (learned + self.method.weight * agreed).repeat_interleave(count)

    def describe(self) -> Any:
        """Return name and content of the method."""
        return self.method.describe()

    def _transformed(self, stream: Stream, dimensions: int) -> NDArray[np.bool_]:
        coins = stream.uniform("transformed", 1)[:, 0] < self.method.share
        return coins.reshape(-1, *[1] * (dimensions - 1))
