"""The parts of the data that a trained network knows, so that it is judged by others."""

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
    """Split the data as they were split for a training, and say what speaks against an audit.

    Parts are stratified by subgroup, so a network that was trained without naming a subgroup was
    trained on other rows than a split by subgroup says. Both splits are tried, whole and limited
    to as many examples as it was trained on. Without a checkpoint that tells its training rows the
    split is the usual one.
    """
    parts = split(dataset, seed=seed)
    known = None if checkpoint is None else trained_on(checkpoint)
    if known is None:
        return parts, None
    for found in _candidates(dataset, parts, seed):
        if _fits(found, known, seed):
            return found, None
    return parts, (
        "The network was trained on other rows than the train part here: some of those audited may "
        "be its training examples, and its accuracy on them too high. Give the options of its "
        "training (--label, --limit, --size, the same files), or audit a file that it has not seen."
    )


def _candidates(dataset: Dataset, parts: Dataset, seed: int) -> Iterator[Dataset]:
    yield parts
    if dataset.train.subgroups is not None:
        yield split(dataset, seed=seed, by_subgroup=False)


def _fits(found: Dataset, known: dict[str, Any], seed: int) -> bool:
    if split_hashes(found)["train"] == known:
        return True
    try:
        return split_hashes(limited(found, known["n"], seed=seed))["train"] == known
    except UsageError:  # Fewer than one a class: no limit of ours.
        return False
