"""The compiled path: pass sequences as flat arrays to the compiled engine in one call.

Operations outside the walk are black boxes: the walk stops before them, a compiled step or the
reference path (for the user's functions) runs them on their rows as a batch, and the walk resumes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.engine.batching import run_kernel
from automorph.engine.drawn_values import drawn_kernel, walk_drawn
from automorph.engine.validation import check_batch, check_fill
from automorph.native import BLACK_BOX, NEUTRAL, SHARE, SIGNED, WHOLE
from automorph.operations import (
    KERNELS,
    Context,
    Operation,
    Outside,
    SearchSpace,
    Sequences,
    Stream,
    painted,
    stream_key,
    values_of,
)

OUTSIDE: tuple[Outside, ...] = ("fill", "edge", "reflect")
"""In the order of `Outside` in native/core/interface.h."""


def apply_native(
    images: NDArray[np.uint8],
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    fill: int | str | Sequence[int] = 0,
    interpolation: str = "nearest",
    mode: str = "exact",
    prefixes: bool = False,
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Apply sequences to images with the compiled engine; see ``automorph.engine.apply``."""
    check_batch(images, sequences, space, stream, interpolation, mode, threads)
    table = operation_table(space)
    colour, outside = check_fill(fill, images)
    program = native.Program(
        np.ascontiguousarray(images),
        np.ascontiguousarray(sequences.op, np.int16),
        np.ascontiguousarray(sequences.magnitude, np.float32),
        np.ascontiguousarray(sequences.fire, np.bool_),
        table.operations,
        np.ascontiguousarray(stream.index),
        np.ascontiguousarray(stream.copy, np.uint32),
        colour,
        stream_key(stream.seed, "op"),
        stream.epoch,
        interpolation == "bilinear",
        mode == "fused",
        prefixes,
        OUTSIDE.index(outside),
    )
    out = program.new_result()
    if not len(images):
        return out
    if not table.black_boxes:
        native.walk(program, out, threads=threads)
        return out
    position = np.zeros(len(images), np.int32)
    while not native.walk(program, out, position=position, threads=threads):
        # Earliest position first, so that batches are those of the reference path.
        earliest = int(position.min())
        rows = np.flatnonzero(position == earliest)
        for number in np.unique(program.op[rows, earliest]):
            same = rows[program.op[rows, earliest] == number]
            _black_box(program, out, space.operations[number], same, earliest, stream)
        position[rows] += 1
    return out


def _black_box(
    program: native.Program,
    out: NDArray[np.uint8],
    operation: Operation,
    rows: NDArray[np.int64],
    position: int,
    stream: Stream,
) -> None:
    """Run one operation for the rows that stopped at a position."""

    def step_of(rows: NDArray[np.int64]) -> Context:
        own = stream.at_stage(0).take(rows)
        return Context(
            operation, own, position, program.images, program.fill, program.bilinear,
            OUTSIDE[program.outside],
        )  # fmt: skip

    if program.prefixes:
        out[rows, position + 1] = out[rows, position]
        out = out[:, position + 1]
    values = values_of(operation, program.magnitude[rows, position], step_of(rows))
    changed = values != operation.identity
    source = None if program.prefixes or position else program.images
    if source is not None:  # The walk has not touched these rows.
        out[rows[~changed]] = source[rows[~changed]]
    rows, values = rows[changed], values[changed]
    kernel = drawn_kernel(operation, rows, program)
    if kernel is not None:
        walk_drawn(kernel, program, out, operation, rows, values, position)
        return
    run_kernel(operation, out, rows, values, step_of, compiled=True, source=source)


@dataclass(frozen=True)
class OperationTable:
    """The operations of a space in the form that the compiled engine takes."""

    operations: ctypes.Array[native.OperationRow]
    black_boxes: bool


_tables: dict[int, OperationTable] = {}


def operation_table(space: SearchSpace) -> OperationTable:
    """Return the table of a space, built once per space."""
    table = _tables.get(id(space))
    if table is None:
        rows = [_row(operation) for operation in space]
        boxes = any(row.kernel == BLACK_BOX for row in rows)
        table = _tables[id(space)] = OperationTable((native.OperationRow * len(rows))(*rows), boxes)
        finalize(space, _tables.pop, id(space), None)
    return table


def _row(operation: Operation) -> native.OperationRow:
    """Build an operation's row: kernel, flags and the coefficients of ``Operation.values``."""
    low, high, identity = operation.low, operation.high, operation.identity
    known = None if operation.function or operation.settings else KERNELS.get(operation.kernel)
    number = None if known is None else known.native
    # A library that was built before the kernel was added lacks it.
    kernel = BLACK_BOX if number is None or number >= native.kernel_count() else number
    flags = (
        SIGNED * operation.signed
        | WHOLE * operation.whole
        | SHARE * (operation.unit == "share")
        | NEUTRAL * (identity is not None)
    )
    if identity is None or (not operation.signed and abs(low - identity) <= abs(high - identity)):
        base, plus, minus = low, high - low, high - low
    elif operation.signed:
        base, plus, minus = identity, high - identity, low - identity
    else:
        base, plus, minus = high, low - high, low - high
    channels = len(operation.fill) if isinstance(operation.fill, tuple) else 4
    colour = painted(operation, channels).tolist()
    return native.OperationRow(kernel, flags, base, plus, minus, identity or 0.0, tuple(colour))
