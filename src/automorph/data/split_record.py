"""Hashes of the examples in every part, for the record of a run."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from automorph.data.dataset import Dataset, Split


def split_hashes(dataset: Dataset) -> dict[str, dict[str, int | str]]:
    """Hash the set of example names of every part, for the record of a run.

    Two runs used the same examples in a part exactly when these hashes agree (the order of the
    examples does not matter). ``Dataset.hash`` compares the content of the examples.

    >>> from automorph.data import load_data
    >>> split_hashes(load_data("digits"))
    {'train': {'n': 1797, 'hash': 'ba2d0047ae6fbb36'}}
    """
    return {
        name: {"n": len(part), "hash": _names_digest(part)} for name, part in dataset.parts.items()
    }


def _names_digest(part: Split) -> str:
    """Hash the sorted names, joined by line ends, without building a list of them all."""
    assert part.ids is not None
    total = blake2b(digest_size=8)
    # UTF-8 sorts in the order of code points.
    ordered = np.sort(part.ids)
    for start in range(0, len(ordered), 4096):
        joined = "\n".join(map(str, ordered[start : start + 4096]))
        total.update((("\n" if start else "") + joined).encode())
    return total.hexdigest()
