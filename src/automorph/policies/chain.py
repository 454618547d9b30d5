"""Policies one after the other, as ``flip-crop + randaugment(n=2,m=9) + cutout(16)``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from automorph import engine
from automorph.errors import PolicyError
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy, Table
from automorph.policies.mixing import Mixing
from automorph.space import Operation, SearchSpace, Sequences, Stream


@dataclass(frozen=True, kw_only=True)
class Chain(Policy):
    """Policies applied in order; each draws from its own stage of the random numbers."""

    stages: tuple[Policy, ...]

    def __post_init__(self) -> None:
        mixers = [stage.name for stage in self.stages if stage.mixes_labels]
        if len(mixers) > 1:
            raise PolicyError(
                f"the policy mixes labels {len(mixers)} times ({', '.join(mixers)}); "
                "expected mixup or CutMix once, as the last stage"
            )
        if mixers and not self.stages[-1].mixes_labels:
            raise PolicyError(
                f"{mixers[0]} stands before {self.stages[-1].name}; expected the stage that "
                "mixes labels at the end"
            )

    @property
    def name(self) -> str:
        """What a user types to get this policy."""
        return " + ".join(stage.name for stage in self.stages)

    @property
    def mixes_labels(self) -> bool:
        """Whether the last stage mixes labels."""
        return any(stage.mixes_labels for stage in self.stages)

    @property
    def space(self) -> SearchSpace:
        """The operations of all stages; equal names of later stages get a number."""
        return self._joint[0]

    @cached_property
    def _joint(self) -> tuple[SearchSpace, tuple[int, ...]]:
        operations: list[Operation] = []
        offsets, taken = [], set()
        for number, stage in enumerate(self.stages):
            offsets.append(len(operations))
            for operation in stage.space:
                name = operation.name
                if name in taken:
                    name = f"{name}#{number + 1}"
                taken.add(name)
                operations.append(replace(operation, name=name))
        return SearchSpace(self.name, tuple(operations)), tuple(offsets)

    def sample(self, stream: Stream) -> Sequences:
        """The sequences of all stages, joined."""
        joined = Sequences.empty(len(stream))
        for number, stage in enumerate(self.stages):
            part = stage.sample(stream.at_stage(number))
            joined = joined.then(part, offset=self._joint[1][number])
        return joined

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """The examples after all stages; neighbours that share their rendering run as one."""
        position = 0
        out = examples
        for run in self._runs():
            first = self.stages[run[0]]
            if isinstance(first, AugMix):
                out = first.transform(out, stream.at_stage(run[0]), threads=threads)
                continue
            # Positions are those of the whole chain, so that no stage repeats another's numbers.
            joined = Sequences.of([[-1] * position] * len(stream))
            for number in run:
                part = self.stages[number].sample(stream.at_stage(number))
                joined = joined.then(part, offset=self._joint[1][number])
            position = joined.length
            out = engine.apply(
                out, joined, self.space, stream,
                fill=first.fill, interpolation=first.interpolation, threads=threads,
            )  # fmt: skip
        return out

    def _runs(self) -> list[list[int]]:
        runs: list[list[int]] = []
        for number, stage in enumerate(self.stages):
            if runs and self._alike(self.stages[runs[-1][-1]], stage):
                runs[-1].append(number)
            else:
                runs.append([number])
        return runs

    @staticmethod
    def _alike(a: Policy, b: Policy) -> bool:
        plain = not isinstance(a, AugMix) and not isinstance(b, AugMix)
        return plain and (a.fill, a.interpolation) == (b.fill, b.interpolation)

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing | None:
        """The mixing of the last stage, if it mixes."""
        last = len(self.stages) - 1
        return self.stages[last].mixing(stream.at_stage(last), shape) if self.stages else None

    def table(self) -> Table:
        """The rows of all stages, each with the name of its stage."""
        rows = []
        for stage in self.stages:
            table = stage.table()
            for row in table.rows:
                cells = (
                    f"{column} {cell}" if column in ("share",) else cell
                    for column, cell in zip(table.columns, row, strict=True)
                )
                rows.append((stage.name, " · ".join(cell for cell in cells if cell)))
        return Table(("stage", "what it does"), tuple(rows))
