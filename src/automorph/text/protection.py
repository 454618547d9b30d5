"""Spans of a text that no operation may change: between tags of one's own, and by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from automorph.errors import UsageError
from automorph.text.html_elements import ELEMENTS

Spans = list[tuple[int, int]]

_FIRST_MARKED = r"<(\w+)>.*?</\1>"
"""By the first definition: the content of all tags, and the tags."""
_MARKED = re.compile(
    rf"<(?!(?i:{'|'.join(ELEMENTS)})[\s>])(\w[\w.-]*)(?:\s[^<>]*)?>.*?</\1>", re.DOTALL
)
"""The content of tags that are none of HTML, such as ``<e1>..</e1>``, and the tags."""


def checked_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return patterns of protected text. Raises `UsageError` for one that is none.

    >>> checked_patterns([r"(?i)not", r"(\\w)\\1"])
    ('(?i)not', '(\\\\w)\\\\1')
    """
    if isinstance(patterns, str):
        raise UsageError(
            f"got protect={patterns!r:.100}; expected a list of regular expressions, such as "
            f"[{patterns!r:.100}]"
        )
    found = tuple(patterns)
    for pattern in found:
        try:
            re.compile(pattern)
        except (re.error, TypeError, OverflowError, RecursionError) as error:
            raise UsageError(
                f"got the pattern of protected words {pattern!r:.100}, which is wrong: {error}; "
                r"expected a regular expression of Python's, such as '\bnot\b'. Put a backslash "
                "before characters that are meant as they are: . ? * + ( ) [ ] { } | ^ $"
            ) from None
    return found


def spans_of(text: str, protect: Sequence[str], definition: int) -> Spans:
    """Return where protected spans begin and end, in order and without overlap."""
    if definition == 1:
        found = _first(tuple(protect)).finditer(text) if protect or "<" in text else ()
        return [match.span() for match in found if match.start() < match.end()]
    patterns = [_compiled(pattern) for pattern in protect]
    if "</" in text:
        patterns.append(_MARKED)
    spans = sorted(match.span() for one in patterns for match in one.finditer(text))
    joined: Spans = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


@lru_cache(maxsize=256)
def _first(protect: tuple[str, ...]) -> re.Pattern[str]:
    """Return all patterns as one, as the first definition has it.

    Patterns that cannot be joined, because of flags, were an error: they are put in groups.
    """
    try:
        return re.compile("|".join(f"(?:{one})" for one in (_FIRST_MARKED, *protect)), re.DOTALL)
    except re.error:
        scoped = [_scoped(one) for one in protect]
        return re.compile("|".join(f"(?:{one})" for one in (_FIRST_MARKED, *scoped)), re.DOTALL)


def _scoped(pattern: str) -> str:
    """Return a pattern with its flags for itself alone: ``(?i)a`` as ``(?i:a)``."""
    flags = re.match(r"\(\?([aiLmsux]+)\)", pattern)
    return pattern if flags is None else f"(?{flags[1]}:{pattern[flags.end() :]})"
