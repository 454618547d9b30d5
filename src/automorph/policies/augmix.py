"""AugMix: a convex mixture of short chains of operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automorph import engine
from automorph.errors import UsageError
from automorph.policies.base import Policy, Table
from automorph.space import NOTHING, SearchSpace, Sequences, Stream

_CHAINS = 1 << 20  # copies from here on are the chains of a view


@dataclass(frozen=True, kw_only=True)
class AugMix(Policy):
    """x_mix = (1 - m) x + m sum_i w_i chain_i(x) (Hendrycks et al. 2020, algorithm 1).

    w ~ Dirichlet(1, .., 1) over ``width`` chains, m ~ Beta(1, 1), each chain of 1 to ``depth``
    operations (always ``depth`` if ``fixed_depth``), magnitudes uniform up to ``severity`` / 10.
    The paper mixes after normalisation; so do we, up to the rounding to whole levels.
    """

    label: str
    operations: SearchSpace
    severity: float = 3.0
    width: int = 3
    depth: int = 3
    fixed_depth: bool = False

    @property
    def name(self) -> str:
        """What a user types to get this policy."""
        return self.label

    @property
    def space(self) -> SearchSpace:
        """The operations that the chains refer to."""
        return self.operations

    def sample(self, stream: Stream) -> Sequences:
        """The first chain of each example; a mixture is more than one sequence."""
        return self._chain(stream, 0)

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """The mixture of the example and its chains, rounded to whole levels."""
        if self.operations.domain != "image":
            raise UsageError("AugMix mixes pixels; expected a space of image operations")
        weights, share = self.weights(stream)
        mixed = np.zeros(np.shape(examples), np.float32)
        for i in range(self.width):
            chain = self._view(stream, i)
            view = engine.apply(
                examples, self._chain(stream, i), self.operations, chain,
                fill=self.fill, interpolation=self.interpolation, threads=threads,
            )  # fmt: skip
            mixed += weights[:, i, None, None, None] * view
        m = share[:, None, None, None]
        return np.rint((1 - m) * examples + m * mixed).clip(0, 255).astype(np.uint8)

    def weights(self, stream: Stream) -> tuple[Any, Any]:
        """Dirichlet(1, ..) weights ``(n, width)`` of the chains, and m ``(n,)``."""
        u = stream.uniform("mixing", self.width + 1, start=16)
        # Exponential numbers over their sum are a draw from Dirichlet(1, .., 1).
        exponential = -np.log1p(-u[:, : self.width])
        total = np.maximum(exponential.sum(1, keepdims=True), np.float32(1e-12))
        return exponential / total, u[:, self.width]

    def _view(self, stream: Stream, chain: int) -> Stream:
        return replace(stream, copy=stream.copy + (chain + 1) * _CHAINS)

    def _chain(self, stream: Stream, chain: int) -> Sequences:
        view = self._view(stream, chain)
        op = view.race(self.operations.names, self.depth)
        u = view.uniform("policy", self.depth + 1)
        magnitude = (0.1 + (self.severity - 0.1) * u[:, 1:]) / 10
        if not self.fixed_depth:
            depth = 1 + np.floor(u[:, :1] * self.depth)
            op = np.where(np.arange(self.depth) < depth, op, NOTHING)
        return Sequences.of(op, magnitude)

    def table(self) -> Table:
        """The operations and the largest of their values."""
        rows = tuple(
            (
                operation.name,
                "–" if operation.magnitude_free else f"{operation.values(self.severity / 10):.3g}",
                operation.unit,
                operation.about,
            )
            for operation in self.operations
        )
        return Table(("operation", "strongest", "unit", "what it does"), rows)
