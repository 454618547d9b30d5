"""Examples that are texts: what a policy does to them, with changes marked word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Literal

import numpy as np
from markupsafe import Markup

from automorph.report.page import Passages

Kind = Literal["same", "out", "in"]

MARKS = "Inserted words are underlined, deleted words are struck through."
SHOWN = 4
"""Maximum number of draws shown of a text."""
LONGEST = 4000
"""Maximum number of characters of a text that are compared and shown."""
_PIECE = re.compile(r"\s+|\w+(?:['’\-]\w+)*|[^\w\s]")


def are_texts(examples: Any) -> bool:
    """Return True if examples are texts: an array or a list of strings."""
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
    """Show rows of texts, the original first: ``(n, 1 + draws)``, or originals alone, ``(n,)``.

    ``labels`` name the originals; ``columns`` name the others (default: draws), of which at most
    ``most`` are shown.
    """
    shown: list[tuple[str, Any]] = []
    originals = []
    for row, label in zip(np.asarray(rows).tolist(), labels, strict=False):
        before, *others = [row] if isinstance(row, str) else row
        if others:
            originals.append(len(shown))
        shown.append((str(label), before[:LONGEST]))
        for number, after in enumerate(others[:most]):
            words = columns[number] if number < len(columns) else f"draw {number + 1}"
            shown.append((words, marked(before, after)))
    return Passages(name, shown, colour, originals)


def marked(before: str, after: str) -> Markup:
    """Return the second text with ``<ins>`` around insertions and ``<del>`` around deletions.

    >>> str(marked("a <b> film", "a film"))
    'a <del>&lt;b&gt; </del>film'
    """
    tags = {"same": "{}", "out": "<del>{}</del>", "in": "<ins>{}</ins>"}
    # The tags are constants; `format` escapes the text between them.
    parts = (Markup(tags[kind]).format(text) for kind, text in changes(before, after))  # nosec B704
    return Markup("").join(parts)


def changes(before: str, after: str) -> list[tuple[Kind, str]]:
    """Return the parts of both texts in order: same, out (only in the first), in (the second).

    Words are compared whole: one different letter makes a different word. Joined without "out", the
    parts are the second text; without "in", the first.

    >>> changes("a good film", "a really nice film")
    [('same', 'a '), ('out', 'good'), ('in', 'really nice'), ('same', ' film')]
    """
    parts = list(_parts(_PIECE.findall(before[:LONGEST]), _PIECE.findall(after[:LONGEST])))
    return [
        (kind, "".join(text for _, text in run))
        for kind, run in groupby(parts, key=lambda part: part[0])
    ]


def _parts(first: list[str], second: list[str]) -> Iterator[tuple[Kind, str]]:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield "same", "".join(first[a:b])
            continue
        if a < b:
            yield "out", "".join(first[a:b])
        if c < d:
            yield "in", "".join(second[c:d])
