"""Policies over the operations of a search space, with their rendering."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from automorph import _moved, engine
from automorph.errors import PolicyError
from automorph.operations import LABELS, MEAN, Colour, SearchSpace, Stream, partners
from automorph.policies.base import Policy
from automorph.policies.mixing import Mixing, unmixed
from automorph.policies.naming import with_options
from automorph.policies.rendering import (
    Fill,
    Interpolation,
    checked_fill,
    follows,
    painting,
    rendering_of,
)
from automorph.policies.tensors import unchanged
from automorph.text import Corpus

_MIXING = frozenset(operation.kernel for operation in LABELS)


@_moved.renamed_attributes(usual_rendering="default_rendering")
@dataclass(frozen=True, kw_only=True)
class SpacePolicy(Policy):
    """A policy over the operations of a search space, with their rendering.

    ``fill`` (one level, one per channel, or a word: see `Fill`) is what pixels from outside the
    image show; ``interpolation`` is the resampling of geometric operations. None: the defaults of
    the space.
    """

    operations: SearchSpace
    fill: Fill = None  # type: ignore[assignment]
    interpolation: Interpolation = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        who = type(self).__name__
        if not isinstance(self.operations, SearchSpace):
            raise PolicyError(
                f"{who} got operations={self.operations!r:.60}; expected a SearchSpace, "
                'for example automorph.operations.named_space("randaugment")'
            )
        fill, interpolation = self._rendering()
        given = fill if self.fill is None else checked_fill(who, self.fill)
        object.__setattr__(self, "fill", given)
        if self.interpolation is None:
            object.__setattr__(self, "interpolation", interpolation)
        if self.interpolation not in ("nearest", "bilinear"):
            raise PolicyError(
                f"{who} got interpolation={self.interpolation!r}; expected nearest or bilinear"
            )

    @property
    @abstractmethod
    def title(self) -> str:
        """The name without ``fill`` and ``interpolation``."""

    def _rendering(self) -> tuple[Fill, Interpolation]:
        """Return the fill and interpolation of a policy that is given none."""
        return rendering_of(self.operations)

    @property
    def default_rendering(self) -> tuple[Fill, Interpolation]:
        """Default fill and interpolation, which the name leaves out."""
        return self._rendering()

    @property
    def name(self) -> str:
        """The name that a user types for this policy."""
        fill, interpolation = self.default_rendering
        shown = self.fill != fill or follows(self.operations, self.fill)
        options = [f"fill={self.fill}".replace(" ", "")] if shown else []
        if self.interpolation != interpolation:
            options.append(f"interpolation={self.interpolation}")
        return with_options(self.title, options)

    @property
    def space(self) -> SearchSpace:
        """The operations that sequences refer to."""
        return self.operations

    def rendered(
        self, *, fill: Fill | None = None, interpolation: Interpolation | None = None
    ) -> Self:
        """Return the policy with another fill or resampling (None: unchanged).

        A colour is also that in which Cutout paints.
        """
        checked = None if fill is None else checked_fill(type(self).__name__, fill)
        return replace(
            self,
            operations=self.operations if checked is None else painting(self.operations, checked),
            fill=self.fill if checked is None else checked,
            interpolation=interpolation or self.interpolation,
        )

    @property
    def needs_mean(self) -> bool:
        """Whether any colour is the mean of the training data (``fill=mean``)."""
        return self.fill == MEAN or any(one.fill == MEAN for one in self.operations)

    def with_mean(self, mean: Colour) -> Self:
        """Return the policy with the mean of the data, one level per channel."""
        if not self.needs_mean:
            return self
        return replace(
            self,
            operations=self.operations.painted(mean, only=MEAN),
            fill=mean if self.fill == MEAN else self.fill,
        )

    def with_corpus(self, corpus: Corpus) -> Self:
        """Return the policy with operations that use a corpus."""
        return replace(self, operations=self.operations.fitted(corpus))

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """Return the examples after one draw of the policy."""
        if not len(self.space):
            return unchanged(examples)
        return engine.apply(
            examples,
            self.sample(stream),
            self.space,
            stream,
            fill=self.fill,
            interpolation=self.interpolation,
            threads=threads,
        )

    @property
    def mixes_labels(self) -> bool:
        """Whether an operation that it can draw mixes labels."""
        return any(one.kernel in _MIXING for one in self.drawable)

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing | None:
        """Return what the operations mix; None if they mix nothing."""
        if not self.mixes_labels:
            return None
        return replace(unmixed(len(stream)), earlier=self.blends(stream))

    def blends(self, stream: Stream, position: int = 0) -> tuple[Mixing, ...]:
        """Return how ``transform`` mixes labels, one entry per operation and position."""
        if not self.mixes_labels:
            return ()
        found, sequences = [], self.sample(stream)
        plain = stream.at_stage(0)
        for place in range(sequences.length):
            for number, operation in enumerate(self.space):
                used = sequences.fire[:, place] & (sequences.op[:, place] == number)
                rows = np.flatnonzero(used)
                if operation.kernel not in _MIXING or not len(rows):
                    continue
                one = unmixed(len(stream))
                share = operation.values(sequences.magnitude[rows, place])
                one.weight[rows] = 1 - share.astype(np.float32)
                own = plain.take(rows)
                one.partner[rows] = partners(operation, own, position + place, len(stream))
                found.append(one)
        return tuple(found)

    def _need_operations(self) -> None:
        if not len(self.operations):
            raise PolicyError(
                f"{type(self).__name__} got the space {self.operations.name!r} without "
                "operations; expected at least one"
            )
