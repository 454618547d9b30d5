"""Texts read as tokens, by one of the definitions of what is a word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automorph.text.literals import literals_in
from automorph.text.protection import spans_of
from automorph.text.spaceless import check_runs, has_run, words_between
from automorph.text.tokens import Tokens
from automorph.text.vocabulary import LATEST, Vocabulary, current

Read = tuple[NDArray[np.int32], tuple[tuple[int, int], ...]]

REMEMBERED = 100_000
"""Texts whose pieces are cached: those of a training part recur every epoch."""
_NONE = np.zeros(0, np.int32)


def tokenise(
    texts: Sequence[str],
    *,
    protect: Sequence[str] = (),
    definition: int = LATEST,
    divided: bool = False,
    vocabulary: Vocabulary | None = None,
) -> Tokens:
    """Split texts into tokens; matches of a regular expression of ``protect`` are fixed.

    ``definition`` is the number of the definition by which texts are read, and ``divided`` whether
    runs of Chinese, Japanese and Thai letters are divided into words (without, each is one word);
    a ``vocabulary`` replaces both, for tokens that are to be put together with others.
    Raises `MissingExtraError` if such a run cannot be divided.

    >>> tokens = tokenise(["The <e1>big cat</e1> sat."])
    >>> [tokens.vocabulary.words[w] for w in tokens.words[tokens.free]]
    ['The', 'sat']
    >>> tokens.join()
    ['The <e1>big cat</e1> sat.']
    """
    vocabulary = current(definition, divided) if vocabulary is None else vocabulary
    key = ("texts", *protect)
    known = vocabulary.memory.setdefault(key, {})
    if len(known) > REMEMBERED:
        known = vocabulary.memory[key] = {}
    for text in texts:
        if text not in known:
            known[text] = _read(text, vocabulary, protect)
    found = list(map(known.__getitem__, texts))
    offsets = np.zeros(len(found) + 1, np.int64)
    np.cumsum([len(pieces) for pieces, _ in found], out=offsets[1:])
    pieces = np.concatenate([_NONE, *(pieces for pieces, _ in found)])
    fixed = np.zeros(len(pieces), np.bool_)
    for row, (_, spans) in enumerate(found):
        for start, end in spans:
            fixed[offsets[row] + start : offsets[row] + end] = True
    return Tokens(pieces, offsets, fixed, vocabulary)


def check_words(text: str, *, protect: Sequence[str] = ()) -> None:
    """Raise `MissingExtraError` if a text has words, not protected, that cannot be found."""
    if has_run(text):
        check_runs(text, _wholes(text, spans_of(text, protect, LATEST)))


def _read(text: str, vocabulary: Vocabulary, protect: Sequence[str]) -> Read:
    """Return the pieces of a text, and where its protected spans begin and end."""
    spans = spans_of(text, protect, vocabulary.definition)
    if vocabulary.definition == 1:
        return _read_first(text, vocabulary, spans)
    pieces = _pieces_of(text, vocabulary, spans)
    if not spans:
        return np.array(pieces, np.int32), ()
    pieces = _with_edges(pieces, {start for start, _ in spans}, vocabulary)
    ends = np.cumsum([len(vocabulary.pieces[piece]) for piece in pieces])
    words = [len(vocabulary.words[vocabulary.word_of(piece)]) for piece in pieces]
    fixed = []
    for start, end in spans:
        # A piece belongs to a span if the span holds any part of its word.
        first = int(np.searchsorted(ends, start, "right"))
        last = int(np.searchsorted(ends - words, end, "left"))
        if first < last:
            fixed.append((first, last))
    return np.array(pieces, np.int32), tuple(fixed)


def _pieces_of(
    text: str, vocabulary: Vocabulary, protected: Sequence[tuple[int, int]]
) -> list[int]:
    """Return the pieces of a text, each literal with the white space before it as one."""
    pieces: list[int] = []
    at = 0
    wholes = literals_in(text)
    if vocabulary.divided:
        # What is protected is not divided: it may be in a script that nothing divides.
        wholes = sorted([*wholes, *words_between(text, _wholes(text, protected))])
    for start, end in wholes:
        word = text[start:end].strip()
        before = text[at:start].rstrip()
        begin = start + text[start:end].index(word)
        pieces += vocabulary.read(before) if before else []
        pieces.append(vocabulary.piece(text[at + len(before) : begin], vocabulary.word(word)))
        at = begin + len(word)
    rest = text[at:]
    return pieces + vocabulary.read(rest) if rest or not pieces else pieces


def _wholes(text: str, protected: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted([*literals_in(text), *protected])


def _with_edges(pieces: list[int], starts: set[int], vocabulary: Vocabulary) -> list[int]:
    """Make the white space before each protected span a piece, so that it keeps its place."""
    found, at = [], 0
    for piece in pieces:
        word = vocabulary.word_of(piece)
        string = vocabulary.pieces[piece]
        begin = at + len(string) - len(vocabulary.words[word])
        if begin in starts and at < begin:
            found += [vocabulary.piece(string[: begin - at], 0), vocabulary.piece("", word)]
        else:
            found.append(piece)
        at += len(string)
    return found


def _read_first(text: str, vocabulary: Vocabulary, spans: Sequence[tuple[int, int]]) -> Read:
    """Read a text by the first definition, in which a protected span is read on its own."""
    pieces: list[int] = []
    fixed, at = [], 0
    for begin, end in spans:
        pieces += vocabulary.read(text[at:begin])
        start = len(pieces)
        pieces += vocabulary.read(text[begin:end])
        fixed.append((start, len(pieces)))
        at = end
    pieces += vocabulary.read(text[at:])
    return np.array(pieces, np.int32), tuple(fixed)
