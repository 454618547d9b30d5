"""Run a kernel on some rows of a batch, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.engine import user_functions
from automorph.native import Rows
from automorph.operations import KERNELS, Context, Operation, Values

_MOST_VALUES = 1 << 20
"""Kernels get at most about this many values at once, to keep their tables small."""


def run_kernel(
    operation: Operation,
    done: NDArray[Any],
    rows: NDArray[np.int64],
    values: Values,
    step_of: Callable[[NDArray[np.int64]], Context],
    *,
    compiled: bool = False,
    source: NDArray[Any] | None = None,
) -> None:
    """Apply an operation to some rows of ``done``, with one value per row.

    A batched function of the user gets all rows at once. ``compiled`` allows compiled steps. The
    rows are read from ``source``, or else changed in place.
    """
    known = KERNELS.get(operation.kernel)
    kernel = known.numpy if known else user_functions.call
    size = len(rows) if operation.batched else _MOST_VALUES // done[0].size
    if compiled and known and known.compiled:
        size *= 8  # Compiled steps have no tables of values.
    size = max(1, size)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        if compiled and known and known.compiled:
            known.compiled(Rows(done, part, source), values[start : start + size], step_of(part))
            continue
        before = (done if source is None else source)[part]
        done[part] = kernel(before, values[start : start + size], step_of(part))
