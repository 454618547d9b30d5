"""The epoch number, shared by all processes that load data."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import torch

from automorph.errors import UsageError

_NUMBER, _WATCHED, _TIMES, _WARNED = range(4)
_NOBODY = -1
_PATIENCE = 2


class SharedEpoch:
    """A number in shared memory, so that running workers see it change.

    It also detects when it is never changed: the first example of an epoch is watched, and a
    warning is issued when that example repeats too often.

    >>> epoch = SharedEpoch()
    >>> epoch.number = 3
    >>> epoch.number
    3
    """

    def __init__(self) -> None:
        self._cells = torch.tensor([0, _NOBODY, 0, 0])
        self._cells.share_memory_()  # type: ignore[no-untyped-call]

    def __deepcopy__(self, memo: object) -> SharedEpoch:
        # Copies of a data set or a transform share the same epoch counter.
        return self

    @property
    def number(self) -> int:
        """The epoch, from 0."""
        return int(self._cells[_NUMBER])

    @number.setter
    def number(self, epoch: int) -> None:
        whole = isinstance(epoch, (int, np.integer)) and not isinstance(epoch, bool)
        if not whole or not 0 <= epoch < 1 << 32:
            raise UsageError(f"got epoch={epoch!r}; expected a whole number, 0 or more")
        self._cells[:_WARNED] = torch.tensor([int(epoch), _NOBODY, 0])

    def watch(self, numbers: Iterable[int]) -> None:
        """Record the examples that are served; warn if they repeat."""
        cells = self._cells
        served = [int(number) for number in numbers]
        if int(cells[_WATCHED]) == _NOBODY and served:
            cells[_WATCHED] = served[0]
            return
        cells[_TIMES] += int(cells[_WATCHED]) in served
        if int(cells[_TIMES]) >= _PATIENCE and not int(cells[_WARNED]):
            cells[_WARNED] = 1
            warnings.warn(
                f"an example was augmented {_PATIENCE + 1} times in epoch {self.number}, each time "
                "identically; call set_epoch(epoch) at the start of every epoch, so that each one "
                "gets different augmentations",
                UserWarning,
                stacklevel=4,
            )


class InEpochs:
    """A mixin for objects with new draws in every epoch: it holds and sets the epoch."""

    _epoch: SharedEpoch

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self._epoch.number

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, also in running workers."""
        self._epoch.number = epoch
