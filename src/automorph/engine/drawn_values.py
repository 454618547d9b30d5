"""Compiled kernels for operations whose values are drawn, as imported pipelines have them.

The compiled walk computes values from magnitudes. Drawn values are computed here, and each image
gets a row of the table of operations that holds its own value.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.native import SHARE, OperationRow, Program
from automorph.operations import KERNELS, Operation, Values, painted

_MOST_ROWS = 1 << 15
"""Operations are numbered with 16 bits."""


def drawn_kernel(operation: Operation, rows: NDArray[np.int64], program: Program) -> int | None:
    """Return the compiled kernel of an operation that has no setting but drawn values, or None."""
    known = KERNELS.get(operation.kernel)
    if known is None or known.native is None or known.native >= native.kernel_count():
        return None
    only = operation.drawn and len(operation.settings) == 1 and not operation.function
    return known.native if only and not program.prefixes and len(rows) < _MOST_ROWS else None


def walk_drawn(
    kernel: int,
    program: Program,
    out: NDArray[np.uint8],
    operation: Operation,
    rows: NDArray[np.int64],
    values: Values,
    position: int,
) -> None:
    """Apply one operation in place at a position to some rows, with one value for each."""
    n = len(program.images)
    flags = SHARE * (operation.unit == "share")
    channels = len(operation.fill) if isinstance(operation.fill, tuple) else 4
    colour = tuple(painted(operation, channels).tolist())
    table = [OperationRow(kernel, flags, v, 0.0, 0.0, 0.0, colour) for v in values.tolist()]
    op = np.zeros((n, position + 1), np.int16)
    op[rows, position] = np.arange(len(rows))
    begin = np.full(n, position + 1, np.int32)
    begin[rows] = position
    one = replace(
        program,
        op=op,
        magnitude=np.zeros(op.shape, np.float32),
        fire=np.ones(op.shape, np.bool_),
        operations=(OperationRow * len(table))(*table),
    )
    native.walk(one, out, position=begin)
