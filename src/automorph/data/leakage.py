"""The guard against leaks: no content of validation or test may also be in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from automorph import _moved
from automorph.data.cache import take_part
from automorph.data.dataset import Dataset, Split
from automorph.errors import DataError, UsageError

LeakageAction = Literal["refuse", "drop", "keep"]


@dataclass(frozen=True)
class Leakage:
    """The examples whose content lies in two parts.

    ``pairs`` gives, for two parts such as ``("train", "test")``, the names of the examples of the
    former that are also in the latter, each with the name of its first copy there.
    """

    pairs: Mapping[tuple[str, str], tuple[tuple[str, str], ...]]

    def __bool__(self) -> bool:
        return any(self.pairs.values())

    def __len__(self) -> int:
        return sum(map(len, self.pairs.values()))

    @_moved.renamed_arguments(most="max_items")
    def describe(self, max_items: int = 5) -> str:
        """Count and name the examples, the first ``max_items`` for every pair of parts."""
        lines = []
        for (left, right), found in self.pairs.items():
            if found:
                shown = ", ".join(f"{a} = {b}" for a, b in found[:max_items])
                more = f" and {len(found) - max_items:,} more" if len(found) > max_items else ""
                lines.append(
                    f"  {left} examples that are also in {right}: {len(found):,} ({shown}{more})"
                )
        return "\n".join(lines) or "  no example is in two parts"


def check_leakage(dataset: Dataset) -> Leakage:
    """Find the examples whose exact content (pixels or text, not the label) is in two parts.

    Near-duplicates (another crop, another encoder) are not found.

    >>> from automorph.data import from_arrays
    >>> images = np.arange(6, dtype=np.uint8).repeat(16).reshape(6, 4, 4, 1)
    >>> data = from_arrays(images, [0, 1, 0, 1, 0, 1], test=(images[:2], [0, 1]), leakage="keep")
    >>> print(check_leakage(data).describe())
      train examples that are also in test: 2 (train[0] = test[0], train[1] = test[1])
    """
    return Leakage(
        {
            (left, right): _shared(dataset.parts[left], dataset.parts[right])
            for left, right in combinations(dataset.parts, 2)
        }
    )


def guard_leakage(dataset: Dataset, *, leakage: LeakageAction = "refuse") -> Dataset:
    """Refuse, drop or keep the examples that are in two parts; return the data set.

    ``drop`` removes them from the part that is trained on (train before validation before test), so
    that the test part stays as published. The action is recorded in ``notes``. Raises DataError
    when there are such examples and ``leakage`` is ``refuse``.
    """
    if leakage not in get_args(LeakageAction):
        raise UsageError(f"leakage={leakage!r}: expected one of {get_args(LeakageAction)}.")
    found = check_leakage(dataset)
    if not found:
        return dataset
    if leakage == "keep":
        note = f"examples kept in two parts (leakage='keep'): {len(found):,}"
        return dataset.replace(notes=(*dataset.notes, note))
    if leakage == "refuse":
        raise DataError(
            f"{dataset.name}: the same examples are in more than one part, so the accuracy "
            f"would be overestimated:\n{found.describe()}\n"
            "Expected parts that share no content. Remove the copies, or drop them from the "
            "part used for training with leakage='drop' (--leakage drop; suitable for published "
            "splits that are known to overlap), or keep them with leakage='keep' (--leakage keep)."
        )
    changes = {}
    notes = []
    for name in ("train", "validation"):
        copies = {a for (left, _), pairs in found.pairs.items() if left == name for a, _ in pairs}
        if copies:
            part = dataset.parts[name]
            rows = np.flatnonzero([id not in copies for id in part.names])
            changes[name] = take_part(part, rows)
            notes.append(
                f"{name} examples dropped because they are also in a later part: {len(copies):,}"
            )
    return dataset.replace(**changes, notes=(*dataset.notes, *notes))


def _shared(left: Split, right: Split) -> tuple[tuple[str, str], ...]:
    contents, first = np.unique(right.digests, return_index=True)
    if not len(contents):
        return ()
    at: NDArray[np.intp] = np.searchsorted(contents, left.digests).clip(max=len(contents) - 1)
    rows = np.flatnonzero(contents[at] == left.digests)
    return tuple((left.names[row], right.names[first[at[row]]]) for row in rows)
