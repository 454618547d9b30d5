"""Checks of the options of `assemble`."""

from __future__ import annotations

from typing import get_args

from automorph.data.cut import Size
from automorph.data.images import Mode
from automorph.data.readers.raw import RawData
from automorph.data.windows import WindowChoice, check_choice
from automorph.errors import DataError, UsageError


def check_options(
    raw: RawData, size: Size | None, mode: Mode | None, limit: int | None, window: WindowChoice
) -> None:
    """Raise UsageError for options that fit no source, or not this one."""
    check_choice(window)
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise UsageError(f"size={size}: expected a height and a width of at least 1.")
    if mode not in (None, *get_args(Mode)):
        raise UsageError(f"mode={mode!r}: expected one of {get_args(Mode)}.")
    if limit is not None and limit < 1:
        raise UsageError(f"limit={limit}: expected at least 1.")
    if raw.domain == "text" and (size, mode, window) != (None, None, None):
        raise UsageError(f"{raw.name} contains texts: size, mode and window apply only to images.")


def check_keep_together(raw: RawData) -> None:
    """Raise DataError if the source lacks the column ``keep_together``."""
    column = raw.keep_together
    if column is None or all(column in rows.metadata for rows in raw.parts.values()):
        return
    known = list(raw.parts["train"].metadata)
    raise DataError(
        f"{raw.name} has no column {column!r}, which keep_together names (--keep-together); its "
        f"columns: {', '.join(known) or 'none'}. Expected the column of what was photographed or "
        "written several times; for a folder of images, make a CSV table of their paths with it."
    )
