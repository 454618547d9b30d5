"""Policies that draw operations uniformly: RandAugment, TrivialAugment, UniformAugment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.policies.base import Policy, Table
from automorph.space import SearchSpace, Sequences, Stream, normal


@dataclass(frozen=True, kw_only=True)
class Uniform(Policy):
    """``length`` operations drawn uniformly with replacement, each fired with ``probability``.

    Magnitudes are uniform in [``low``, ``high``] (over ``levels`` equal steps if given), plus
    normal noise of deviation ``spread``, clipped to [0, 1].

    - RandAugment (Cubuk et al. 2019): low = high = m / 30, probability 1.
    - TrivialAugment (Mueller and Hutter 2021): length 1, 31 levels.
    - UniformAugment (LingChen et al. 2020): length 2, a fair coin. Its probability is drawn from
      U(0, 1) and then tossed, which is a fair coin.
    """

    label: str
    operations: SearchSpace
    length: int = 1
    low: float = 0.0
    high: float = 1.0
    levels: int = 0
    spread: float = 0.0
    probability: float = 1.0

    @property
    def name(self) -> str:
        """What a user types to get this policy."""
        return self.label

    @property
    def space(self) -> SearchSpace:
        """The operations that sequences refer to."""
        return self.operations

    def sample(self, stream: Stream) -> Sequences:
        """One sequence for each example of the stream."""
        n, length = len(stream), self.length
        if length == 0:
            return Sequences.empty(n)
        op = stream.race(self.operations.names, length)
        magnitude = np.full((n, length), self.low, np.float32)
        if self.high > self.low:
            u: NDArray[np.floating[Any]] = stream.uniform("policy", length)
            if self.levels:
                u = np.floor(u * self.levels) / max(self.levels - 1, 1)
            magnitude = (self.low + (self.high - self.low) * u).astype(np.float32)
        if self.spread:
            first = stream.uniform("policy", length, start=1 << 20)
            second = stream.uniform("policy", length, start=2 << 20)
            noise = self.spread * normal(first, second)
            magnitude = np.clip(magnitude + noise, 0.0, 1.0).astype(np.float32)
        fire = True if self.probability >= 1 else stream.uniform("coins", length) < self.probability
        return Sequences.of(op, magnitude, fire)

    def table(self) -> Table:
        """The operations and the range of their values."""
        rows = []
        for operation in self.operations:
            if operation.magnitude_free:
                values = f"{operation.low:g}" if operation.identity is not None else "–"
            else:
                ends = operation.values([self.low, self.high])
                spread = {f"{end:.3g}" for end in ends.tolist()}
                values = " to ".join(sorted(spread, key=float))
                values = f"± {values}" if operation.signed and operation.identity == 0 else values
            rows.append((operation.name, values, operation.unit, operation.about))
        return Table(("operation", "value", "unit", "what it does"), tuple(rows))
