"""Joint batches: every example several times, each time in another view, and nothing learned.

Hoffer et al., "Augment your batch" (CVPR 2020). It is the control of every method that trains on
several views or chooses among them: what is gained beyond it, the learning has earned.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from automorph.augmenters.base import InTrainingMethod, examples_meet, views
from automorph.policies import Policy, check_range, load_policy
from automorph.training import Augmenter, Batch, RawBatch


@dataclass(frozen=True, kw_only=True)
class JointViews(InTrainingMethod):
    """Every example comes in several independent views in the same batch; nothing is learned.

    A step on n examples passes ``count * n`` rows forward and backward.
    """

    draws: Policy
    count: int = 8

    def __post_init__(self) -> None:
        check_range("views", "m", self.count, int, 1, 1000)

    @property
    def title(self) -> str:
        """The name that says all options."""
        return f"views(m={self.count},policy={self.draws.name})"

    @property
    def inner(self) -> Policy:
        """What views are drawn from."""
        return self.draws

    def build(self) -> Augmenter:
        """An augmenter without memory."""
        return JointAugmenter(self)


class JointAugmenter(Augmenter):
    """Draws the views; batches may be made ahead."""

    def __init__(self, method: JointViews) -> None:
        self.method = method
        self.policy = method.policy
        self.whole_batch = examples_meet(self.policy)

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """The views, an example's rows adjacent."""
        return views(self.policy, raw, self.method.count)

    def describe(self) -> object:
        """Name and content of the method."""
        return self.method.describe()


def build(m: int = 8, policy: str = "composition(n=2)") -> InTrainingMethod:
    """The method with the options that people type."""
    return JointViews(draws=load_policy(policy), count=m)
