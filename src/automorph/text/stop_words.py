"""Function words (English), which synonyms do not replace."""

from __future__ import annotations

_WORDS = """
a about above after again against all am an and any are as at be because been before being below
between both but by can could did do does doing down during each few for from further had has
have having he her here hers herself him himself his how i if in into is it its itself just me
more most my myself no nor not now of off on once only or other our ours ourselves out over own
same she should so some such than that the their theirs them themselves then there these they
this those through to too under until up very was we were what when where which while who whom
why will with would you your yours yourself yourselves
n't 's 're 've 'll 'd 'm s t d ll re ve m wo ca ai
"""
STOP_WORDS = frozenset(_WORDS.split())


def is_stop_word(word: str) -> bool:
    """Return whether a word is on the list, or contains a negation.

    >>> is_stop_word("The"), is_stop_word("isn't"), is_stop_word("cat")
    (True, True, False)
    """
    return word.lower() in STOP_WORDS or "n't" in word.lower()
