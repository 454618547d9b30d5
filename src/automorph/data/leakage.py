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
from automorph.data.dataset import Dataset
from automorph.data.notes import Notes
from automorph.data.together import keys_of
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

    Near-duplicates are noted separately: see `automorph.data.near_duplicates`.

    >>> from automorph.data import from_arrays
    >>> images = np.arange(6, dtype=np.uint8).repeat(16).reshape(6, 4, 4, 1)
    >>> data = from_arrays(images, [0, 1, 0, 1, 0, 1], test=(images[:2], [0, 1]), leakage="keep")
    >>> print(check_leakage(data).describe())
      train examples that are also in test: 2 (train[0] = test[0], train[1] = test[1])
    """
    return _leakage(dataset, {name: part.digests for name, part in dataset.parts.items()})


def _leakage(dataset: Dataset, keys: Mapping[str, NDArray[np.bytes_]]) -> Leakage:
    """Find the examples whose key is in two parts; ``keys`` by part, one for each row."""
    return Leakage(
        {
            (left, right): tuple(
                (dataset.parts[left].names[row], dataset.parts[right].names[copy])
                for row, copy in _shared(keys[left], keys[right])
            )
            for left, right in combinations(dataset.parts, 2)
        }
    )


def guard_leakage(dataset: Dataset, *, leakage: LeakageAction = "refuse") -> Dataset:
    """Refuse, drop or keep the examples that are in two parts; return the data set.

    ``drop`` removes them from the part that is trained on (train before validation before test), so
    that the test part stays as published. Examples of two parts that share a value of the column
    ``keep_together`` are treated in the same way. The action is recorded in ``notes``. Raises
    DataError when there are such examples and ``leakage`` is ``refuse``.
    """
    if leakage not in get_args(LeakageAction):
        raise UsageError(f"leakage={leakage!r}: expected one of {get_args(LeakageAction)}.")
    dataset = _guarded(dataset, check_leakage(dataset), _CONTENT, leakage)
    if dataset.keep_together is None:
        return dataset
    column = dataset.keep_together
    keys = {name: keys_of(dataset, part) for name, part in dataset.parts.items()}
    return _guarded(
        dataset,
        _leakage(dataset, keys),
        _Wording(
            f"examples with the same {column}",
            f"share no {column}",
            "the examples that share one",
            f"share their {column} with a later part",
        ),
        leakage,
    )


@dataclass(frozen=True)
class _Wording:
    """How messages name what two parts share."""

    same: str
    expected: str
    copies: str
    dropped: str


_CONTENT = _Wording(
    "the same examples", "share no content", "the copies", "are also in a later part"
)


def _guarded(dataset: Dataset, found: Leakage, words: _Wording, leakage: LeakageAction) -> Dataset:
    if not found:
        return dataset
    notes = Notes(dataset.notes)
    if leakage == "keep":
        what = "examples" if words is _CONTENT else words.same
        notes.add(f"{what} kept in two parts (leakage='keep'): {len(found):,}")
        return dataset.replace(notes=notes.lines)
    if leakage == "refuse":
        raise DataError(
            f"{dataset.name}: {words.same} are in more than one part, so the accuracy "
            f"would be overestimated:\n{found.describe()}\n"
            f"Expected parts that {words.expected}. Remove {words.copies}, or drop them from the "
            "part used for training with leakage='drop' (--leakage drop; suitable for published "
            "splits that are known to overlap), or keep them with leakage='keep' (--leakage keep)."
        )
    changes = {}
    for name in ("train", "validation"):
        copies = {a for (left, _), pairs in found.pairs.items() if left == name for a, _ in pairs}
        if copies:
            part = dataset.parts[name]
            rows = np.flatnonzero([id not in copies for id in part.names])
            changes[name] = take_part(part, rows)
            notes.add(f"{name} examples dropped because they {words.dropped}: {len(copies):,}")
    return dataset.replace(**changes, notes=notes.lines)


def _shared(left: NDArray[np.bytes_], right: NDArray[np.bytes_]) -> list[tuple[int, int]]:
    """Return the rows of ``left`` whose key is in ``right``, each with its first row there."""
    contents, first = np.unique(right, return_index=True)
    if not len(contents):
        return []
    at: NDArray[np.intp] = np.searchsorted(contents, left).clip(max=len(contents) - 1)
    rows = np.flatnonzero(contents[at] == left)
    return list(zip(rows.tolist(), first[at[rows]].tolist(), strict=True))
