"""Examples decoded to the form of other data: their channels, size and window."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automorph.data.build import bad_rows, decode_parts, skipped_rows
from automorph.data.dataset import Split, left_out, strings
from automorph.data.deep_pixels import Window
from automorph.data.dicom_columns import with_dicom_columns
from automorph.data.images import CHANNELS
from automorph.data.labels import MISSING
from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData
from automorph.data.resizing import Resizing


def decode_like(
    raw: RawData,
    notes: Notes,
    *,
    channels: tuple[int, ...],
    size: tuple[int, int] | None,
    choose: Callable[[], Window],
    resizing: Resizing | None = None,
    skip_bad: bool = False,
    cache: str | os.PathLike[str] | None = None,
) -> dict[str, tuple[Split, NDArray[np.int64]]]:
    """Return every part without labels, and the rows of the source that it holds, int64 ``(n,)``.

    ``channels`` are those of the other images, ``(C,)``; of texts ``()``. ``choose`` returns the
    window of images of more than 8 bits. ``notes`` receives what was guessed and left out. Raises
    `DataError` for rows that cannot be used, unless ``skip_bad``.
    """
    raw = with_dicom_columns(raw, notes)
    if any(raw.keep_together not in rows.metadata for rows in raw.parts.values()):
        raw = replace(raw, keep_together=None)
    labels = {part: np.zeros(len(rows.ids), np.int64) for part, rows in raw.parts.items()}
    bad = {part: bad_rows(raw, part, labels, {}) for part in raw.parts}
    keep = {
        part: np.flatnonzero([row not in bad[part] for row in range(len(rows.ids))])
        for part, rows in raw.parts.items()
    }
    mode = next((one for one, count in CHANNELS.items() if (count,) == channels), None)
    data, _ = decode_parts(
        raw, keep, bad, notes, mode=mode if raw.domain == "image" else None, size=size,
        cache=None if cache is None else Path(cache), choose=choose, resizing=resizing,
    )  # fmt: skip
    total = sum(len(rows.ids) for rows in raw.parts.values())
    if skipped := skipped_rows(raw, bad, total, skip_bad=skip_bad):
        notes.add(left_out(skipped))
    found = {}
    for part, rows in raw.parts.items():
        good = [row for row in keep[part].tolist() if row not in bad[part]]
        metadata = {
            column: strings([words[row] for row in good]) for column, words in rows.metadata.items()
        }
        ids = strings([rows.ids[row] for row in good])
        split = Split(data[part], no_labels(len(good)), ids, metadata=metadata)
        found[part] = split, np.array(good, np.int64)
    return found


def no_labels(n: int) -> NDArray[np.int64]:
    """Return the labels of examples without any."""
    return np.full(n, MISSING, np.int64)
