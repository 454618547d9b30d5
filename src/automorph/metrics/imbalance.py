"""The metric of data for which none was asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IMBALANCED = 3
"""Data are imbalanced if the largest class has more than this many times the examples of the
smallest one. A network that always answers one of two such classes is right in three of four
cases, and a policy that gives up the small class can win by accuracy."""


def default_metric(counts: NDArray[np.int64], classes: Sequence[str]) -> tuple[str, str]:
    """Return the metric for the training examples of each class, and a note on the choice.

    >>> default_metric(np.array([50, 40]), ("cat", "dog"))
    ('accuracy', '')
    >>> default_metric(np.array([90, 11]), ("benign", "malignant"))[0]
    'balanced-accuracy'
    """
    present = counts[counts > 0]
    if len(present) < 2 or present.max() <= IMBALANCED * present.min():
        return "accuracy", ""
    small = int(np.where(counts > 0, counts, counts.max()).argmin())
    note = (
        f"the classes have from {present.min():,} ({classes[small]!r}) to {present.max():,} "
        "training examples: the metric is balanced accuracy, which counts every class alike. "
        "Choose another with --metric (metric=..), such as accuracy"
    )
    return "balanced-accuracy", note
