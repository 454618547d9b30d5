"""Policies as plans of the compiled engine: one call draws for an image and processes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from automorph import engine, native
from automorph.errors import DataError, UsageError
from automorph.operations import NOTHING, SearchSpace, stream_key
from automorph.policies.rendering import Fill, Interpolation

PADDED = -3
"""The channels of RGB with a byte of padding after each pixel, as Pillow stores it."""
_MOST = 64
"""Plans that are kept for a policy, each for one seed and number of channels."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """How a policy draws under one seed, and what its draws can be: numbers of operations."""

    stages: tuple[native.Stage, ...]
    operations: frozenset[int]
    fill: Fill
    interpolation: Interpolation

    def at(self, number: int, offset: int) -> Drawing:
        """Return the drawing of a policy of one stage as a later stage of a chain."""
        stages = tuple(replace(one, number=number, offset=offset) for one in self.stages)
        return replace(
            self, stages=stages, operations=frozenset(offset + one for one in self.operations)
        )


class Drawn(Protocol):
    """What a plan needs of a policy."""

    @property
    def mixes_labels(self) -> bool:
        """Whether labels of different examples are mixed."""
        ...

    @property
    def space(self) -> SearchSpace:
        """The operations that it can draw."""
        ...

    def _drawing(self, seed: int) -> Drawing | None: ...


def joined(parts: Sequence[Drawing | None]) -> Drawing | None:
    """Return the drawings of the stages of a chain as one; None if they cannot be one.

    All must be compiled, and render alike.
    """
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or len({(one.fill, one.interpolation) for one in known}) != 1:
        return None
    return replace(
        known[0],
        stages=tuple(stage for one in known for stage in one.stages),
        operations=frozenset().union(*(one.operations for one in known)),
    )


def numbers_in(op: NDArray[np.int16]) -> frozenset[int]:
    """Return the numbers of the operations of some sequences."""
    return frozenset(np.unique(op[op != NOTHING]).tolist())


_plans: dict[int, dict[tuple[int, int], native.Plan | None]] = {}


def plan_of(policy: Drawn, seed: int, channels: int) -> native.Plan | None:
    """Return the plan of a policy under a seed, built once; None if it needs the general path.

    That is so if it draws in a way that is not compiled, or can draw an operation that is not, and
    for images that it refuses.
    """
    if not native.available():
        return None
    known = _plans.get(id(policy))
    if known is None:
        known = _plans[id(policy)] = {}
        finalize(policy, _plans.pop, id(policy), None)
    try:
        return known[seed, channels]
    except KeyError:
        if len(known) >= _MOST:
            known.clear()
        made = known[seed, channels] = _made(policy, seed, channels)
        return made


def _made(policy: Drawn, seed: int, channels: int) -> native.Plan | None:
    space = policy.space
    fits = len(space) and space.domain == "image" and not policy.mixes_labels
    drawing = policy._drawing(seed) if fits else None
    if drawing is None or sum(one.length for one in drawing.stages) > native.LONGEST_PLAN:
        return None
    pixel = np.zeros((1, 1, 1, 3 if channels == PADDED else channels), np.uint8)
    try:
        engine.check_examples(pixel, space)
        colour, outside = engine.check_fill(drawing.fill, pixel)
    except (DataError, UsageError):
        return None  # The general path says what is wrong.
    operations = engine.operation_table(space).operations
    if any(operations[number].kernel == native.BLACK_BOX for number in drawing.operations):
        return None
    return native.Plan(
        drawing.stages,
        operations,
        abs(channels) + (channels == PADDED),
        (stream_key(seed, "policy"), stream_key(seed, "coins"), stream_key(seed, "op")),
        np.append(colour, [255] * (4 - len(colour))).astype(np.uint8),
        drawing.interpolation == "bilinear",
        engine.OUTSIDE.index(outside),
    )
