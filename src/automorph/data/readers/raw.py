"""The raw rows that readers return: examples undecoded, labels unchecked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from automorph.data.dataset import Domain


@dataclass(frozen=True)
class Rows:
    """One part as its source provides it; every field is a sequence with one entry per row.

    - ``data``: encoded bytes, a path, a PIL image or an array for an image, a string for a text;
      or one ready array (n, H, W, C).
    - ``labels``, ``subgroups``: strings, numbers or None, not yet counted; of several label
      columns, tuples.
    - ``ids``: unique names for messages. ``bad``: rows already known to be unusable, and why.
    - ``metadata``: further columns by name, as strings; empty where a value is missing.
    """

    data: Any
    labels: Any
    ids: Sequence[str]
    subgroups: Any = None
    bad: Mapping[int, str] = field(default_factory=dict)
    metadata: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class RawData:
    """A source with its parts before decoding; names are None when not declared.

    ``keep_together`` is the column whose equal values stay in one part of every split,
    ``label_columns`` are the names of the columns of labels, where there are columns.
    """

    name: str
    domain: Domain
    parts: Mapping[str, Rows]
    classes: tuple[str, ...] | None = None
    subgroup_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    keep_together: str | None = None
    label_columns: tuple[str, ...] = ()


def as_word(value: Any) -> str:
    """Return a single value as a string; empty if it is missing or nested.

    >>> as_word(3.0), as_word(None), as_word(" a ")
    ('3', '', 'a')
    """
    if value is None or isinstance(value, Mapping | list | bytes) or value != value:
        return ""
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def numbered(prefix: str, n: int) -> list[str]:
    """Name rows by their position.

    >>> numbered("train", 2)
    ['train[0]', 'train[1]']
    """
    return [f"{prefix}[{i}]" for i in range(n)]


def part_of(name: str) -> str | None:
    """Return the part that a file, folder or split name denotes, or None.

    >>> part_of("test-00000-of-00001"), part_of("my_val"), part_of("contest"), part_of("TestSet")
    ('test', 'validation', None, 'test')
    """
    found = {PART_WORDS[word] for word in words_of(name) if word in PART_WORDS}
    return found.pop() if len(found) == 1 else None


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case, without numbers.

    >>> words_of("TrainImages_2017"), words_of("MNIST-test")
    (['train', 'images'], ['mnist', 'test'])
    """
    apart = _CASE.sub(" ", name)
    return "".join(c if c.isalpha() else " " for c in apart.lower()).split()


_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")  # between the words of TrainImages
PART_WORDS = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "valset", "devset"), "validation"),
    **dict.fromkeys(("test", "testing", "testset"), "test"),
}
"""The words in names of files, folders and splits that denote a part."""
