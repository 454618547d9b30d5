"""A balanced training among the policies: `balance(logits)` changes the recipe, not the views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automorph.augmenters.base import InTrainingMethod
from automorph.errors import PolicyError
from automorph.policies import NAMED, Policy, chained, with_options
from automorph.registry import unknown
from automorph.training import BALANCES, Augmenter, PolicyAugmenter

NAME = "balance"


@dataclass(frozen=True, kw_only=True)
class Balanced(InTrainingMethod):
    """Training that makes up for classes of different sizes, under the policies around it.

    It trains as a recipe with this ``balance`` does (see `automorph.training.Balance`), so that
    comparisons and races can have trainings with and without it.
    """

    how: str

    def __post_init__(self) -> None:
        if self.how not in BALANCES[1:]:
            raise PolicyError(unknown("way", self.how, BALANCES[1:], where=f"of {NAME}"))

    @property
    def title(self) -> str:
        """The name with its option."""
        return with_options(NAME, [self.how])

    @property
    def inner(self) -> Policy:
        """No augmentation."""
        return NAMED["none"]()

    @property
    def policy(self) -> Policy:
        """The policies around it: their draws are those without it."""
        stages = (*self.before, *self.after)
        return chained(*stages) if stages else self.inner

    @property
    def recipe_changes(self) -> dict[str, Any]:
        """The entries of the task's recipe that this treatment trains with."""
        return {"balance": self.how}

    def build(self) -> Augmenter:
        """Build the augmenter of the policies around it."""
        return PolicyAugmenter(self.policy)


def build(how: str = "logits") -> InTrainingMethod:
    """Build the method from the option that a user types."""
    return Balanced(how=how)
