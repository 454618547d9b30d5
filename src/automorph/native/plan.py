"""A policy as a plan for single images: one call draws the sequence and processes the image."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import AutomorphError
from automorph.native.library import library
from automorph.native.program import FAILURES, OperationRow
from automorph.native.random import address

PLANES_IN, PLANES_OUT = 1, 2
LONGEST_PLAN = 256


class StageRow(ctypes.Structure):
    """The struct ``Stage`` of core/interface.h."""

    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in ("names", "op", "probability", "magnitude", "edges")
        ),
        *(
            (name, ctypes.c_int32)
            for name in ("count", "length", "number", "offset", "levels", "sure")
        ),
        *((name, ctypes.c_float) for name in ("low", "span", "fires")),
    )  # fmt: skip


class _PlanRow(ctypes.Structure):
    _fields_ = (
        ("stages", ctypes.c_void_p),
        ("operations", ctypes.c_void_p),
        *(
            (name, ctypes.c_int32)
            for name in ("stage_count", "operation_count", "length", "channels")
        ),
        *((name, ctypes.c_uint32 * 2) for name in ("policy", "coins", "key")),
        ("fill", ctypes.c_uint8 * 4),
        *((name, ctypes.c_int32) for name in ("bilinear", "outside")),
    )


@dataclass(frozen=True, eq=False)
class Stage:
    """How a stage draws: by a race of ``names`` (keys), or one of ``subpolicies``.

    ``names`` uint32 ``(k, 2)``; ``subpolicies``: operations int16, probabilities and magnitudes
    float32, each ``(k, L)``, and the cumulative shares float64 ``(k,)``, or None if they are equal.
    ``number`` is that of the stage, and ``offset`` that of its first operation in the joint space.
    """

    length: int
    names: NDArray[np.uint32] | None = None
    low: float = 0.0
    span: float = 0.0
    levels: int = 0
    probability: float = 1.0
    subpolicies: tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]] | None = None
    edges: NDArray[np.float64] | None = None
    number: int = 0
    offset: int = 0

    def row(self) -> StageRow:
        """Return the stage as the compiled engine takes it; the stage must outlive it."""
        drawn = (None, None, None) if self.subpolicies is None else self.subpolicies
        pointers = (self.names, *drawn, self.edges)
        keys = self.names if self.names is not None else drawn[0]
        return StageRow(
            *(None if array is None else address(array) for array in pointers),
            0 if keys is None else len(keys),
            self.length,
            self.number,
            self.offset,
            self.levels,
            self.probability >= 1,
            self.low,
            self.span,
            self.probability,
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """A policy under one seed for images of ``channels`` channels.

    ``keys``: those of the streams ``policy``, ``coins`` and ``op``; ``fill`` uint8 ``(4,)``;
    ``outside``: a number of `Outside` in core/interface.h.
    """

    stages: Sequence[Stage]
    operations: ctypes.Array[OperationRow]
    channels: int
    keys: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    fill: NDArray[np.uint8]
    bilinear: bool
    outside: int
    where: int = field(init=False)
    _parts: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        stages = [stage for stage in self.stages if stage.length]
        rows = (StageRow * len(stages))(*(stage.row() for stage in stages))
        plan = _PlanRow(
            ctypes.addressof(rows),
            ctypes.addressof(self.operations),
            len(rows),
            len(self.operations),
            sum(stage.length for stage in self.stages),
            self.channels,
            *self.keys,
            tuple(self.fill.tolist()),
            self.bilinear,
            self.outside,
        )
        object.__setattr__(self, "_parts", (rows, plan))
        object.__setattr__(self, "where", ctypes.addressof(plan))


def arrow_pixels(array: object) -> int:
    """Return the address of the values of an array of Arrow's C data interface; 0: unknown.

    ``array`` is the capsule, which the caller keeps.
    """
    pointer = _pointer_of(array, b"arrow_array")
    return library()[0].functions.automorph_arrow_pixels(pointer) or 0


_pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def unwatched(table: int, rows: int, slots: int, row: int, number: int, size: int) -> bool:
    """Count an example that was served, if that is all there is to do (core/engine.cpp)."""
    functions = library()[0].functions
    return bool(functions.automorph_unwatched(table, rows, slots, row, number, size))


def memory_at(where: int, size: int) -> NDArray[np.uint8]:
    """Return memory at an address as an array; the caller keeps it alive."""
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(where))


def run_plan(
    plan: Plan,
    image: int,
    out: int,
    height: int,
    width: int,
    planes: int,
    index: int,
    copy: int,
    epoch: int,
) -> None:
    """Draw for one image and process it, from the address ``image`` to the address ``out``.

    Both hold uint8 ``(height, width, channels)``, or ``(channels, height, width)`` as the flags
    ``planes`` say.
    """
    loaded, variant = library()
    status = loaded.one(variant, plan.where, image, out, height, width, planes, index, copy, epoch)
    if status < 0:
        raise AutomorphError(FAILURES[status])
