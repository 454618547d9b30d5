"""Which answers are rewrites of their text, and why others are not."""

from __future__ import annotations

from collections.abc import Sequence

from automorph.rewriting.client import Answer
from automorph.text import fits, tokenise

_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "「": "」"}


def cleaned(answer: str, text: str) -> str:
    """Return an answer without white space and quotation marks around it that the text lacks.

    >>> cleaned(' "A fine film." ', "A good film.")
    'A fine film.'
    """
    found = answer.strip()
    end = _QUOTES.get(found[:1])
    if end and len(found) > 1 and found.endswith(end) and text.strip()[:1] != found[0]:
        return found[1:-1].strip()
    return found


def rejection(answer: Answer, text: str, others: Sequence[str], protect: Sequence[str]) -> str:
    """Return why an answer is no rewrite of a text; empty if it is one.

    ``others`` are the rewrites of the text so far, ``protect`` patterns of what must stay.
    """
    found = cleaned(answer.text, text)
    if answer.finish not in ("stop", "eos"):
        return "cut off" if answer.finish == "length" else answer.finish
    if not found:
        return "empty"
    if found == text.strip() or found in others:
        return "repeated"
    if not fits(text, found):
        return "length"
    return "" if _kept(found, protect) == _kept(text, protect) else "protected"


def _kept(text: str, protect: Sequence[str]) -> list[str]:
    tokens = tokenise([text], protect=protect)
    return [tokens.vocabulary.words[number] for number in tokens.words[tokens.kept].tolist()]
