"""The parts of the data that a trained network knows, so that it is judged by others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automorph.data import Dataset, limited, split, split_hashes
from automorph.errors import UsageError
from automorph.training.checkpoint import read_checkpoint


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
    trained_on = None if checkpoint is None else _trained_on(Path(checkpoint).expanduser())
    if trained_on is None:
        return parts, None
    for found in _candidates(dataset, parts, seed):
        if _fits(found, trained_on, seed):
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


def _trained_on(file: Path) -> dict[str, Any] | None:
    """The number and the hash of the training examples, as `split_hashes` tells them."""
    file = file / "model.safetensors" if file.is_dir() else file
    if file.suffix != ".safetensors" or not file.exists():
        return None
    return read_checkpoint(file)[1].get("trained_on")


def _fits(found: Dataset, trained_on: dict[str, Any], seed: int) -> bool:
    if split_hashes(found)["train"] == trained_on:
        return True
    try:
        return split_hashes(limited(found, trained_on["n"], seed=seed))["train"] == trained_on
    except UsageError:  # Fewer than one a class: no limit of ours.
        return False
