"""Whether examples are augmented identically again and again: repeats that nobody counted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import get_worker_info

from automorph import native
from automorph.integrations.notes import Notes

_ROWS, _SLOTS = 8, 16
_EMPTY = -1
_PATIENCE = 3
"""An example that comes so often has not just been looked at before the training."""
_PREFETCHED = 3
"""Batches that a running worker may still make of a pass that was broken off."""


class Watch:
    """Watches the first example of each of the first batches of an epoch, in shared memory.

    It warns once, at the third time that one of them comes, or when most of them come in a second
    pass; also where a batch holds an example twice.
    """

    def __init__(self) -> None:
        # Every worker fills a row of its own, so that none overwrites another's: the numbers that
        # are watched, how often they came again, and how many examples were served.
        self._table = torch.zeros((_ROWS, 2 * _SLOTS + 1), dtype=torch.int64)
        self._warned = torch.zeros(1, dtype=torch.int64)
        self._begun = torch.zeros(1, dtype=torch.int64)
        """How many epochs have begun, the same one again included."""
        for cells in (self._table, self._warned, self._begun):
            cells.share_memory_()  # type: ignore[no-untyped-call]
        self._here = (0, (0, 0), 0)
        self._where = self._table.data_ptr()
        self.notes = Notes()
        self.restart()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_where"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._where = self._table.data_ptr()

    def restart(self) -> None:
        """Begin an epoch: nothing was served yet."""
        self._begun += 1
        self._known = int(self._begun)
        """Of this process; workers that begin later keep it."""
        # Emptied first: a worker that serves meanwhile must not find example 0 everywhere.
        self._table[:, :_SLOTS] = _EMPTY
        self._table[:, _SLOTS:] = 0

    def serve(
        self,
        numbers: Sequence[int] | NDArray[np.int64],
        epoch: int,
        *,
        size: int | None = None,
        remedy: str,
        anew: str = "call set_epoch(epoch) before every pass",
    ) -> None:
        """Record a batch of examples; warn if they repeat. ``size``: how many there are.

        ``remedy`` says what to do if a sampler repeats examples, ``anew`` how to begin an epoch.
        """
        worker = get_worker_info()
        data: Any = getattr(worker, "dataset", None)
        size = len(data) if size is None and hasattr(data, "__len__") else size
        if len(numbers) == 1 and self._unwatched(int(numbers[0]), worker, size):
            return
        batch = np.asarray(numbers, np.int64)
        if int(self._warned[0]) or not len(batch):
            return
        table = self._table.numpy()
        watched, again, served = table[:, :_SLOTS], table[:, _SLOTS:-1], table[:, -1]
        row = worker.id % _ROWS if worker else 0
        here = np.isin(watched, batch) & (watched != _EMPTY)
        again[here] += 1
        # One for each batch, so that a few batches that were looked at before stay few.
        first_pass = size is None or served.sum() < size
        if not here.any() and first_pass and not self._stale(worker, epoch):
            free = np.flatnonzero(watched[row] == _EMPTY)[:1]
            again[row, free], watched[row, free] = 0, batch[0]
        served[row] += len(batch)

        known = watched != _EMPTY
        most = int(again[known].max(initial=0)) + 1
        # Where the size is known, so is the half of the second pass.
        enough, second = (3, True) if size is None else (2, 2 * served.sum() >= 3 * size)
        most_of_them = 4 * (again[known] > 0).sum() >= 3 * known.sum()
        if len(np.unique(batch)) < len(batch):
            self._warn("an example was augmented twice in one batch, identically", remedy)
        elif most >= _PATIENCE or (second and known.sum() >= enough and most_of_them):
            self._warn(
                f"an example was augmented {most} times in epoch {epoch}, each time identically",
                f"{anew}. If examples are repeated on purpose, {remedy}",
            )

    def _unwatched(self, number: int, worker: Any, size: int | None) -> bool:
        """Count an example if that is all there is to do: faster than augmenting a small image."""
        if not native.available():
            return False
        row = worker.id % _ROWS if worker else 0
        known = -1 if size is None else size
        return native.unwatched(self._where, _ROWS, _SLOTS, row, number, known)

    def _warn(self, what: str, remedy: str) -> None:
        self._warned[0] = 1
        self.notes.add(f"{what}; expected a different augmentation each time: {remedy}")

    def _stale(self, worker: Any, epoch: int) -> bool:
        """Return True if a worker may still be making batches of a pass that was broken off."""
        process, last, since = self._here
        now = (epoch, int(self._begun[0]))
        if worker is None:
            return False
        if process != os.getpid():
            # A worker that is slow to begin may first see an epoch that was set after its pass.
            last, since = now, _PREFETCHED if now[1] == self._known else 0
        # Counted from the batch with which this worker first sees the epoch.
        self._here = (os.getpid(), now, since + 1 if now == last else 1)
        return self._here[2] <= _PREFETCHED
