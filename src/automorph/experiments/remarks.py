"""What a reader of a result must know before its numbers: networks that learned nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike


def constant_answers(predictions: Mapping[str, ArrayLike], classes: Sequence[str]) -> list[str]:
    """Return a sentence about every name whose predictions are of one class only.

    ``predictions`` are classes ``(n,)`` or ``(seeds, n)`` by policy or part; all seeds must agree
    on their class for themselves, not with each other. Without predictions nothing is said.

    >>> [words] = constant_answers({"none": [[1, 1], [0, 0]], "crop": [[0, 1]]}, ["cat", "dog"])
    >>> words[:34]
    "none always answers 'cat' or 'dog'"
    """
    found = []
    for name, predicted in predictions.items():
        rows = np.atleast_2d(np.asarray(predicted))
        if rows.size and (rows == rows[:, :1]).all():
            answers = " or ".join(repr(classes[y]) for y in sorted(set(rows[:, 0].tolist())))
            found.append(
                f"{name} always answers {answers}: the network has learned nothing from the "
                "examples. Train longer, change the learning rate (--lr), or check the labels."
            )
    return found


def base_rate(labels: ArrayLike, classes: Sequence[str]) -> tuple[str, float]:
    """Return the most frequent class, and the accuracy of always answering it.

    >>> base_rate([0, 1, 1], ["cat", "dog"])
    ('dog', 0.6666666666666666)
    """
    counts = np.bincount(np.asarray(labels), minlength=len(classes))
    return classes[int(counts.argmax())], float(counts.max() / max(1, counts.sum()))
