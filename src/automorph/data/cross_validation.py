"""Repeated cross-validation: folds that are stratified, and grouped where rows belong together."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from automorph.data.cache import take_part
from automorph.data.dataset import Dataset
from automorph.data.folds import FEWEST, Folds
from automorph.data.hashing import hashed
from automorph.data.labels import listed
from automorph.data.near_duplicates import with_near_duplicates
from automorph.data.notes import Notes
from automorph.data.together import units_of
from automorph.errors import DataError, UsageError

FOLDS, REPEATS = 5, 2
"""Default numbers of folds and repeats."""
FEW = 500
"""Below this number of examples, one test part of a fifth of them tells too little."""


def with_folds(
    dataset: Dataset, folds: int, *, repeats: int | None = None, seed: int = 0
) -> Dataset:
    """Prepare a data set for ``repeats`` (default 2) times ``folds``-fold cross-validation.

    The data set must have no validation and no test part: in every repeat, each example is tested
    by one training, validates in another, and trains in the others (see `Folds`; `in_fold` gives
    the parts of a training). Folds are stratified by class and subgroup. Rows of equal content, and
    rows that share a value of ``keep_together``, stay in one fold.

    Raises UsageError for numbers out of range and for data that have parts, DataError when a class
    has fewer examples (or values of ``keep_together``) than there are folds.

    >>> from automorph.data import load_data
    >>> data = with_folds(load_data("digits"), 5)
    >>> {name: len(part) for name, part in in_fold(data, 0).parts.items()}
    {'train': 1077, 'validation': 360, 'test': 360}
    """
    repeats = REPEATS if repeats is None else repeats
    _check(dataset, folds, repeats)
    train = dataset.train
    units = _units(dataset)
    _check_classes(dataset, units, folds)
    groups = 1 if train.subgroups is None else len(dataset.subgroup_names)
    strata = train.labels * groups + (0 if train.subgroups is None else train.subgroups)
    drawn = [
        _assigned(strata, units, folds, state)
        for state in hashed("folds", np.arange(repeats), seed=seed) % np.uint64(2**32)
    ]
    made = Folds(folds, np.stack(drawn))
    _check_training(dataset, made)
    notes = Notes(dataset.notes)
    notes.add(
        f"cross-validation with {made.words}, seed={seed}: of {len(train):,} rows, one fold is "
        "the test part, the next the validation part, and the others train"
    )
    if dataset.keep_together is not None:
        notes.add(f"rows with the same {dataset.keep_together} stay in one fold")
        # Of few groups of different sizes, the splitter finds the same division again.
        if (different := _divisions(made)) < repeats:
            notes.add(
                f"the {repeats} repeats divide the rows in only {different} different way"
                f"{'s' * (different > 1)}, because there are few values of "
                f"{dataset.keep_together}: more repeats add little"
            )
    elif units.max() + 1 < len(units):
        notes.add("rows of equal content stay in one fold")
    alike = with_near_duplicates(in_fold(dataset.replace(folds=made), 0))
    notes.add(*(f"in the first fold: {note}" for note in alike.notes if note not in dataset.notes))
    return dataset.replace(folds=made, notes=notes.lines)


def with_default_folds(dataset: Dataset) -> Dataset:
    """Prepare a data set for cross-validation if it has few examples and no parts, with a note.

    Other data sets are returned as they are; also those with a class of fewer examples than folds.
    """
    few = len(dataset.train) < FEW and len(dataset.parts) == 1 and not dataset.train.on_demand
    if not few or dataset.folds is not None:
        return dataset
    counts = _units_by_class(dataset, _units(dataset))
    if (counts[counts > 0] < FOLDS).any():
        return dataset
    made = with_folds(dataset, FOLDS)
    assert made.folds is not None
    return made.noting(
        f"{made.folds.words}, because {dataset.name} has fewer than {FEW} examples; for one split "
        "into parts, use --folds 0"
    )


def in_fold(dataset: Dataset, cell: int) -> Dataset:
    """Return the data of one training of a cross-validation, with their parts.

    Without folds, it is the data set itself. Raises UsageError if there is no such cell.
    """
    if dataset.folds is None:
        return dataset
    parts = {
        name: take_part(dataset.train, rows) for name, rows in dataset.folds.rows(cell).items()
    }
    return dataset.replace(folds=None, **parts)


def _divisions(folds: Folds) -> int:
    """Count the repeats that differ in more than the numbers of their folds."""
    first_rows = (np.unique(of_row, return_index=True) for of_row in folds.of_row)
    return len({
        tuple(first[of_row].tolist())
        for of_row, (_, first) in zip(folds.of_row, first_rows, strict=True)
    })  # fmt: skip


def _units(dataset: Dataset) -> NDArray[np.intp]:
    """Number what must stay in one fold, ``(n,)``: rows of equal content or ``keep_together``."""
    if dataset.keep_together is not None:
        return units_of(dataset)
    return np.unique(dataset.train.digests, return_inverse=True)[1]


def _units_by_class(dataset: Dataset, units: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count the units with a row of each class: ``(classes,)``."""
    pairs = np.unique(np.stack([dataset.train.labels, units], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(dataset.classes))


def _assigned(
    strata: NDArray[np.int64], units: NDArray[np.intp], folds: int, state: np.uint64
) -> NDArray[np.int64]:
    """Return the fold of every row: ``(n,)``."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # Slow to import.

    # In the order of the classes, the rows of a class are dealt out to the folds in turn, whatever
    # their subgroups: every fold gets some of each class.
    order = np.argsort(strata, kind="stable")
    alone = len(np.unique(units)) == len(units)
    splitter = StratifiedKFold if alone else StratifiedGroupKFold
    made = splitter(folds, shuffle=True, random_state=int(state))
    of_row = np.zeros(len(strata), np.int64)
    with warnings.catch_warnings():
        # About subgroups with fewer rows than folds.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, rows) in enumerate(made.split(order, strata[order], units[order])):
            of_row[order[rows]] = number
    return of_row


def _check(dataset: Dataset, folds: int, repeats: int) -> None:
    if folds < FEWEST:
        raise UsageError(
            f"got {folds} folds; expected at least {FEWEST}: one tests, one validates, and the "
            "others train. Use --folds 5 (folds=5), or --folds 0 for one split into parts"
        )
    if repeats < 1:
        raise UsageError(f"got {repeats} repeats; expected 1 or more: use --repeats 2 (repeats=2)")
    if dataset.folds is not None:
        raise UsageError(
            f"{dataset.name} already has {dataset.folds.words}; leave out folds and repeats"
        )
    if dataset.train.on_demand:
        raise UsageError(
            f"got folds for {dataset.name}, whose examples are read on demand; cross-validation "
            "is for small data: leave out --on-demand (on_demand), or leave out --folds (folds)"
        )
    given = {name: n for name, n in dataset.sizes.items() if name != "train"}
    if given:
        which = " and ".join(f"a {name} part ({n:,} rows)" for name, n in given.items())
        raise UsageError(
            f"got folds for {dataset.name}, which has {which}; expected data without parts, "
            "because every example is then tested. Leave out --folds (folds) to use these parts, "
            "or pass the rows in one part"
        )


def _check_classes(dataset: Dataset, units: NDArray[np.intp], folds: int) -> None:
    """Refuse classes that cannot reach every fold."""
    counts = _units_by_class(dataset, units)
    small = np.flatnonzero((counts > 0) & (counts < folds))
    if not len(small):
        return
    what = "different examples"
    if dataset.keep_together is not None:
        what = f"values of {dataset.keep_together}"
    found = listed((f"{dataset.classes[c]} ({counts[c]})" for c in small), 20)
    least = int(counts[small].min())
    fewer = f"use fewer folds (--folds {least}), " if least >= FEWEST else ""
    raise DataError(
        f"{dataset.name}: classes too small for {folds} folds: {found}. Expected at least {folds} "
        f"{what} of each class: {fewer}add examples, or remove those classes."
    )


def _check_training(dataset: Dataset, folds: Folds) -> None:
    """Refuse folds, of rows that belong together, of which one has all examples of a class."""
    for cell, labels in _training_labels(dataset, folds):
        counts = np.bincount(labels, minlength=len(dataset.classes))
        missing = np.flatnonzero(
            (counts == 0) & (np.bincount(dataset.train.labels, minlength=len(counts)) > 0)
        )
        if len(missing):
            raise DataError(
                f"{dataset.name}: with {folds.words}, training {cell} has no example of "
                f"{dataset.classes[missing[0]]!r}, because rows of one "
                f"{dataset.keep_together} stay in one fold; use another number of folds "
                "(--folds), or add examples."
            )


def _training_labels(dataset: Dataset, folds: Folds) -> Iterator[tuple[int, NDArray[np.int64]]]:
    for cell in range(folds.cells):
        yield cell, dataset.train.labels[folds.rows(cell)["train"]]
