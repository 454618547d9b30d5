"""Policies that draw operations uniformly: RandAugment, TrivialAugment, UniformAugment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.operations import Sequences, Stream, normal, race_keys
from automorph.policies import timm_spaces
from automorph.policies.base import Table
from automorph.policies.formatting import number_text, scaled_text, value_text
from automorph.policies.naming import share_text, space_option, with_options
from automorph.policies.plans import Drawing
from automorph.policies.rendering import Fill, Interpolation
from automorph.policies.space_policy import SpacePolicy


@dataclass(frozen=True, kw_only=True)
class Uniform(SpacePolicy):
    """``length`` operations drawn uniformly with replacement, each fired with ``probability``.

    Magnitudes are uniform in [``low``, ``high``] (over ``levels`` equal steps if given), plus
    normal noise of standard deviation ``spread``, clipped to [0, 1].

    - RandAugment (Cubuk et al. 2019): low = high = m / 30, probability 1.
    - TrivialAugment (Mueller and Hutter 2021): length 1, 31 levels.
    - UniformAugment (LingChen et al. 2020): length 2, probability 1/2. The paper draws the
      probability from U(0, 1) and then tosses it, which is a fair coin.
    """

    length: int = 1
    low: float = 0.0
    high: float = 1.0
    levels: int = 0
    spread: float = 0.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle("length", int, 0, 100)
        self._settle("high", float, 0, 1)
        self._settle("low", float, 0, self.high)
        self._settle("levels", int, 0, 1000)
        self._settle("spread", float, 0, 10)
        self._settle("probability", float, 0, 1)
        if self.length:
            self._need_operations()

    @property
    def title(self) -> str:
        """The shortest name that states all parameters."""
        return self._timm() or self._paper() or self._composition()

    @property
    def default_rendering(self) -> tuple[Fill, Interpolation]:
        """timm's rendering, if the space is timm's."""
        return timm_spaces.RENDERING if self._timm() else super().default_rendering

    def _paper(self) -> str | None:
        """Return the name as one of the three papers' policies."""
        space = self.operations
        plain = self.spread == 0 and self.probability == 1
        if plain and not self.levels and self.low == self.high:
            m = scaled_text(self.low, 30)
            options = [f"n={self.length}", f"m={m}", space_option(space, "randaugment", self.fill)]
            return with_options("randaugment", options) if m else None
        whole = (self.low, self.high) == (0, 1)
        if plain and whole and (self.length, self.levels) == (1, 31):
            if not space_option(space, "trivialaugment-wide", self.fill):
                return "trivialaugment-wide"
            return with_options(
                "trivialaugment", [space_option(space, "trivialaugment", self.fill)]
            )
        if whole and not self.spread and not self.levels and self.probability == 0.5:
            options = [f"n={self.length}", space_option(space, "autoaugment", self.fill)]
            return with_options("uniformaugment", options)
        return None

    def _composition(self) -> str:
        """Return the name that fits every parameter."""
        options = [f"n={self.length}", f"p={number_text(self.probability)}"]
        for what, default in (("low", 0), ("high", 1), ("levels", 0), ("spread", 0)):
            value = getattr(self, what)
            options.append(f"{what}={number_text(value)}" if value != default else "")
        return with_options(
            "composition", [*options, space_option(self.operations, "randaugment", self.fill)]
        )

    def _timm(self) -> str | None:
        """Return the name as a timm string, if it is one."""
        increasing = self.operations == timm_spaces.increasing()
        magnitude = scaled_text(self.high, 10)
        spread = scaled_text(self.spread, 10)
        drawn = self.low == 0 and self.high > 0 and not self.spread
        if not (increasing or self.operations == timm_spaces.plain()) or self.levels:
            return None
        if not magnitude or not spread or not (drawn or self.low == self.high):
            return None
        parts = [f"rand-m{magnitude}"]
        parts += [f"n{self.length}"] if self.length != 2 else []
        parts += [f"p{number_text(self.probability)}"] if self.probability != 0.5 else []
        parts += ["mstd101"] if drawn else [f"mstd{spread}"] if self.spread else []
        return "-".join([*parts, "inc1"] if increasing else parts)

    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example of the stream."""
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

    def _drawing(self, seed: int) -> Drawing | None:
        """Return how the compiled engine draws; it has no normal numbers."""
        if type(self) is not Uniform or self.spread:
            return None
        stage = native.Stage(
            self.length,
            names=race_keys(seed, self.operations.names),
            low=self.low,
            span=self.high - self.low,
            levels=self.levels,
            probability=self.probability,
        )
        numbers = frozenset(range(len(self.operations)))
        return Drawing((stage,), numbers, self.fill, self.interpolation)

    def table(self) -> Table:
        """Return a table of the operations and their values."""
        rows = tuple(
            (operation.name, value_text(operation, self.low, self.high), operation.about)
            for operation in self.operations
        )
        count = "one" if self.length == 1 else f"{self.length}"
        parts = [f"For each example, {count} of these {len(rows)} operations, drawn uniformly"]
        parts += [f"each applied with a probability of {share_text(self.probability)}"] * (
            self.probability < 1
        )
        if self.levels:
            parts.append(f"each at one of {self.levels} values in its range")
        elif self.high > self.low:
            parts.append("each at a value drawn uniformly from its range")
        if self.spread:
            parts.append(
                f"normal noise with standard deviation {self.spread:g} on the magnitude (0 to 1)"
            )
        return Table(("operation", "value", "what it does"), rows, "; ".join(parts) + ".")
