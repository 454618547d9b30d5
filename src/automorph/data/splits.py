"""Validation and test parts by hashed index."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from automorph.data.cache import take_part
from automorph.data.dataset import PARTS, Dataset
from automorph.data.hashing import hashed
from automorph.data.labels import listed
from automorph.data.near_duplicates import with_near_duplicates
from automorph.data.notes import Notes
from automorph.data.together import keys_of, representatives, shares_note, units_of
from automorph.errors import DataError, UsageError

_TRAIN, _VALIDATION, _TEST = range(len(PARTS))


def split(
    dataset: Dataset,
    *,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    by_subgroup: bool = True,
) -> Dataset:
    """Split the missing validation and test parts off the train split.

    ``validation`` and ``test`` are shares of the present train part, in [0, 1); 0 makes no such
    part, and an existing part is kept whole. The split is

    - *stratified*: within every group (class, or class and subgroup unless ``by_subgroup`` is
      False, which splits as if no subgroups were known) the examples are taken in blocks of
      ``ceil(1 / smallest share)`` in the order of the source, and every block gives each part its
      share;
    - *hashed*: which examples of a block go where is a pure function of (seed, names of the group,
      position within the group), so it depends only on the seed and the data;
    - *stable*: rows added at the end move no earlier row to another part;
    - *free of leaks*: an example with the same content as an earlier one goes to the same part.

    If the data set has a column ``keep_together``, rows that share a value of it stay in one part.
    Whole groups are then taken in blocks in the order of their first rows, so every part gets its
    share of the groups of each class, and of the rows only as far as the groups are of one size.
    A group of several classes counts for the rarest of them. Added rows then move an earlier group
    only if they change which of its classes is the rarest.

    Raises UsageError for invalid shares, DataError when a class is too small for each part to get
    an example of it.

    >>> from automorph.data import load_data
    >>> parts = split(load_data("digits"), seed=0).parts
    >>> [len(part) for part in parts.values()]
    [1077, 359, 361]
    """
    shares = {
        _VALIDATION: validation if dataset.validation is None else 0.0,
        _TEST: test if dataset.test is None else 0.0,
    }
    if not all(0 <= share < 1 for share in (validation, test)) or sum(shares.values()) >= 1:
        raise UsageError(
            f"validation={validation} and test={test}: expected fractions of the rows, each "
            "at least 0, that add up to less than 1."
        )
    if dataset.folds is not None or not any(shares.values()):
        return dataset  # Each training of a cross-validation has parts of its own.
    train = dataset.train
    names, strata = _strata(dataset.classes, train.labels, dataset.subgroup_names,
                            train.subgroups if by_subgroup else None)  # fmt: skip
    if dataset.keep_together is None:
        units = None
        assigned = _assign_parts(names, strata, shares, seed)
        _, first, copy = np.unique(train.digests, return_index=True, return_inverse=True)
        assigned = assigned[first[copy]]
    else:
        units = units_of(dataset)
        assigned = _assign_parts(names, strata, shares, seed, units)
    _check_every_class(dataset, assigned, shares, units)
    made = {
        name: take_part(train, np.flatnonzero(assigned == number))
        for number, name in enumerate(PARTS)
        if number == _TRAIN or shares[number]
    }
    notes = Notes(dataset.notes)
    notes.add(
        *(
            f"{name} part: {len(part):,} of {len(train):,} rows by hashed index, seed={seed}"
            for name, part in made.items()
            if name != "train"
        )
    )
    if dataset.keep_together is not None:
        keys = ((name, keys_of(dataset, part)) for name, part in made.items())
        notes.add(shares_note(dataset, keys))
    return with_near_duplicates(dataset.replace(**made, notes=notes.lines))


def default_training_rows(
    classes: tuple[str, ...],
    labels: NDArray[np.int64],
    subgroup_names: tuple[str, ...],
    subgroups: NDArray[np.int64] | None,
    *,
    present: Collection[str],
    units: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Return the rows that `split`, with its defaults, leaves in the training part.

    For choices on pixels that are made while a source is read, before it is split. ``present`` are
    the parts that the source has. Copies of one content, and rows that turn out to be bad, may
    change the part of single rows.
    """
    shares = {number: 0.0 if PARTS[number] in present else 0.2 for number in (_VALIDATION, _TEST)}
    names, strata = _strata(classes, labels, subgroup_names, subgroups)
    assigned = _assign_parts(names, strata, shares, 0, units)
    return np.flatnonzero(assigned == _TRAIN)


