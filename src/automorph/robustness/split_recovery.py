"""Recover the split that a network was trained with, so that it is audited on unseen examples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from automorph.data import Dataset, limited, split, split_hashes
from automorph.errors import UsageError
from automorph.training import trained_on


def split_as_trained(
    dataset: Dataset, checkpoint: str | os.PathLike[str] | None, *, seed: int = 0
) -> tuple[Dataset, str | None]:
    """Split the data as for a training; also return a warning about the audit, or None.

    Parts are stratified by subgroup, so a network that was trained without a subgroup column was
    trained on other rows than a split by subgroup gives. Both splits are tried, whole and limited
    to the number of examples it was trained on. Without a checkpoint that records its training
    rows, the split is the default one.
    """
    parts = split(dataset, seed=seed)
    known = None if checkpoint is None else trained_on(checkpoint)
    if known is None:
        return parts, None
    for candidate in _candidates(dataset, parts, seed):
        if _fits(candidate, known, seed):
            return candidate, None
    return parts, (
        "The network was trained on rows other than those of the train part here: some audited "
        "examples may be its training examples, so its accuracy on them is too high. Pass the "
        "options that it was trained with (--label, --limit, --size, the same files), or audit a "
        "file that it has not seen."
    )


def _candidates(dataset: Dataset, parts: Dataset, seed: int) -> Iterator[Dataset]:
    yield parts
    if dataset.train.subgroups is not None:
        yield split(dataset, seed=seed, by_subgroup=False)


def _fits(candidate: Dataset, known: dict[str, Any], seed: int) -> bool:
    if split_hashes(candidate)["train"] == known:
        return True
    try:
        return split_hashes(limited(candidate, known["n"], seed=seed))["train"] == known
    except UsageError:  # Fewer than one per class: it cannot be this limit.
        return False
