"""Annotations read from the label cells of a source: several labels, values or masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotation import Annotation
from automorph.data.readers.raw import RawData
from automorph.data.resizing import Resizing


@dataclass(frozen=True)
class Annotated:
    """What a source is annotated with, before its examples are decoded.

    - ``annotation``: the kind, and the names of what a network predicts.
    - ``strata``: int64 (n,) by part, positions in ``names``, -1 for a row without annotation. The
      examples of a stratum are shared out alike when the data are split.
    - ``make``: the annotations of some rows of a part whose examples have a shape (H, W, C), or ().
    - ``bad``: rows whose annotation cannot be used, by part, and why.
    - ``resized``: this, for images that are brought to their size in another way than the usual.
    """

    annotation: Annotation
    strata: Mapping[str, NDArray[np.int64]]
    names: tuple[str, ...]
    make: Callable[[str, NDArray[np.intp], tuple[int, ...]], NDArray[Any]]
    bad: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    resized: Callable[[Resizing], Annotated] | None = None


def has_no_labels(raw: RawData) -> bool:
    """Return whether all label cells of a source are empty."""
    return all(is_missing(cell) for rows in raw.parts.values() for cell in rows.labels)


def is_missing(cell: Any) -> bool:
    """Return whether a label cell is empty; of several columns, whether all are.

    >>> is_missing(float("nan")), is_missing(("", None)), is_missing((0, None))
    (True, True, False)
    """
    if isinstance(cell, tuple):
        return bool(cell) and all(map(is_missing, cell))  # () is a list without any label.
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return True
    return isinstance(cell, float) and cell != cell
