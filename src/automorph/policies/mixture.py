"""Mixtures of sub-policies, as AutoAugment and its successors find them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automorph.errors import PolicyError
from automorph.policies.base import Policy, Table
from automorph.space import NOTHING, SearchSpace, Sequences, Stream


@dataclass(frozen=True)
class Step:
    """One operation of a sub-policy: its name, the probability that it fires and its magnitude."""

    operation: str
    probability: float = 1.0
    magnitude: float = 0.0


SubPolicy = tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Mixture(Policy):
    """One sub-policy is drawn for each example, by ``weights`` if given, else uniformly.

    A policy of one sub-policy is a fixed pipeline; a policy of none does nothing.
    """

    label: str
    operations: SearchSpace
    subpolicies: tuple[SubPolicy, ...] = ()
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for step in (step for subpolicy in self.subpolicies for step in subpolicy):
            self.operations.number(step.operation)
            for what, value in (("probability", step.probability), ("magnitude", step.magnitude)):
                if not 0 <= value <= 1:
                    raise PolicyError(
                        f"{step.operation} has the {what} {value:g}; expected a number in [0, 1]"
                    )
        if self.weights is not None and (
            len(self.weights) != len(self.subpolicies)
            or min(self.weights, default=1) < 0
            or sum(self.weights) <= 0
        ):
            raise PolicyError(
                f"got {len(self.weights)} weights for {len(self.subpolicies)} sub-policies; "
                "expected one weight >= 0 for each, not all 0"
            )

    @property
    def name(self) -> str:
        """What a user types to get this policy, or its title."""
        return self.label

    @property
    def space(self) -> SearchSpace:
        """The operations that sequences refer to."""
        return self.operations

    @cached_property
    def arrays(self) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]:
        """Operation numbers, probabilities and magnitudes, each ``(subpolicies, longest)``."""
        longest = max(map(len, self.subpolicies), default=0)
        shape = (len(self.subpolicies), longest)
        op = np.full(shape, NOTHING, np.int16)
        probability, magnitude = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for i, subpolicy in enumerate(self.subpolicies):
            for j, step in enumerate(subpolicy):
                op[i, j] = self.operations.number(step.operation)
                probability[i, j], magnitude[i, j] = step.probability, step.magnitude
        return op, probability, magnitude

    def sample(self, stream: Stream) -> Sequences:
        """One sequence for each example of the stream."""
        op, probability, magnitude = self.arrays
        if not op.size:
            return Sequences.empty(len(stream))
        chosen = self.choose(stream)
        fire = stream.uniform("coins", op.shape[1]) < probability[chosen]
        return Sequences(op[chosen], magnitude[chosen], fire)

    def choose(self, stream: Stream) -> NDArray[np.int64]:
        """The number of the sub-policy of each example, int64 ``(n,)``."""
        count = len(self.subpolicies)
        if count == 1:
            return np.zeros(len(stream), np.int64)
        u = stream.uniform("policy", 1)[:, 0]
        if self.weights is None:
            return np.asarray(u * count, np.int64)
        edges = np.cumsum(self.weights) / sum(self.weights)
        return np.minimum(np.searchsorted(edges, u, side="right"), count - 1)

    def table(self) -> Table:
        """One row a sub-policy."""
        total = sum(self.weights) if self.weights else float(len(self.subpolicies))
        rows = []
        for i, subpolicy in enumerate(self.subpolicies):
            weight = (self.weights[i] if self.weights else 1.0) / total
            steps = ", then ".join(self._words(step) for step in subpolicy)
            rows.append((str(i + 1), f"{weight:.1%}", steps))
        return Table(("sub-policy", "share", "operations"), tuple(rows))

    def _words(self, step: Step) -> str:
        operation = self.operations[step.operation]
        value = ""
        if not operation.magnitude_free:
            sign = "±" if operation.signed and operation.identity == 0 else ""
            number = operation.values(step.magnitude).item()
            value = f" {sign}{number:.3g} {operation.unit}"
        chance = "" if step.probability >= 1 else f" with {step.probability:.0%}"
        return f"{operation.name}{value}{chance}"


def drawn_subpolicies(
    space: SearchSpace, count: int, length: int, seed: int
) -> tuple[SubPolicy, ...]:
    """Sub-policies drawn at random: the control that every search has to beat.

    Operations are uniform, probabilities uniform over 0, 0.1, .. 1 and magnitudes over 10 levels:
    the prior of AutoAugment's search space (Cubuk et al. 2018, section 3).
    """
    stream = Stream(seed=seed, index=np.arange(count))
    op = stream.race(space.names, length)
    u = stream.uniform("random policy", 2 * length).reshape(count, length, 2)
    probability, magnitude = np.floor(u[..., 0] * 11) / 10, np.floor(u[..., 1] * 10) / 9
    return tuple(
        tuple(
            Step(space.names[op[i, j]], round(float(probability[i, j]), 1), float(magnitude[i, j]))
            for j in range(length)
        )
        for i in range(count)
    )


@dataclass(frozen=True, kw_only=True)
class Drawn(Policy):
    """A policy drawn at random from the search space, anew for every seed.

    With ``seed=None`` the seed of the training draws the sub-policies, so that a comparison over
    several seeds measures random policies, not one lucky draw.
    """

    label: str
    operations: SearchSpace
    count: int = 25
    length: int = 2
    seed: int | None = None

    @property
    def name(self) -> str:
        """What a user types to get this policy."""
        return self.label

    @property
    def space(self) -> SearchSpace:
        """The operations that sequences refer to."""
        return self.operations

    @cached_property
    def _drawn(self) -> dict[int, Mixture]:
        return {}

    def mixture(self, seed: int) -> Mixture:
        """The policy that a seed draws."""
        seed = seed if self.seed is None else self.seed
        if seed not in self._drawn:
            table = drawn_subpolicies(self.operations, self.count, self.length, seed)
            self._drawn[seed] = Mixture(
                label=f"{self.label} drawn by seed {seed}",
                operations=self.operations,
                subpolicies=table,
                fill=self.fill,
                interpolation=self.interpolation,
            )
        return self._drawn[seed]

    def sample(self, stream: Stream) -> Sequences:
        """One sequence for each example of the stream."""
        return self.mixture(stream.seed).sample(stream)

    def table(self) -> Table:
        """The sub-policies of the fixed seed, or of seed 0."""
        return self.mixture(0).table()
