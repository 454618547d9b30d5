"""A few of many steps, in random order: the policies of Population Based Augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automorph.errors import PolicyError
from automorph.operations import NOTHING, Operation, Sequences, Stream, weighted
from automorph.policies.base import Table, check_range
from automorph.policies.formatting import value_text
from automorph.policies.naming import share_text
from automorph.policies.space_policy import SpacePolicy
from automorph.policies.subpolicies import LONGEST, Step

COUNTS = (0.2, 0.3, 0.5)
"""The probabilities of 0, 1 and 2 operations (Ho et al. 2019, algorithm 1)."""


@dataclass(frozen=True, kw_only=True)
class Shuffled(SpacePolicy):
    """Go through the ``steps`` in random order until the drawn number of them has fired.

    ``counts[k]`` is the weight of k firing steps: for each example, a limit is drawn by ``counts``,
    the steps are shuffled, and each fires with its probability until the limit is reached (Ho et
    al. 2019, algorithm 1). ``label`` is the title of the policy: change it with the content.
    """

    label: str
    steps: tuple[Step, ...] = ()
    counts: tuple[float, ...] = COUNTS

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "steps", tuple(self.steps))
        counts = tuple(check_range("Shuffled", "a count", c, float, 0, 1e300) for c in self.counts)
        object.__setattr__(self, "counts", counts)
        if not 1 <= len(counts) <= LONGEST + 1 or not 0 < sum(counts) < np.inf:
            raise PolicyError(
                f"Shuffled got counts={counts!r:.60}; expected weights for 0, 1, 2, .. operations, "
                "not all 0"
            )
        for step in self.steps:
            self.operations.number(step.operation)

    @property
    def title(self) -> str:
        """The label."""
        return self.label

    @property
    def drawable(self) -> tuple[Operation, ...]:
        """The operations of the steps, each once."""
        names = dict.fromkeys(step.operation for step in self.steps)
        return tuple(self.operations[name] for name in names)

    @cached_property
    def arrays(self) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]:
        """Operation numbers, probabilities and magnitudes, each ``(steps,)``."""
        return (
            np.array([self.operations.number(s.operation) for s in self.steps], np.int16),
            np.array([s.probability for s in self.steps], np.float32),
            np.array([s.magnitude for s in self.steps], np.float32),
        )

    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example of the stream."""
        op, probability, magnitude = self.arrays
        length = min(len(self.counts) - 1, len(op))
        if length == 0:
            return Sequences.empty(len(stream))
        u = stream.uniform("policy", 1 + len(op))
        wanted = weighted(self.counts, u[:, :1])
        order = np.argsort(u[:, 1:], axis=1, kind="stable")
        fires = (stream.uniform("coins", len(op)) < probability)[np.arange(len(u))[:, None], order]
        used = fires & (np.cumsum(fires, axis=1) <= wanted)
        # Steps that fire move to the front, in their order.
        front = np.argsort(~used, axis=1, kind="stable")[:, :length]
        chosen, fire = (np.take_along_axis(a, front, axis=1) for a in (order, used))
        return Sequences.of(np.where(fire, op[chosen], NOTHING), magnitude[chosen], fire)

    @property
    def words(self) -> str:
        """The likeliest steps, in short."""
        rows = [row[:3] for row in self.table().rows]
        text = ", ".join(f"{' '.join((name, value)).strip()} ({p})" for name, value, p in rows[:4])
        return text if len(rows) <= 4 else f"{text} and {len(rows) - 4} more"

    def table(self) -> Table:
        """Return a table of the steps that can fire, the likeliest first."""
        rows = []
        for step in sorted(self.steps, key=lambda step: -step.probability):
            if step.probability > 0:
                operation = self.operations[step.operation]
                value = value_text(operation, step.magnitude)
                chance = share_text(step.probability)
                rows.append((operation.name, value, chance, operation.about))
        total = sum(self.counts)
        chances = ", ".join(f"{k} ({share_text(c / total)})" for k, c in enumerate(self.counts))
        if not rows:
            rows = [("nothing", "", "100%", "Every example stays as it is.")]
        caption = (
            "Maximum number of operations for each example (probability): "
            f"{chances}. They are tried in random order, each with its own probability."
        )
        return Table(("operation", "value", "chance", "what it does"), tuple(rows), caption)
