"""Copies of one example in a part: with different labels, or counted several times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.data.dataset import Dataset, label_keys
from automorph.data.notes import Notes, shortened


def contradictions(
    digests: NDArray[np.bytes_], labels: NDArray[np.int64]
) -> tuple[NDArray[np.intp], int]:
    """Return the rows whose content also has another label, and the number of such contents.

    >>> contradictions(np.array([b"a", b"b", b"a", b"b"]), np.array([0, 1, 1, 1]))
    (array([0, 2]), 1)
    """
    contents, content = np.unique(digests, return_inverse=True)
    low = np.full(len(contents), np.iinfo(np.int64).max)
    high = np.full(len(contents), np.iinfo(np.int64).min)
    np.minimum.at(low, content, labels)
    np.maximum.at(high, content, labels)
    mixed = low != high
    return np.flatnonzero(mixed[content]), int(mixed.sum())


def with_contradictions(dataset: Dataset) -> Dataset:
    """Add a note on contradictory labels to the data set, if there are any."""
    parts = dataset.parts.values()
    labels = np.concatenate([label_keys(part) for part in parts])
    rows, different = contradictions(np.concatenate([part.digests for part in parts]), labels)
    if not len(rows):
        return dataset
    names = [name for part in parts for name in part.names]
    of_classes = dataset.annotation is None
    shown = ", ".join(
        names[row] + (f" ({dataset.classes[labels[row]]})" if of_classes else "")
        for row in rows[:4]
    )
    notes = Notes(dataset.notes)
    predict = "classify" if of_classes else "predict"
    notes.add(
        f"{len(rows):,} of {len(labels):,} {dataset.domain}s appear under more than one "
        f"{'label' if of_classes else f'set of {dataset.target}'} "
        f"({different:,} distinct {dataset.domain}s): {shown}{', ...' if len(rows) > 4 else ''}. "
        f"Correct the labels: no model can {predict} all of them correctly"
    )
    return dataset.replace(notes=notes.lines)


def with_copies(dataset: Dataset) -> Dataset:
    """Add a note on copies within a part, which count several times there, if there are any."""
    found, shown = 0, []
    for part in dataset.parts.values():
        _, first, content = np.unique(part.digests, return_index=True, return_inverse=True)
        copies = np.flatnonzero(first[content] != np.arange(len(part)))
        found += len(copies)
        shown += [f"{part.names[row]} = {part.names[first[content[row]]]}" for row in copies[:3]]
    if not found:
        return dataset
    total = sum(dataset.sizes.values())
    notes = Notes(dataset.notes)
    notes.add(
        f"{found:,} of {total:,} {dataset.domain}s are copies of an earlier one in the same part: "
        f"{shortened(shown)}"
    )
    return dataset.replace(notes=notes.lines)
