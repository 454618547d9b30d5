"""Columns of data sets, of images or texts, augmented example by example."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.integrations.checks import checked_numbers
from automorph.integrations.collate import numbers_of
from automorph.integrations.image_types import augment_each
from automorph.operations import Stream
from automorph.policies import Policy, are_texts, as_uint8


def numbers_for(values: Sequence[Any], index: ArrayLike | None = None) -> NDArray[np.int64]:
    """Return the numbers of examples: the given ones, else hashes of their content.

    >>> numbers_for(["a", "b", "a"])[[0, 2]].tolist() == [numbers_for(["a"])[0]] * 2
    True
    """
    if index is not None:
        return checked_numbers(index, len(values))
    if not _texts(values):
        return numbers_of([as_uint8(value) for value in values])
    digests = [blake2b(str(text).encode(), digest_size=4).digest() for text in values]
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.int64)


def augment_column(policy: Policy, values: Sequence[Any], stream: Stream) -> list[Any]:
    """Augment the values of a column one by one: images of any kind and size, or texts."""
    if not _texts(values):
        return augment_each(policy, values, stream)
    texts = np.array([str(text) for text in values], np.dtypes.StringDType())
    return [str(text) for text in policy.transform(texts, stream)]


def _texts(values: Sequence[Any]) -> bool:
    """Return whether a column holds texts; refuse one with missing texts."""
    # A lazy column of images must not be decoded as a whole: only its first value is looked at.
    return (
        len(values) > 0
        and (values[0] is None or isinstance(values[0], str))
        and are_texts(list(values))
    )
