"""Examples that are texts: what a policy makes of them, with the changes marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from automorph.report.page import Passages
from automorph.report.text_diff import LONGEST, marked

MARKS = "Words that came in are underlined, words that went are struck through."
SHOWN = 4
"""Most draws of a text that are shown."""


def are_texts(examples: Any) -> bool:
    """Whether examples are texts: an array of strings, or a list of them."""
    return bool(np.asarray(examples).dtype.kind in "TU")


def passages(
    name: str,
    rows: Any,
    labels: Sequence[str],
    *,
    columns: Sequence[str] = (),
    colour: int = 0,
    most: int = SHOWN,
) -> Passages:
    """Rows of texts, the original first: ``(n, 1 + draws)``, or originals alone, ``(n,)``.

    ``labels`` are what the originals are; ``columns`` say what the others are (default: draws), of
    which ``most`` are shown.
    """
    shown: list[tuple[str, Any]] = []
    for row, label in zip(np.asarray(rows).tolist(), labels, strict=False):
        before, *others = [row] if isinstance(row, str) else row
        shown.append((str(label), before[:LONGEST]))
        for number, after in enumerate(others[:most]):
            words = columns[number] if number < len(columns) else f"draw {number + 1}"
            shown.append((words, marked(before, after)))
    return Passages(name, shown, colour)
