"""Random policies: the control that every search has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from automorph.operations import Operation, SearchSpace, Sequences, Stream
from automorph.policies.base import Table, check_range
from automorph.policies.naming import space_option, with_options
from automorph.policies.plans import Drawing
from automorph.policies.space_policy import SpacePolicy
from automorph.policies.subpolicies import Mixture, Step, SubPolicy


def drawn_subpolicies(
    space: SearchSpace, count: int, length: int, seed: int
) -> tuple[SubPolicy, ...]:
    """Draw sub-policies at random.

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


@lru_cache(maxsize=64)
def _drawn(policy: RandomPolicy, seed: int) -> Mixture:
    space = policy.operations
    return Mixture(
        label=f"{policy.title} drawn by seed {seed}",
        operations=space,
        subpolicies=drawn_subpolicies(space, policy.count, policy.length, seed),
        fill=policy.fill,
        interpolation=policy.interpolation,
    )


@dataclass(frozen=True, kw_only=True)
class RandomPolicy(SpacePolicy):
    """A policy drawn at random from the search space, again for every seed.

    With ``seed=None`` the seed of the training draws the sub-policies, so that a comparison over
    several seeds measures random policies, not one lucky draw.
    """

    count: int = 25
    length: int = 2
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle("count", int, 1, 1000)
        self._settle("length", int, 1, 20)
        if self.seed is not None:
            check_range("RandomPolicy", "seed", self.seed, int, -(2**63), 2**63 - 1)
            object.__setattr__(self, "seed", int(self.seed))
        self._need_operations()

    @property
    def title(self) -> str:
        """``random``, and the options that differ from the defaults."""
        options = [
            f"{what}={getattr(self, what)}"
            for what, default in (("count", 25), ("length", 2), ("seed", None))
            if getattr(self, what) != default
        ]
        return with_options(
            "random", [*options, space_option(self.operations, "autoaugment", self.fill)]
        )

    @property
    def drawable(self) -> tuple[Operation, ...]:
        """The operations that the fixed seed drew; without one, those of the space."""
        return tuple(self.space) if self.seed is None else self.mixture(self.seed).drawable

    @property
    def needs_seed(self) -> bool:
        """Whether the policy has no seed of its own."""
        return self.seed is None

    def with_seed(self, seed: int) -> RandomPolicy:
        """Return the policy drawn by this seed, unless it has its own."""
        return replace(self, seed=int(seed)) if self.seed is None else self

    def mixture(self, seed: int) -> Mixture:
        """Return the policy that a seed draws (any seed, if this policy has its own)."""
        return _drawn(self, int(seed) if self.seed is None else self.seed)

    def sample(self, stream: Stream) -> Sequences:
        """One sequence for each example of the stream."""
        return self.mixture(stream.seed).sample(stream)

    def _drawing(self, seed: int) -> Drawing | None:
        """Return how the compiled engine draws for the policy that the seed draws."""
        return self.mixture(seed)._drawing(seed) if type(self) is RandomPolicy else None

    def table(self) -> Table:
        """Return the sub-policies of the fixed seed; else how they are drawn."""
        if self.seed is not None:
            return self.mixture(self.seed).table()
        rows = (
            ("sub-policies", str(self.count)),
            ("operations in each", str(self.length)),
            ("drawn uniformly from", ", ".join(self.operations.names)),
            ("chance of each operation", "0%, 10%, .. 100%, uniform"),
            ("magnitude of each operation", "10 equal levels from 0 to 1, uniform"),
        )
        caption = "Every training seed draws sub-policies anew; each example gets one of them."
        return Table(("what", "value"), rows, caption)
