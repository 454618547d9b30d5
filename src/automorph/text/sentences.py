"""The operation that changes the order of sentences."""

from __future__ import annotations

import re

import numpy as np

from automorph.text.literals import is_structure
from automorph.text.sampling import Draws, Floats, each_word
from automorph.text.tokens import Positions, Tokens

Bounds = list[tuple[int, int]]

_ENDS = frozenset(".!?…‽⁇⁈⁉。！？．｡؟۔।॥։።፧။៕᙮꓿")
"""Marks at the end of a sentence, of many scripts."""
_SPACELESS = frozenset("。！？．｡")
"""Those that end one without white space after them."""
_OPENING = {
    **dict(zip("([{«“„‘「『（【《〈〔［｛", ")]}»””’」』）】》〉〕］｝", strict=True)),
    **dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"),
    **dict.fromkeys("\u2066\u2067\u2068", "\u2069"),
}
"""Brackets, quotation marks, and the marks of a direction of writing that hold up to another."""
_CLOSING = frozenset(_OPENING.values())
_QUOTES = frozenset('"＂')
"""Quotation marks that open and close."""
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
_WITH_FULL_STOP = """
mr mrs ms dr prof rev gen col sgt capt lt st sr jr hon vs etc cf al approx ca no nos vol fig figs
eq ch sec ed eds pp inc ltd co corp dept est jan feb mar apr jun jul aug sep sept oct nov dec mon
tue wed thu fri sat sun nr bzw usw ggf evtl str abb mme mlle
"""
_ABBREVIATIONS = frozenset(_WITH_FULL_STOP.split())


