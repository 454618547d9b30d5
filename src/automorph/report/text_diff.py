"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from markupsafe import Markup

Kind = Literal["same", "out", "in"]
_PIECE = re.compile(r"\s+|\w+(?:['’\-]\w+)*|[^\w\s]")
LONGEST = 4000
"""Letters of a text that are compared and shown; what follows is left out."""


def changes(before: str, after: str) -> list[tuple[Kind, str]]:
    """The parts of both texts in order: the same, out (of the first), in (the second only).

    Words are whole: a letter that differs makes another word. Joined without what is out, the parts
    are the second text; without what is in, the first.

    >>> changes("a good film", "a really nice film")
    [('same', 'a '), ('out', 'good'), ('in', 'really nice'), ('same', ' film')]
    """
    parts = list(_parts(_PIECE.findall(before[:LONGEST]), _PIECE.findall(after[:LONGEST])))
    return [
        (kind, "".join(text for _, text in run))
        for kind, run in groupby(parts, key=lambda part: part[0])
    ]


def marked(before: str, after: str) -> Markup:
    """The second text with ``<ins>`` around what came in, and ``<del>`` around what went.

    >>> str(marked("a <b> film", "a film"))
    'a <del>&lt;b&gt; </del>film'
    """
    tags = {"same": "{}", "out": "<del>{}</del>", "in": "<ins>{}</ins>"}
    # The marks are ours; what `format` puts between them is escaped.
    parts = (Markup(tags[kind]).format(text) for kind, text in changes(before, after))  # nosec B704
    return Markup("").join(parts)


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
