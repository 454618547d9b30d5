"""The epoch number, shared by all processes that load data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from automorph.integrations.checks import checked_epoch
from automorph.integrations.watch import Watch

_NUMBER, _SET = range(2)


class CountedIndex(int):
    """An index that knows how often it came before in its epoch.

    Data sets use it as any other index. ``epoch_set`` is True if the sampler's epoch was set.
    """

    occurrence: int
    epoch: int
    epoch_set: bool

    def __new__(
        cls, number: int, occurrence: int = 0, epoch: int = 0, epoch_set: bool = False
    ) -> Any:
        """Make the index."""
        made = super().__new__(cls, number)
        made.occurrence, made.epoch, made.epoch_set = occurrence, epoch, epoch_set
        return made

    def __reduce__(self) -> Any:
        return CountedIndex, (int(self), self.occurrence, self.epoch, self.epoch_set)

    def at(self, number: int, occurrence: int) -> CountedIndex:
        """Return another index of the same pass."""
        made: CountedIndex = CountedIndex(number, occurrence, self.epoch, self.epoch_set)
        return made


class SharedEpoch:
    """A number in shared memory, so that running workers see it change.

    >>> epoch = SharedEpoch()
    >>> epoch.number = 3
    >>> epoch.number
    3
    """

    def __init__(self) -> None:
        self._cells = torch.tensor([0, 0])
        self._cells.share_memory_()  # type: ignore[no-untyped-call]
        self._shown = self._cells.numpy()
        self.watch = Watch()

    def __getstate__(self) -> dict[str, Any]:
        return {"_cells": self._cells, "watch": self.watch}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._shown = self._cells.numpy()  # pickled, it would be a copy

    def __deepcopy__(self, memo: object) -> SharedEpoch:
        # Copies of a data set or a transform share the same epoch counter.
        return self

    @property
    def number(self) -> int:
        """The epoch, from 0."""
        return int(self._shown[_NUMBER])

    @number.setter
    def number(self, epoch: int) -> None:
        whole = checked_epoch(epoch)
        self.watch.notes.relay()
        # The same number again is no new epoch: accelerate sets it for passes that are broken off.
        if whole != self.number or not self.is_set:
            self.watch.restart()
        self._cells[:] = torch.tensor([whole, 1])

    @property
    def is_set(self) -> bool:
        """Whether the number was ever set."""
        return bool(self._shown[_SET])

    def of(self, index: CountedIndex | None) -> int | None:
        """Return the epoch that a counted index brings along; None if this number counts.

        A sampler that counts its passes by itself gives way to a number that was set here.
        """
        if index is None or (self.is_set and not index.epoch_set):
            return None
        return index.epoch


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


def counting(data: Any) -> Iterator[Any]:
    """Yield a data set, those inside it, and their transforms."""
    if data is None:
        return
    yield data
    yield (getattr(data, "format", None) or {}).get("format_kwargs", {}).get("transform")
    for inside in (getattr(data, "dataset", None), *(getattr(data, "datasets", None) or ())):
        yield from counting(inside)
