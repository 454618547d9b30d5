"""Mixtures of sub-policies, the policies of AutoAugment and its successors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.errors import PolicyError
from automorph.operations import NOTHING, Operation, Sequences, Stream, weighted
from automorph.policies.base import Table, check_range
from automorph.policies.formatting import value_text
from automorph.policies.naming import share_text
from automorph.policies.plans import Drawing, numbers_in
from automorph.policies.space_policy import SpacePolicy

LONGEST = 100
"""Largest number of steps in a sub-policy: every step has its own block of random numbers."""


@dataclass(frozen=True)
class Step:
    """One operation of a sub-policy: its name, the probability that it fires and its magnitude."""

    operation: str
    probability: float = 1.0
    magnitude: float = 0.0

    def __post_init__(self) -> None:
        for what in ("probability", "magnitude"):
            value = check_range(
                f"the step {self.operation}", what, getattr(self, what), float, 0, 1
            )
            object.__setattr__(self, what, value)


SubPolicy = tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Mixture(SpacePolicy):
    """A sub-policy drawn for each example, by ``weights`` if given, else uniformly.

    A policy of one sub-policy is a fixed pipeline; a policy without any does nothing. ``label`` is
    the title of the policy: change it with the content.
    """

    label: str
    subpolicies: tuple[SubPolicy, ...] = ()
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        subpolicies = tuple(tuple(subpolicy) for subpolicy in self.subpolicies)
        object.__setattr__(self, "subpolicies", subpolicies)
        longest = max(map(len, subpolicies), default=0)
        if longest > LONGEST:
            raise PolicyError(f"got a sub-policy of {longest} steps; expected at most {LONGEST}")
        for operation in {step.operation for subpolicy in subpolicies for step in subpolicy}:
            self.operations.number(operation)
        if self.weights is not None:
            self._check_weights(self.weights)

    def _check_weights(self, given: tuple[float, ...]) -> None:
        weights = tuple(check_range("Mixture", "a weight", w, float, 0, 1e300) for w in given)
        if len(weights) != len(self.subpolicies) or not 0 < sum(weights) < np.inf:
            raise PolicyError(
                f"got {len(weights)} weights for {len(self.subpolicies)} sub-policies; "
                "expected one weight >= 0 for each, not all 0"
            )
        object.__setattr__(self, "weights", weights)

    @property
    def title(self) -> str:
        """The label."""
        return self.label

    @property
    def drawable(self) -> tuple[Operation, ...]:
        """The operations of the sub-policies, each once."""
        names = dict.fromkeys(step.operation for steps in self.subpolicies for step in steps)
        return tuple(self.operations[name] for name in names)

    @cached_property
    def arrays(self) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]:
        """Operation numbers, probabilities and magnitudes, each ``(subpolicies, longest)``."""
        shape = (len(self.subpolicies), max(map(len, self.subpolicies), default=0))
        op = np.full(shape, NOTHING, np.int16)
        probability, magnitude = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for i, subpolicy in enumerate(self.subpolicies):
            for j, step in enumerate(subpolicy):
                op[i, j] = self.operations.number(step.operation)
                probability[i, j], magnitude[i, j] = step.probability, step.magnitude
        return op, probability, magnitude

    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example of the stream."""
        op, probability, magnitude = self.arrays
        if not op.size:
            return Sequences.empty(len(stream))
        chosen = self.choose(stream)
        fire = stream.uniform("coins", op.shape[1]) < probability[chosen]
        return Sequences(op[chosen], magnitude[chosen], fire)

    def _drawing(self, seed: int) -> Drawing | None:
        """Return how the compiled engine draws."""
        if type(self) is not Mixture:
            return None
        edges = None
        if self.weights is not None:
            edges = np.cumsum(self.weights)
            edges = edges / edges[-1]
        op = self.arrays[0]
        stage = native.Stage(op.shape[1], subpolicies=self.arrays, edges=edges)
        return Drawing((stage,), numbers_in(op), self.fill, self.interpolation)

    def choose(self, stream: Stream) -> NDArray[np.int64]:
        """Draw the number of the sub-policy of each example, int64 ``(n,)``."""
        count = len(self.subpolicies)
        if count == 1:
            return np.zeros(len(stream), np.int64)
        u = stream.uniform("policy", 1)[:, 0]
        if self.weights is None:
            return np.asarray(u * count, np.int64)
        return weighted(self.weights, u)

    def table(self) -> Table:
        """Return a table with one row per sub-policy or, for a fixed pipeline, per step."""
        if not any(self.subpolicies):
            rows = (("–", "Every example stays as it is."),)
            return Table(("operation", "what it does"), rows, "No augmentation.")
        if len(self.subpolicies) == 1:
            return self._pipeline(self.subpolicies[0])
        total = sum(self.weights) if self.weights else len(self.subpolicies)
        lines = []
        for i, subpolicy in enumerate(self.subpolicies):
            weight = self.weights[i] if self.weights else 1.0
            steps = ", then ".join(self._words(step) for step in subpolicy) or "nothing"
            lines.append((str(i + 1), share_text(weight / total), steps))
        caption = (
            f"For each example, one of {len(lines)} sub-policies is drawn; a percentage in "
            "brackets is the probability that the operation is applied."
        )
        return Table(("sub-policy", "share", "operations"), tuple(lines), caption)

    def _pipeline(self, steps: SubPolicy) -> Table:
        rows = []
        for step in steps:
            operation = self.operations[step.operation]
            value = value_text(operation, step.magnitude)
            rows.append((operation.name, value, share_text(step.probability), operation.about))
        caption = "These operations are applied to each example, in order."
        return Table(("operation", "value", "chance", "what it does"), tuple(rows), caption)

    def _words(self, step: Step) -> str:
        operation = self.operations[step.operation]
        words = f"{operation.name} {value_text(operation, step.magnitude)}".strip()
        return words if step.probability >= 1 else f"{words} ({share_text(step.probability)})"
