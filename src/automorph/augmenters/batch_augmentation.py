"""Batch augmentation: several views of every example in the same batch, and nothing learned.

Hoffer et al., "Augment your batch" (CVPR 2020). It is the control for every method that trains on
several views or chooses among them: only a gain over it is due to learning.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from automorph.augmenters.base import InTrainingMethod, examples_meet, views
from automorph.policies import Policy, check_range, load_policy
from automorph.training import Augmenter, Batch, RawBatch


@dataclass(frozen=True, kw_only=True)
class JointViews(InTrainingMethod):
    """Several independent views of every example in the same batch; nothing is learned.

    A step on n examples passes ``count * n`` rows forward and backward.
    """

    draws: Policy
    count: int = 8

    def __post_init__(self) -> None:
        check_range("views", "m", self.count, int, 1, 1000)

    @property
    def title(self) -> str:
        """The name with all options."""
        return f"views(m={self.count},policy={self.draws.name})"

    @property
    def inner(self) -> Policy:
        """The policy of the views."""
        return self.draws

    def build(self) -> Augmenter:
        """Build an augmenter without state."""
        return JointAugmenter(self)


class JointAugmenter(Augmenter):
    """Draws the views; batches may be prepared ahead."""

    targets = "classes", "values"

    def __init__(self, method: JointViews) -> None:
        self.method = method
        self.policy = method.policy
        self.whole_batch = examples_meet(self.policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return the views, an example's rows adjacent."""
        return views(self.policy, raw, self.method.count)

    def describe(self) -> object:
        """Return name and content of the method."""
        return self.method.describe()


def build(m: int = 8, policy: str = "composition(n=2)") -> InTrainingMethod:
    """Build the method from the options that a user types."""
    return JointViews(draws=load_policy(policy), count=m)
