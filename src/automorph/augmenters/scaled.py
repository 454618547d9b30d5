"""A policy made easier, down to the plain example: one number between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automorph.operations import Sequences, Stream
from automorph.policies import Policy, SpacePolicy, Table


@dataclass(frozen=True, kw_only=True)
class Eased(SpacePolicy):
    """The draws of another policy with this ``strength`` of their magnitudes.

    An operation without a magnitude happens with the chance ``strength`` of before. 0 is the plain
    example, 1 the other policy.
    """

    draws: SpacePolicy
    strength: float

    @property
    def title(self) -> str:
        """What is drawn, and how strong."""
        return f"{self.strength:.2f} of {self.draws.title}"

    def sample(self, stream: Stream) -> Sequences:
        """One sequence for each example of the stream."""
        whole = self.draws.sample(stream)
        free = np.array([operation.magnitude_free for operation in self.operations])[whole.op]
        kept = stream.uniform("eased", whole.length) < self.strength
        fire = whole.fire & (kept | ~free) & (self.strength > 0)
        return Sequences.of(whole.op, whole.magnitude * self.strength, fire)

    def table(self) -> Table:
        """The table of what is drawn."""
        return self.draws.table()


def eased(draws: Policy, strength: float) -> Policy:
    """The draws at a strength, if they are one stage of operations; others as they are."""
    if strength >= 1 or not isinstance(draws, SpacePolicy) or not draws.is_sequence:
        return draws
    return Eased(
        operations=draws.operations, fill=draws.fill, interpolation=draws.interpolation,
        draws=draws, strength=strength,
    )  # fmt: skip
