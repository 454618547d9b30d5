"""Policies applied in order, as ``flip-crop + randaugment(n=2,m=9) + cutout(16)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from automorph import engine
from automorph.errors import PolicyError
from automorph.operations import NOTHING, Colour, Operation, SearchSpace, Sequences, Stream
from automorph.policies.base import Policy, Table
from automorph.policies.mixing import Mixing, unmixed
from automorph.policies.plans import Drawing, joined
from automorph.policies.rendering import Fill, Interpolation
from automorph.policies.space_policy import SpacePolicy
from automorph.policies.tensors import unchanged
from automorph.policies.union_space import joint_space
from automorph.text import Corpus

_MOST = 64
"""Largest number of stages."""


@dataclass(frozen=True, kw_only=True)
class Chain(Policy):
    """Policies applied in order; each draws from its own stage of the random numbers.

    Nested chains are flattened, so that equal stages in different positions never share draws.
    """

    stages: tuple[Policy, ...]

    def __post_init__(self) -> None:
        flat = tuple(_flat(self.stages))
        object.__setattr__(self, "stages", flat)
        if not 2 <= len(flat) <= _MOST:
            raise PolicyError(f"got a chain of {len(flat)} policies; expected 2 to {_MOST}")
        mixers = [stage.name for stage in flat if stage.mixes_last]
        if len(mixers) > 1:
            raise PolicyError(
                f"the policy mixes labels {len(mixers)} times ({', '.join(mixers)}); "
                "expected mixup or CutMix once, as the last stage"
            )
        if mixers and not flat[-1].mixes_last:
            raise PolicyError(
                f"{mixers[0]} comes before {flat[-1].name}; expected the stage that "
                "mixes labels to come last"
            )
        self._joint  # noqa: B018 - a space that cannot be joined is an error here, not later

    @property
    def name(self) -> str:
        """The name that a user types for this policy."""
        return " + ".join(stage.name for stage in self.stages)

    @property
    def mixes_labels(self) -> bool:
        """Whether any stage mixes labels."""
        return any(stage.mixes_labels for stage in self.stages)

    @property
    def mixes_last(self) -> bool:
        """Whether the last stage mixes examples."""
        return self.stages[-1].mixes_last

    @property
    def is_sequence(self) -> bool:
        """Whether all stages are sequences."""
        return all(stage.is_sequence for stage in self.stages)

    @property
    def drawable(self) -> tuple[Operation, ...]:
        """The operations that any stage can draw."""
        return tuple(dict.fromkeys(one for stage in self.stages for one in stage.drawable))

    @property
    def needs_epoch(self) -> bool:
        """Whether any stage changes with the epoch."""
        return any(stage.needs_epoch for stage in self.stages)

    @property
    def span(self) -> int:
        """The longest span of the stages."""
        return max(stage.span for stage in self.stages)

    @property
    def needs_seed(self) -> bool:
        """Whether the seed of the training draws any stage."""
        return any(stage.needs_seed for stage in self.stages)

    def rendered(
        self, *, fill: Fill | None = None, interpolation: Interpolation | None = None
    ) -> Chain:
        """Return the chain with another fill colour or resampling (None: unchanged)."""
        return Chain(
            stages=tuple(
                stage.rendered(fill=fill, interpolation=interpolation) for stage in self.stages
            )
        )

    def with_corpus(self, corpus: Corpus) -> Chain:
        """Return the chain with operations that use a corpus."""
        return Chain(stages=tuple(stage.with_corpus(corpus) for stage in self.stages))

    @property
    def space(self) -> SearchSpace:
        """The operations of all stages; equal names of later stages get the stage's number."""
        return self._joint[0]

    @cached_property
    def _joint(self) -> tuple[SearchSpace, tuple[int, ...]]:
        """The joint space, and the number of the first operation of each stage."""
        return joint_space(self.name, [stage.space for stage in self.stages])

    @property
    def needs_mean(self) -> bool:
        """Whether any stage needs the mean of the data."""
        return any(stage.needs_mean for stage in self.stages)

    def with_mean(self, mean: Colour) -> Chain:
        """Return the chain with the mean of the data."""
        return Chain(stages=tuple(stage.with_mean(mean) for stage in self.stages))

    def with_seed(self, seed: int) -> Chain:
        """Return the chain that a training with this seed uses."""
        return Chain(stages=tuple(stage.with_seed(seed) for stage in self.stages))

    def sample(self, stream: Stream) -> Sequences:
        """Return the sequences of all stages, joined."""
        return self._sample(range(len(self.stages)), stream, Sequences.empty(len(stream)))

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """Return the examples after all stages; adjacent stages with equal rendering run as one."""
        out, position = examples, 0
        for rendering, run in groupby(enumerate(self.stages), key=_rendering):
            numbers = [number for number, stage in run if len(stage.space)]
            if rendering is None:
                for number in numbers:
                    out = self.stages[number].transform(
                        out, stream.at_stage(number), threads=threads
                    )
                continue
            if not numbers:
                continue
            # Positions count through the whole chain, so that no stage repeats another's numbers.
            before = Sequences.of(np.full((len(stream), position), NOTHING))
            joined = self._sample(numbers, stream, before)
            position = joined.length
            out = engine.apply(
                out, joined, self.space, stream,
                fill=rendering[0], interpolation=rendering[1], threads=threads,
            )  # fmt: skip
        return unchanged(examples) if out is examples else out

    def _sample(self, numbers: Iterable[int], stream: Stream, joined: Sequences) -> Sequences:
        for number in numbers:
            part = self.stages[number].sample(stream.at_stage(number))
            joined = joined.then(part, offset=self._joint[1][number])
        return joined

    def _drawing(self, seed: int) -> Drawing | None:
        """Return how the compiled engine draws, if all stages are compiled and rendered alike."""
        if type(self) is not Chain:
            return None
        parts = []
        for number, stage in enumerate(self.stages):
            if len(stage.space):
                drawing = stage._drawing(seed)
                parts.append(drawing and drawing.at(number, self._joint[1][number]))
        return joined(parts)

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing | None:
        """Return the mixing of the last stage, if it mixes, after that by operations."""
        if not self.mixes_labels:
            return None
        last, found = self.stages[-1], None
        if last.mixes_last:
            found = last.mixing(stream.at_stage(len(self.stages) - 1), shape)
        if not any(stage.mixes_labels and not stage.mixes_last for stage in self.stages):
            return found
        return replace(found or unmixed(len(stream)), earlier=self.blends(stream))

    def blends(self, stream: Stream, position: int = 0) -> tuple[Mixing, ...]:
        """Return the mixings by operations of all stages, at the positions of ``transform``."""
        found: list[Mixing] = []
        for number, stage in enumerate(self.stages):
            own = stream.at_stage(number)
            if _rendering((number, stage)) is None:
                found += stage.blends(own)
            elif len(stage.space):
                found += stage.blends(own, position)
                position += stage.sample(own).length
        return tuple(found)

    def table(self) -> Table:
        """Return a table of the stages, in order."""
        rows = []
        for number, stage in enumerate(self.stages, 1):
            table = stage.table()
            rows.append((str(number), stage.name, table.caption))
            for row in table.rows:
                first, *others = (cell for cell in row if cell)
                first = f"{table.columns[0]} {first}" if first.isdigit() else first
                rows.append(("", first, " · ".join(others)))
        caption = f"{len(self.stages)} stages, one after the other."
        return Table(("stage", "policy or operation", "what it does"), tuple(rows), caption)


def chained(*policies: Policy) -> Policy:
    """Chain policies in order; a single one is returned unchanged.

    >>> from automorph import load_policy
    >>> chained(load_policy("flip-crop"), load_policy("cutout(8)")).name
    'flip-crop + cutout(8)'
    """
    return policies[0] if len(policies) == 1 else Chain(stages=policies)


def _flat(stages: Iterable[Policy]) -> Iterator[Policy]:
    for stage in stages:
        if not isinstance(stage, Policy):
            raise PolicyError(f"got {stage!r:.60} in a chain; expected policies (see load_policy)")
        if isinstance(stage, Chain):
            yield from stage.stages
        else:
            yield stage


def _rendering(numbered: tuple[int, Policy]) -> tuple[Fill, Interpolation] | None:
    """Return how a stage renders, or None if it is not a plain sequence."""
    stage = numbered[1]
    if isinstance(stage, SpacePolicy) and stage.is_sequence:
        return stage.fill, stage.interpolation
    return None
