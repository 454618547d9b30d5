"""Operations that misspell words, and that change case or punctuation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from automorph.text.sampling import Draws, Floats, choose, each_word, share_of
from automorph.text.tokens import Flags, Tokens

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_OCR = {
    "0": "o", "o": "0", "1": "l", "l": "1", "i": "1", "5": "s", "s": "5", "8": "b", "b": "6",
    "6": "b", "g": "9", "9": "g", "z": "2", "2": "z", "e": "c", "c": "e", "m": "rn", "u": "v",
    "v": "u", "h": "n", "t": "f", "B": "8", "O": "0", "I": "l", "S": "5", "Z": "2", "D": "O",
    "G": "6", "rn": "m", "cl": "d", "d": "cl", "w": "vv", "vv": "w",
}  # fmt: skip
_MARKS = (".", ";", "?", ":", "!", ",")
_SHORT = {
    "are not": "aren't", "cannot": "can't", "could not": "couldn't", "did not": "didn't",
    "does not": "doesn't", "do not": "don't", "had not": "hadn't", "has not": "hasn't",
    "have not": "haven't", "is not": "isn't", "must not": "mustn't", "should not": "shouldn't",
    "was not": "wasn't", "were not": "weren't", "will not": "won't", "would not": "wouldn't",
    "i am": "i'm", "you are": "you're", "we are": "we're", "they are": "they're", "it is": "it's",
    "that is": "that's", "there is": "there's", "what is": "what's", "i have": "i've",
    "you have": "you've", "we have": "we've", "they have": "they've", "i will": "i'll",
    "you will": "you'll", "he will": "he'll", "she will": "she'll", "we will": "we'll",
    "they will": "they'll", "let us": "let's",
}  # fmt: skip
_LONG = {short: long for long, short in _SHORT.items()}


def _neighbours() -> dict[str, str]:
    """Return the keys around each key of a QWERTY keyboard."""
    coordinates = {key: (x + y / 2, y) for y, row in enumerate(_ROWS) for x, key in enumerate(row)}
    return {
        key: "".join(
            other
            for other, (p, q) in coordinates.items()
            if other != key and abs(p - x) <= 1 and abs(q - y) <= 1
        )
        for key, (x, y) in coordinates.items()
    }


_KEYS = _neighbours()


def mistyped(word: str, u: float, v: float) -> str:
    """Replace one letter by a neighbouring key; ``u`` selects the letter, ``v`` the key.

    >>> mistyped("film", 0.0, 0.0), mistyped("???", 0.5, 0.5)
    ('rilm', '???')
    """
    at = [position for position, letter in enumerate(word) if letter.lower() in _KEYS]
    if not at:
        return word
    position = at[int(u * len(at))]
    options = _KEYS[word[position].lower()]
    letter = options[int(v * len(options))]
    letter = letter.upper() if word[position].isupper() else letter
    return word[:position] + letter + word[position + 1 :]


def misread(word: str, u: float, v: float) -> str:
    """Replace one letter (or two) by a look-alike, as in a scanning error.

    >>> misread("modern", 0.99, 0.0)
    'modem'
    """
    at = [
        (position, size)
        for size in (1, 2)
        for position in range(len(word) - size + 1)
        if word[position : position + size] in _OCR
    ]
    if not at:
        return word
    position, size = at[int(u * len(at))]
    return word[:position] + _OCR[word[position : position + size]] + word[position + size :]


def recased(word: str, u: float, v: float) -> str:
    """Return the word in lower case, upper case or capitalised: another case than it has."""
    options = [o for o in (word.lower(), word.upper(), word.capitalize()) if o != word]
    return options[int(u * len(options))] if options else word


def _words(edit: Callable[[str, float, float], str]) -> Callable[[Tokens, Floats, Draws], Tokens]:
    """Build the operation that edits a share of the words, one by one."""

    def apply(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
        keys, u, v = (each_word(draws, tokens, use=use) for use in range(3))
        chosen = choose(tokens, tokens.free, share_of(shares, tokens.count(tokens.free)), keys)
        at, vocabulary = np.flatnonzero(chosen), tokens.vocabulary
        originals = [vocabulary.words[number] for number in tokens.words[at].tolist()]
        edited = map(edit, originals, u[at].tolist(), v[at].tolist())
        return tokens.with_words(chosen, [vocabulary.word(word) for word in edited])

    apply.__doc__ = edit.__doc__
    return apply


keyboard, ocr, case = _words(mistyped), _words(misread), _words(recased)


def punctuate(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """AEDA (Karimi et al. 2021): insert punctuation marks between words."""
    keys, u = (each_word(draws, tokens, use=use) for use in (0, 1))
    chosen = choose(tokens, tokens.free, share_of(shares, tokens.count(tokens.free)), keys)
    at = np.flatnonzero(chosen)
    marks = [_MARKS[int(v * len(_MARKS))] for v in u[at].tolist()]
    return tokens.insert(at, [tokens.vocabulary.word(mark) for mark in marks])


def contract(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Exchange ``do not`` and ``don't`` (and similar pairs) for a share of those found."""
    long, pairs = _long_forms(tokens), _short_forms(tokens)
    among = long | pairs
    keys = each_word(draws, tokens, use=0)
    chosen = choose(tokens, among, share_of(shares, tokens.count(among)), keys)
    at, vocabulary = np.flatnonzero(chosen), tokens.vocabulary
    words = []
    for position in at.tolist():
        word = vocabulary.words[tokens.words[position]]
        if pairs[position]:
            word = f"{word} {vocabulary.words[tokens.words[position + 1]]}"
        changed = (_SHORT if pairs[position] else _LONG)[word.lower()]
        words.append(vocabulary.word(changed.capitalize() if word[0].isupper() else changed))
    gone = np.zeros(len(chosen), np.bool_)
    gone[np.flatnonzero(chosen & pairs) + 1] = True
    # A word that is the second of one pair and the first of another stays with the first pair.
    return tokens.with_words(chosen & ~gone, _without(words, gone[at])).keep(~gone)


def _without(words: list[int], gone: Flags) -> list[int]:
    return [word for word, out in zip(words, gone.tolist(), strict=True) if not out]


def _long_forms(tokens: Tokens) -> Flags:
    known = tokens.vocabulary.facts("contracted", lambda word: word.lower() in _LONG, np.bool_)
    return np.asarray(known[tokens.words] & tokens.free)


def _short_forms(tokens: Tokens) -> Flags:
    """Return the first words of pairs that have a short form, if the second word is free too."""
    firsts = {long.split()[0] for long in _SHORT}
    known = tokens.vocabulary.facts("may contract", lambda word: word.lower() in firsts, np.bool_)
    found = known[tokens.words] & tokens.free
    for position in np.flatnonzero(found).tolist():
        found[position] = _is_pair(tokens, position)
    return np.asarray(found)


def _is_pair(tokens: Tokens, position: int) -> bool:
    after = position + 1
    if after >= len(tokens.words) or tokens.rows[after] != tokens.rows[position]:
        return False
    words = tokens.vocabulary.words
    pair = f"{words[tokens.words[position]]} {words[tokens.words[after]]}"
    return bool(tokens.free[after]) and pair.lower() in _SHORT
