"""Subsets of the training part: a number of examples, by class and hash."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotation import TargetKind
from automorph.data.cache import take_part
from automorph.data.dataset import Dataset
from automorph.data.hashing import hashed
from automorph.data.notes import Notes
from automorph.errors import UsageError

_EVEN = 1.1  # classes whose sizes differ by a smaller factor count as equally large


def limited(dataset: Dataset, n: int, *, seed: int = 0, equal_classes: bool = False) -> Dataset:
    """Keep ``n`` training examples; the other parts stay whole.

    The classes keep their shares, or all get the same number with ``equal_classes``; see `choose`.
    """
    train = dataset.train
    rows = choose(train.labels, dataset.classes, n, seed=seed, equal_classes=equal_classes)
    if len(rows) == len(train):
        return dataset
    notes = Notes(dataset.notes)
    notes.add(limit_note(train.labels, rows, equal_classes=equal_classes, target=dataset.target))
    return dataset.replace(train=take_part(train, rows), notes=notes.lines)


def choose(
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    n: int,
    *,
    seed: int = 0,
    equal_classes: bool = False,
) -> NDArray[np.intp]:
    """Choose at most ``n`` rows by class and hash, in increasing order; skip labels below 0.

    The classes keep their shares, with at least one example each. With ``equal_classes`` they get
    the same number, as they do where their sizes differ by less than a tenth; a class with too few
    examples leaves the rest to the others. Within a class, examples are ordered by their hash, so
    that the rows of a smaller ``n`` lie within those of a larger one.

    >>> labels = np.array([0] * 30 + [1] * 10 + [-1])
    >>> np.bincount(labels[choose(labels, ("a", "b"), 8)])
    array([6, 2])
    >>> np.bincount(labels[choose(labels, ("a", "b"), 8, equal_classes=True)])
    array([4, 4])
    """
    present = np.unique(labels[labels >= 0])
    if n < len(present):
        raise UsageError(
            f"limit={n}: expected at least {len(present)}, one training example for each class."
        )
    key = np.empty(len(labels), dtype=np.uint64)
    rank = np.empty(len(labels), dtype=np.int64)
    size = np.ones(len(labels), dtype=np.int64)
    for number in present:
        rows = np.flatnonzero(labels == number)
        key[rows] = hashed(f"limit/{classes[number]}", np.arange(len(rows)), seed=seed)
        rank[rows[np.argsort(key[rows], kind="stable")]] = np.arange(len(rows))
        size[rows] = len(rows)
    usable = np.flatnonzero(labels >= 0)
    if equal_classes or _even(labels):
        # First of every class, second of every class, ...: balanced at any cut.
        order = np.lexsort((labels[usable], rank[usable]))
    else:
        # First of every class, then by the share of its class that an example completes
        # (the method of Sainte-Lague): the shares are right at any cut.
        share = np.where(rank == 0, 0, (2 * rank + 1) / (2 * size))[usable]
        order = np.lexsort((labels[usable], share))
    return np.sort(usable[order[:n]])


def check_equal_classes(limit: int | None, *, equal_classes: bool) -> None:
    """Refuse ``equal_classes`` without a limit, which it would silently have no effect on."""
    if equal_classes and limit is None:
        raise UsageError(
            "equal_classes=True: expected a limit to balance over the classes; add limit=N "
            "(--limit N), or leave out equal_classes (--equal-classes)"
        )


def _even(labels: NDArray[np.int64]) -> bool:
    """Return whether the sizes of the classes differ by less than a tenth."""
    _, counts = np.unique(labels[labels >= 0], return_counts=True)
    return bool(len(counts) and counts.max() < _EVEN * counts.min())


_STRATA: dict[TargetKind, str] = {
    "labels": "labels, each example counted for its rarest one",
    "values": "ranges of the first value",
}
"""What examples are shared out by, where it is not classes."""


def limit_note(
    labels: NDArray[np.int64],
    rows: NDArray[np.intp],
    *,
    equal_classes: bool,
    target: TargetKind = "classes",
) -> str:
    """Describe what a limit did to a part with these labels, or strata of another ``target``."""
    strata = _STRATA.get(target, "classes")
    total = np.count_nonzero(labels >= 0)
    kept = f"{len(rows):,} of {total:,} training examples kept (limit)"
    _, given = np.unique(labels[labels >= 0], return_counts=True)
    _, found = np.unique(labels[rows], return_counts=True)
    if len(found) < 2:
        return kept
    if not (equal_classes or _even(labels)):
        return f"{kept}, with the shares of the {strata}"
    if np.ptp(found) > 1:
        return f"{kept}, balanced over the {strata} as far as they have examples"
    if equal_classes or not np.ptp(given):
        return f"{kept}, balanced over the {strata}"
    return f"{kept}, balanced over the {strata} because their sizes differ by less than a tenth"
