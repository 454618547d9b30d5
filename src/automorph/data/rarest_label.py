"""Strata of examples with several labels: each counts for its rarest label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from automorph.data.labels import MISSING

ENOUGH = 10
"""Examples of a stratum: fewer join another one, unless the label itself is so rare."""
NO_LABEL = "no label"


def strata_of(
    matrices: Mapping[str, NDArray[np.int8]], names: Sequence[str]
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Return the stratum of every row by part, -1 where labels are missing, and their names.

    An example counts for the rarest of its labels in the training part, so that every part of a
    split gets its share of rare labels. A label that hardly ever is the rarest one has no stratum:
    its examples count for their next label. Iterative stratification (Sechidis et al. 2011, "On
    the stratification of multi-label data") divides the labels a little more evenly, but an added
    row may move all others, and it knows no groups that stay together.

    >>> labels = np.int8([[1, 0]] * 30 + [[1, 1]] * 10 + [[0, 0]] * 10)
    >>> strata, names = strata_of({"train": labels}, ["often", "rare"])
    >>> names, np.bincount(strata["train"]).tolist()
    (('often', 'rare', 'no label'), [30, 10, 10])
    """
    train = matrices["train"]
    train = train[train[:, 0] != MISSING]
    counts = train.sum(axis=0, dtype=np.int64)
    order = [int(k) for k in np.argsort(counts, kind="stable")]
    places = [k for k in order if counts[k]]
    # A stratum that is too small is left to the next labels of its examples.
    kept: list[int] = []
    free = np.ones(len(train), bool)
    for k in places:
        rows = free & (train[:, k] == 1)
        if rows.sum() >= min(ENOUGH, counts[k]):
            kept.append(k)
            free &= ~rows
    rest = int(free.sum())
    largest = max(kept, key=lambda k: int(counts[k]), default=0)
    found = {}
    for part, matrix in matrices.items():
        own = np.full(len(matrix), len(names) if rest >= ENOUGH else largest, np.int64)
        for k in reversed(kept):  # The rarest label is written last.
            own[matrix[:, k] == 1] = k
        own[matrix[:, 0] == MISSING] = MISSING
        found[part] = own
    return found, (*names, NO_LABEL)
