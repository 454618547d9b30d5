"""Annotations of new examples for a trained network: read where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotated import Annotated, has_no_labels, is_missing
from automorph.data.labels import MISSING, listed
from automorph.data.masks import IGNORE, read_masks
from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData
from automorph.data.resizing import Resizing
from automorph.data.several_labels import label_matrices
from automorph.data.values import value_matrices
from automorph.errors import DataError


def new_labels(
    raw: RawData, names: Sequence[str], notes: Notes, *, chosen: bool
) -> Mapping[str, NDArray[np.int8]]:
    """Return several labels by part; rows are -1 where they are unknown."""
    unknown = {part: np.full((len(r.ids), len(names)), MISSING, np.int8)
               for part, r in raw.parts.items()}  # fmt: skip
    if has_no_labels(raw):
        return unknown
    try:
        return label_matrices(raw, notes, names)[0]
    except DataError as error:
        if chosen:
            raise
        notes.ignored(f"labels, which cannot be read ({error})")
        return unknown


def new_values(
    raw: RawData, names: Sequence[str], notes: Notes, *, chosen: bool
) -> Mapping[str, NDArray[np.float64]]:
    """Return values by part; NaN where they are unknown."""
    unknown = {part: np.full((len(r.ids), len(names)), np.nan) for part, r in raw.parts.items()}
    if has_no_labels(raw):
        return unknown
    try:
        found, values = value_matrices(raw, notes)
        if len(found) != len(names):
            raise DataError(
                f"{raw.name} has {len(found)} values for each example, but the network predicts "
                f"{len(names)} ({listed(names)}); expected the same: choose columns with "
                "label=... (--label)"
            )
    except DataError as error:
        if chosen:
            raise
        notes.ignored(f"values, which cannot be read ({error})")
        return unknown
    return values


def new_masks(
    raw: RawData, names: Sequence[str], notes: Notes, *, ignoring: bool
) -> Annotated | None:
    """Return what reads the masks of a source; None where there are none.

    Masks that cannot be used are noted and count as unknown.
    """
    raw = replace(raw, classes=tuple(names))
    if has_no_labels(raw):
        return None
    try:
        found = read_masks(raw, notes, ignoring=ignoring)
    except DataError as error:
        notes.ignored(f"masks, which cannot be read ({error})")
        return None
    bad = [
        f"{raw.parts[part].ids[row]} ({reason.removeprefix('mask: ')})"
        for part, rows in found.bad.items()
        for row, reason in rows.items()
        if not is_missing(raw.parts[part].labels[row])
    ]
    if bad:
        notes.ignored(f"masks that cannot be used ({len(bad):,})", bad)
    return found


def masks_of(
    masks: Annotated | None,
    part: str,
    rows: NDArray[np.int64],
    shape: tuple[int, ...],
    resizing: Resizing | None,
) -> NDArray[np.uint8]:
    """Return the masks of some rows, uint8 ``(n, H, W)``; 255 where they are unknown."""
    found = np.full((len(rows), *shape[:2]), IGNORE, np.uint8)
    if masks is None:
        return found
    if resizing is not None and masks.resized is not None:
        masks = masks.resized(resizing)
    known = np.array([row not in masks.bad.get(part, {}) for row in rows.tolist()], bool)
    found[known] = masks.make(part, rows[known], shape)
    return found