def sentences(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Sentence shuffle: a share of the sentences (at least two) exchange positions.

    A sentence with a protected part, a tag, a link, code or the mark of a line stays where it is,
    and none ends within brackets or quotation marks. By the first definition, a text with a
    protected part is unchanged, and any mark ends a sentence.
    """
    u = each_word(draws, tokens, use=0)
    pieces = tokens.pieces.copy()
    for row in range(len(tokens)):
        start, stop = tokens.offsets[row : row + 2].tolist()
        if tokens.definition == 1:
            if tokens.fixed[start:stop].any():
                continue
            bounds = _first_bounds(tokens, start, stop)
            movable = list(range(len(bounds)))
        else:
            bounds = sentence_bounds(tokens, start, stop)
            movable = [i for i, bound in enumerate(bounds) if _may_move(tokens, *bound)]
        if len(movable) < 2:
            continue
        count = min(max(2, int(shares[row] * len(bounds) + 1e-6)), len(movable))
        first = [bounds[number][0] for number in movable]
        moving = np.array(movable)[np.argsort(u[first])[:count]]  # In a random order: one cycle.
        order = list(range(len(bounds)))
        for position, other in zip(moving.tolist(), np.roll(moving, 1).tolist(), strict=True):
            order[position] = other
        at = np.concatenate([np.arange(*bounds[number]) for number in order])
        if tokens.definition == 1:
            pieces[start:stop] = _regapped(tokens, at, start)
        else:
            pieces[start:stop] = _in_place(tokens, bounds, order)
    return Tokens(pieces, tokens.offsets, tokens.fixed, tokens.vocabulary)


def sentence_bounds(tokens: Tokens, start: int, stop: int) -> Bounds:
    """Return where the sentences of a text begin and end, positions of the flat array.

    >>> from automorph.text.reading import tokenise
    >>> tokens = tokenise(['He paid three (see N.Y.C.), "so. What?" Yes. No.'])
    >>> [tokens.take_pieces(*bound) for bound in sentence_bounds(tokens, 0, len(tokens.pieces))]
    ['He paid three (see N.Y.C.), "so. What?" Yes.', ' No.']
    """
    vocabulary = tokens.vocabulary
    words = [vocabulary.words[number] for number in tokens.words[start:stop].tolist()]
    spaced = vocabulary.spaced[tokens.pieces[start:stop]]
    inside = _enclosed(words)
    bounds, begin, count = [], 0, len(words)
    for i, word in enumerate(words):
        if word not in _ENDS or inside[i] or (word == "." and _abbreviates(words, spaced, i)):
            continue
        after = i + 1
        # What follows without white space belongs to it: more marks, a bracket, a closing tag.
        while after < count and not spaced[after] and _follows(words[after]):
            after += 1
        if after <= begin or (
            after < count and not spaced[after] and words[after - 1] not in _SPACELESS
        ):
            continue
        bounds.append((start + begin, start + after))
        begin = after
    if begin < count and (not bounds or words[begin]):
        bounds.append((start + begin, stop))
    elif begin < count:  # White space at the end.
        bounds[-1] = (bounds[-1][0], stop)
    return bounds


def _follows(word: str) -> bool:
    return word in _ENDS or word in _CLOSING or word in _QUOTES or word[:2] == "</"


def _abbreviates(words: list[str], spaced: np.typing.NDArray[np.bool_], dot: int) -> bool:
    """Return whether a full stop is that of an abbreviation, such as ``Dr.`` or ``N.Y.C.``."""
    if not dot or spaced[dot]:
        return False
    word = words[dot - 1]
    initial = len(word) == 1 and word.isupper()
    return initial or bool(_DOTTED.fullmatch(word)) or word.lower() in _ABBREVIATIONS


def _enclosed(words: list[str]) -> list[bool]:
    """Return for each word whether it is within brackets or quotation marks that are closed."""
    inside = [0] * (len(words) + 1)
    open_at: list[tuple[str, int]] = []
    for i, word in enumerate(words):
        if word in _QUOTES:
            same = next((k for k, (mark, _) in enumerate(open_at) if mark == word), None)
            if same is None:
                open_at.append((word, i))
            else:
                _enclose(inside, open_at, same, i)
        elif word in _OPENING:
            open_at.append((_OPENING[word], i))
        elif word in _CLOSING:
            known = [k for k, (mark, _) in enumerate(open_at) if mark == word]
            if known:
                _enclose(inside, open_at, known[-1], i)
    return [depth > 0 for depth in np.cumsum(inside[:-1]).tolist()]


def _enclose(inside: list[int], open_at: list[tuple[str, int]], number: int, end: int) -> None:
    """Note a pair of marks, and forget those that were opened within it and not closed."""
    inside[open_at[number][1]] += 1
    inside[end] -= 1
    del open_at[number:]


def _may_move(tokens: Tokens, start: int, stop: int) -> bool:
    words = tokens.vocabulary.facts("is structure", is_structure, np.bool_)
    return not (tokens.fixed[start:stop].any() or words[tokens.words[start:stop]].any())


def _in_place(tokens: Tokens, bounds: Bounds, order: list[int]) -> Positions:
    """Return the pieces of sentences in another order; the white space between them stays."""
    vocabulary, pieces = tokens.vocabulary, []
    for place, number in enumerate(order):
        own = tokens.pieces[slice(*bounds[number])].tolist()
        own[0] = vocabulary.with_gap(own[0], int(tokens.pieces[bounds[place][0]]))
        pieces += own
    return np.array(pieces)


def _first_bounds(tokens: Tokens, start: int, stop: int) -> Bounds:
    ends = tokens.vocabulary.facts("ends a sentence", lambda word: word in ".!?…", np.bool_)
    flags = ends[tokens.words[start:stop]] & (tokens.words[start:stop] != 0)
    bounds, begin = [], start
    for position in (start + np.flatnonzero(flags)).tolist():
        if position + 1 < stop and flags[position + 1 - start]:
            continue  # The last of several marks ends it.
        bounds.append((begin, position + 1))
        begin = position + 1
    return [*bounds, (begin, stop)] if begin < stop else bounds


def _regapped(tokens: Tokens, at: Positions, start: int) -> Positions:
    """Return the pieces at some positions; the first gets the white space of the text's start."""
    pieces, vocabulary = tokens.pieces[at].copy(), tokens.vocabulary
    old = int(np.flatnonzero(at == start)[0])
    if old:
        pieces[old] = vocabulary.piece(" ", int(tokens.words[start]))
        pieces[0] = vocabulary.with_gap(int(pieces[0]), int(tokens.pieces[start]))
    return np.asarray(pieces)