def _strata(
    classes: tuple[str, ...],
    labels: NDArray[np.int64],
    subgroup_names: tuple[str, ...],
    subgroups: NDArray[np.int64] | None,
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the groups (class, or class and subgroup) and each row's group."""
    if subgroups is None:
        return classes, labels
    names = tuple(f"{c}/{s}" for c in classes for s in subgroup_names)
    return names, labels * len(subgroup_names) + subgroups


def _assign_parts(
    names: tuple[str, ...],
    strata: NDArray[np.int64],
    shares: dict[int, float],
    seed: int,
    units: NDArray[np.intp] | None = None,
) -> NDArray[np.int8]:
    """Assign every row to a part: blocks of a group, shuffled by hash, cut by share.

    With ``units``, whole units are assigned, each in the group of its representative.
    """
    if units is not None:
        chosen = representatives(units, strata)
        return _assign_parts(names, strata[chosen], shares, seed)[units]
    block = _block(shares) if any(shares.values()) else 1
    assigned = np.full(len(strata), _TRAIN, dtype=np.int8)
    for number in np.unique(strata):
        rows = np.flatnonzero(strata == number)
        blocks = -(-len(rows) // block)
        # The last block is hashed in full even if it is incomplete: rows added later fill it
        # without moving the existing ones.
        key = hashed(f"split/{names[number]}", np.arange(blocks * block), seed=seed)
        key = key.reshape(-1, block)
        rank = np.argsort(np.argsort(key, axis=1, kind="stable"), axis=1)
        test, validation = (_quota(shares[part], block, blocks) for part in (_TEST, _VALIDATION))
        cut = np.full(rank.shape, _TRAIN, dtype=np.int8)
        cut[rank < test + validation] = _VALIDATION
        cut[rank < test] = _TEST
        assigned[rows] = cut.reshape(-1)[: len(rows)]
    return assigned


def _block(shares: dict[int, float]) -> int:
    """Return the smallest block that holds at least one example of every part."""
    wanted = [*(share for share in shares.values() if share), 1 - sum(shares.values())]
    return math.ceil(1 / min(wanted) - 1e-9)


def _quota(share: float, block: int, blocks: int) -> NDArray[np.int64]:
    """Return the number taken of each block: (blocks, 1), summing to the share, rounded down."""
    ends = np.floor(share * block * np.arange(blocks + 1) + 1e-9).astype(np.int64)
    quota: NDArray[np.int64] = np.diff(ends)[:, None]
    return quota


def _check_every_class(
    dataset: Dataset,
    assigned: NDArray[np.int8],
    shares: dict[int, float],
    units: NDArray[np.intp] | None,
) -> None:
    """Refuse classes smaller than a block, even if chance gave every part an example of them.

    Whether a source is refused then depends only on its size, not on a limit.
    """
    labels, k, min_rows = dataset.train.labels, len(dataset.classes), _block(shares)
    counts = _different(dataset, labels, units)
    present = counts > 0
    small = present & (counts < min_rows)
    made_parts = (_TRAIN, *(part for part, share in shares.items() if share))
    for part in made_parts:
        small |= present & (np.bincount(labels[assigned == part], minlength=k) == 0)
    if dataset.annotation is not None and all((assigned == part).any() for part in made_parts):
        return  # The strata of annotated data only help to divide them.
    if not small.any():
        return
    found = listed((f"{dataset.classes[c]} ({counts[c]})" for c in np.flatnonzero(small)), 20)
    made = ", ".join(f"{PARTS[part]}={share}" for part, share in shares.items() if share)
    what = "examples" if units is None else f"values of {dataset.keep_together}"
    raise DataError(
        f"{dataset.name}: classes too small to split with {made}: {found}. "
        f"Expected at least {min_rows} different {what} of each class"
        f"{' and subgroup' if dataset.subgroup_names else ''}. Add examples, "
        "raise the limit if there is one (or add --equal-classes), remove those classes, use "
        "larger fractions, or provide the parts yourself."
    )


def _different(
    dataset: Dataset, labels: NDArray[np.int64], units: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    """Return the number of examples of different content, or of units, of every class."""
    content = units
    if content is None:
        _, content = np.unique(dataset.train.digests, return_inverse=True)
    pairs = np.unique(np.stack([labels, content], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(dataset.classes))
