"""How many examples of each class the parts of a data set have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.dataset import Dataset


def class_counts(data: Dataset) -> dict[str, NDArray[np.int64]]:
    """Return the examples of each class by part, int64 ``(k,)``; of folds, also by cell.

    >>> from automorph.data import load_data, split
    >>> class_counts(split(load_data("digits", limit=100)))["train"].sum() > 0
    np.True_
    """
    k = len(data.classes)
    found = {name: np.bincount(part.labels, minlength=k) for name, part in data.parts.items()}
    for cell in range(data.folds.cells if data.folds else 0):
        assert data.folds is not None
        for name, rows in data.folds.rows(cell).items():
            if name != "train":
                labels = data.train.labels[rows]
                found[f"{name} (fold {cell})"] = np.bincount(labels, minlength=k)
    return found


def expected_by_part(data: Dataset) -> dict[str, NDArray[Any]]:
    """Return what is expected in each part, ``(n, ..)``; of folds, also by cell.

    To refuse a metric that a part has no value of, and for nothing else: no choice may depend on
    what the test part holds.
    """
    found = {name: part.expected for name, part in data.parts.items()}
    for cell in range(data.folds.cells if data.folds else 0):
        assert data.folds is not None
        for name, rows in data.folds.rows(cell).items():
            if name != "train":
                found[f"{name} (fold {cell})"] = data.train.expected[rows]
    return found
