"""A kernel over some rows of a batch, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.engine import user_functions
from automorph.operations import KERNELS, Context, Operation, Values

_MOST_VALUES = 1 << 20
"""Kernels get at most about this many values at once, so that their tables stay small."""


def run_kernel(
    operation: Operation,
    done: NDArray[Any],
    rows: NDArray[np.int64],
    values: Values,
    step_of: Callable[[NDArray[np.int64]], Context],
) -> None:
    """Carry an operation out on some rows of ``done``, in place; ``values`` has one for each.

    A function of the user that takes batches gets all rows at once.
    """
    known = KERNELS.get(operation.kernel)
    kernel = known.numpy if known else user_functions.call
    size = len(rows) if operation.batched else _MOST_VALUES // done[0].size
    size = max(1, size)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        done[part] = kernel(done[part], values[start : start + size], step_of(part))
