"""Stages of a policy that mix examples and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph.policies.base import Policy, Table
from automorph.policies.mixing import Mixing, cutmix, mixup
from automorph.space import SearchSpace, Sequences, Stream


@dataclass(frozen=True, kw_only=True)
class Mixed(Policy):
    """mixup or CutMix with another example of the batch, labels mixed alike."""

    mix: Literal["mixup", "cutmix"]
    alpha: float = 1.0
    probability: float = 1.0

    @property
    def name(self) -> str:
        """What a user types to get this policy."""
        chance = f",p={self.probability:g}" if self.mix == "cutmix" else ""
        return f"{self.mix}(alpha={self.alpha:g}{chance})"

    @property
    def space(self) -> SearchSpace:
        """No operations."""
        return SearchSpace("none", ())

    @property
    def mixes_labels(self) -> bool:
        """Labels of different examples are mixed."""
        return True

    def sample(self, stream: Stream) -> Sequences:
        """Nothing happens to single examples."""
        return Sequences.empty(len(stream))

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing:
        """How examples of the batch are mixed with each other."""
        if self.mix == "mixup":
            return mixup(stream, self.alpha)
        return cutmix(stream, self.alpha, self.probability, shape[1], shape[2])

    def table(self) -> Table:
        """One row."""
        chance = f" with {self.probability:.0%}" if self.probability < 1 else ""
        what = "blended with" if self.mix == "mixup" else "a box pasted from"
        return Table(
            ("stage", "what it does"),
            ((self.name, f"{what} another example of the batch{chance}, labels alike"),),
        )
