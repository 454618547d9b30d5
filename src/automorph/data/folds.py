"""Folds: which examples are tested by which training of a cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError

FEWEST = 3
"""One fold tests, one validates, and the others train."""


@dataclass(frozen=True, eq=False)
class Folds:
    """The fold of every example in every repeat, ``of_row`` int64 ``(repeats, n)`` in [0, count).

    A *cell* is one fold of one repeat; cells are numbered through all repeats. In the cell of fold
    k, fold k is the test part, the next one the validation part, and the others train. If
    ``sealed``, cells have no test part (see `automorph.data.Dataset.without_test`).

    >>> folds = Folds(3, np.array([[0, 1, 2, 0, 1, 2]]))
    >>> {part: rows.tolist() for part, rows in folds.rows(1).items()}
    {'train': [0, 3], 'validation': [2, 5], 'test': [1, 4]}
    """

    count: int
    of_row: NDArray[np.int64]
    sealed: bool = False

    def __repr__(self) -> str:
        return f"Folds({self.words})"

    @property
    def repeats(self) -> int:
        """How often all examples are divided anew."""
        return len(self.of_row)

    @property
    def cells(self) -> int:
        """The number of trainings of one policy."""
        return self.count * self.repeats

    @property
    def words(self) -> str:
        """The size of the cross-validation: ``5 folds x 2 repeats``."""
        return f"{self.count} folds x {self.repeats} repeat{'s' * (self.repeats != 1)}"

    @property
    def overlap(self) -> float:
        """The ratio of test examples to training examples in a cell, ``n_test / n_train``."""
        return 1 / (self.count - 2)

    @property
    def training_rows(self) -> int:
        """About how many examples train in a cell."""
        return int(self.of_row.shape[1]) * (self.count - 2) // self.count

    def rows(self, cell: int) -> dict[str, NDArray[np.intp]]:
        """Return the rows of every part of a cell. Raises UsageError if there is no such cell."""
        if not 0 <= cell < self.cells:
            raise UsageError(
                f"got the seed {cell} with {self.words}; expected 0 to {self.cells - 1}: with "
                "folds, the seed of a training is the number of its fold, through all repeats"
            )
        repeat, fold = divmod(cell, self.count)
        of_row = self.of_row[repeat]
        held = {"validation": (fold + 1) % self.count, "test": fold}
        train = np.flatnonzero(~np.isin(of_row, list(held.values())))
        parts = {"train": train, **{name: np.flatnonzero(of_row == k) for name, k in held.items()}}
        return {name: rows for name, rows in parts.items() if name != "test" or not self.sealed}

    def pooled(self, by_cell: list[NDArray[Any]]) -> NDArray[Any]:
        """Put values of the test examples of all cells in the order of the examples.

        ``by_cell`` has one array ``(n_test, ..)`` for each cell; the result is ``(repeats, n,
        ..)``.
        """
        first = np.asarray(by_cell[0])
        pool = np.zeros((*self.of_row.shape, *first.shape[1:]), first.dtype)
        for cell, values in enumerate(by_cell):
            repeat, fold = divmod(cell, self.count)
            pool[repeat, self.of_row[repeat] == fold] = values
        return pool

    def sealing(self) -> Folds:
        """Return the folds of trainings that must not see their test parts."""
        return replace(self, sealed=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the size of the cross-validation as plain data, for results."""
        return {"count": self.count, "repeats": self.repeats, "examples": self.of_row.shape[1]}

    def describe(self) -> dict[str, Any]:
        """Return what identifies the folds; more repeats leave it as it is."""
        first = blake2b(self.of_row[0].astype("<i8").tobytes(), digest_size=8).hexdigest()
        return {"count": self.count, "hash": first}
