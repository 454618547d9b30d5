"""Photographs in a source: recognised by the headers of their files."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import numpy as np
from numpy.typing import NDArray

from automorph.data.chosen import Photographs
from automorph.data.image_opening import BadImageError
from automorph.data.images import image_size
from automorph.data.readers.raw import RawData

LARGE = 180
"""The longest shorter side, in pixels, of images of one size that are used as they are."""
_SAMPLE = 200
"""Headers that are read; a source may have millions of files."""


def photographs_in(
    raw: RawData, keep: Mapping[str, NDArray[np.intp]], limit: int | None
) -> Photographs | None:
    """Return what is known of the files of a source; None if they are small and of one size.

    ``keep`` are the usable rows of each part. Only headers are read, of some of the files.
    """
    if raw.domain != "image":
        return None
    at = [
        (part, row)
        for part, rows in keep.items()
        if not isinstance(raw.parts[part].data, np.ndarray)
        for row in rows.tolist()
    ]
    sizes = []
    for place in np.unique(np.linspace(0, len(at) - 1, _SAMPLE).round().astype(int)) if at else ():
        part, row = at[place]
        try:
            sizes.append(image_size(raw.parts[part].data[row]))
        except BadImageError:  # Reported with all others when they are decoded.
            continue
    sides = [min(size) for size in sizes]
    alike = len(set(sizes)) < 2
    if not sizes or (alike and sides[0] <= LARGE):
        return None
    return Photographs(_n_train(keep, limit), round(median(sides)), alike)


def _n_train(keep: Mapping[str, NDArray[np.intp]], limit: int | None) -> int:
    """Return how many training examples `split` leaves: a fifth goes to each missing part."""
    n = len(keep["train"])
    if limit is not None:
        whole = n if "test" in keep else round(0.8 * n)
        return round(min(limit, whole) * (1 if "validation" in keep else 0.8))
    return round(n * (1 - 0.2 * sum(part not in keep for part in ("validation", "test"))))
