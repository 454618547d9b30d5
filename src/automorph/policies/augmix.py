"""AugMix: a convex mixture of short chains of operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import engine
from automorph.errors import PolicyError
from automorph.operations import NOTHING, Sequences, Stream
from automorph.policies import timm_spaces
from automorph.policies.base import COPIES, Table
from automorph.policies.formatting import number_text, value_text
from automorph.policies.mixing import beta, gamma
from automorph.policies.naming import share_text, space_option, with_options
from automorph.policies.rendering import Fill, Interpolation
from automorph.policies.space_policy import SpacePolicy
from automorph.policies.tensors import beside, rounded

_STAGES = 16
"""The chains of a view are numbered as copies of the example: 16 bits copy, 4 stage, 4 chain."""


@dataclass(frozen=True, kw_only=True)
class AugMix(SpacePolicy):
    """x_mix = (1 - m) x + m sum_i w_i chain_i(x) (Hendrycks et al. 2020, algorithm 1).

    w ~ Dirichlet(alpha, .., alpha) over ``width`` chains, m ~ Beta(alpha, alpha) unless ``share``
    fixes it. A chain has ``depth`` operations (0: 1 to 3, drawn), drawn uniformly with replacement,
    with magnitudes uniform from ``weakest`` / 10 to ``severity`` / 10. The paper mixes after
    normalisation, which is equivalent up to the rounding to whole levels.
    """

    severity: float = 3.0
    weakest: float = 0.1
    width: int = 3
    depth: int = 0
    alpha: float = 1.0
    share: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle("severity", float, 0, 10)
        self._settle("weakest", float, 0, self.severity)
        self._settle("width", int, 1, 8)
        self._settle("depth", int, 0, 10)
        self._settle("alpha", float, 0.1, 100)
        if self.share is not None:
            self._settle("share", float, 0, 1)
        self._need_operations()
        if self.operations.domain != "image":
            raise PolicyError("AugMix mixes pixels; expected a space of image operations")
        if self.mixes_labels:
            raise PolicyError(
                f"AugMix got the space {self.operations.name!r}, whose Mixup mixes labels; "
                "expected operations that keep them: leave Mixup out (SearchSpace.without)"
            )

    @property
    def title(self) -> str:
        """The shortest name that states all parameters."""
        return self._timm() or self._default_name()

    def _default_name(self) -> str:
        options = [f"severity={number_text(self.severity)}", f"width={self.width}"]
        options.append(f"depth={self.depth}")
        for what, default in (("weakest", 0.1), ("alpha", 1), ("share", None)):
            value = getattr(self, what)
            options.append(f"{what}={number_text(value)}" if value != default else "")
        return with_options(
            "augmix", [*options, space_option(self.operations, "augmix", self.fill)]
        )

    def _timm(self) -> str | None:
        """Return the name as a timm string, if it is one."""
        if (self.weakest, self.share) != (0, None) or self.operations != timm_spaces.augmix():
            return None
        depth = f"-d{self.depth}" if self.depth else ""
        alpha = f"-a{number_text(self.alpha)}" if self.alpha != 1 else ""
        return f"augmix-m{number_text(self.severity)}-w{self.width}{depth}{alpha}"

    def _rendering(self) -> tuple[Fill, Interpolation]:
        """Return the released code's rendering: bilinear, on black."""
        return 0, "bilinear"

    @property
    def default_rendering(self) -> tuple[Fill, Interpolation]:
        """timm's rendering, if the space is timm's."""
        return timm_spaces.RENDERING if self._timm() else super().default_rendering

    @property
    def is_sequence(self) -> bool:
        """Whether the policy is a single sequence: a mixture is not."""
        return False

    def sample(self, stream: Stream) -> Sequences:
        """Return the first chain of each example."""
        return self._chain(self._view(stream, 0))

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """Return the mixture of each example and its chains, rounded to whole levels."""
        weights, share = self.weights(stream)
        mixed: Any = 0.0
        for i in range(self.width):
            view = self._view(stream, i)
            chain = engine.apply(
                examples, self._chain(view), self.operations, view,
                fill=self.fill, interpolation=self.interpolation, threads=threads,
            )  # fmt: skip
            mixed = mixed + beside(weights[:, i, None, None, None], chain) * chain
        m = beside(share[:, None, None, None], examples)
        return rounded((1 - m) * examples + m * mixed, examples)

    def weights(self, stream: Stream) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the chain weights ``(n, width)`` and the mixture's share m ``(n,)``."""
        u = stream.uniform("mixing", self.width + 1, start=16)
        m = beta(u[:, self.width], self.alpha)
        if self.share is not None:
            m = np.full(len(stream), self.share, np.float32)
        # Gamma numbers divided by their sum are Dirichlet; u is kept away from 0.
        drawn = gamma(u[:, : self.width].astype(np.float64) + 2.0**-25, self.alpha)
        return (drawn / drawn.sum(1, keepdims=True)).astype(np.float32), m

    def _view(self, stream: Stream, chain: int) -> Stream:
        """Return the stream of a chain, numbered as a copy of the example used by nothing else."""
        if stream.stage >= _STAGES:
            raise PolicyError(
                f"got AugMix as stage {stream.stage + 1}; expected it among the first {_STAGES}"
            )
        return replace(stream, copy=stream.copy + ((chain + 1) * _STAGES + stream.stage) * COPIES)

    def _chain(self, view: Stream) -> Sequences:
        longest = self.depth or 3
        op = view.race(self.operations.names, longest)
        u = view.uniform("policy", longest + 1)
        magnitude = (self.weakest + (self.severity - self.weakest) * u[:, 1:]) / 10
        if not self.depth:
            op = np.where(np.arange(longest) < 1 + np.floor(u[:, :1] * longest), op, NOTHING)
        return Sequences.of(op, magnitude)

    def table(self) -> Table:
        """Return the operations and their values."""
        ends = (self.weakest / 10, self.severity / 10)
        rows = tuple(
            (operation.name, value_text(operation, *ends), operation.about)
            for operation in self.operations
        )
        depth = f"{self.depth}" if self.depth else "1 to 3"
        weight = "random" if self.share is None else share_text(self.share)
        caption = (
            f"For each example, {self.width} chains of {depth} of these operations, drawn "
            "uniformly, are mixed with random weights. The mixture is blended with the original "
            f"example; its weight is {weight}."
        )
        return Table(("operation", "value", "what it does"), rows, caption)
