"""Checks of the numbers that integrations take."""

from __future__ import annotations

from operator import index as whole_number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError


def checked_whole(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """Return an option as a plain number; raise ``UsageError`` if it is not whole, or outside.

    >>> checked_whole("copies", np.int64(3), 1)
    3
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or (low is not None and value < low) or (high is not None and value > high):
        limits = "" if low is None else f", {low} or more"
        limits = limits if high is None else f" from {low} to {high}"
        raise UsageError(f"got {name}={value!r:.60}; expected a whole number{limits}")
    return int(value)


def checked_epoch(epoch: Any) -> int:
    """Return an epoch as a plain number; raise ``UsageError`` for anything else."""
    return checked_whole("epoch", epoch, 0, (1 << 32) - 1)


def checked_numbers(index: Any, n: int, where: str = "index") -> NDArray[np.int64]:
    """Return the numbers of ``n`` examples, int64; raise ``UsageError`` for anything else.

    >>> checked_numbers([3, np.int64(5)], 2).tolist()
    [3, 5]
    """
    try:
        numbers = np.array([whole_number(number) for number in index], np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(
            f"got {where}={index!r:.80}; expected one whole number for each example, or None"
        ) from error
    if len(numbers) != n:
        raise UsageError(
            f"got {len(numbers)} numbers in {where} for {n} examples; expected one each"
        )
    return numbers
