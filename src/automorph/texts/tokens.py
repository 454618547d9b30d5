"""A batch of texts as one flat array of pieces, and how parts of it are taken and put back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.texts.vocabulary import Vocabulary, current, is_word

Flags = NDArray[np.bool_]
Places = NDArray[np.int64]

MARKED = r"<(\w+)>.*?</\1>"
"""What is protected in any text: what stands between the tags of an entity, and the tags."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """``n`` texts: ``pieces`` int32 ``(t,)`` of all of them, text i from ``offsets[i]`` on.

    ``fixed`` bool ``(t,)`` marks pieces that no operation may touch. Offsets int64 ``(n + 1,)``.
    """

    pieces: NDArray[np.int32]
    offsets: Places
    fixed: Flags
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Places:
        """Pieces of each text, ``(n,)``."""
        return np.diff(self.offsets)

    @cached_property
    def rows(self) -> Places:
        """The text of each piece, ``(t,)``."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def places(self) -> Places:
        """The place of each piece in its text, ``(t,)``."""
        return np.arange(len(self.pieces)) - self.offsets[self.rows]

    @cached_property
    def words(self) -> NDArray[np.int32]:
        """The number of each piece's word, ``(t,)``."""
        return self.vocabulary.words_of(self.pieces)

    @cached_property
    def free(self) -> Flags:
        """The words that operations may touch: no punctuation, nothing protected, ``(t,)``."""
        return np.asarray(self.spoken & ~self.fixed)

    @cached_property
    def spoken(self) -> Flags:
        """The words, protected or not: no punctuation and no tags, ``(t,)``."""
        words = self.vocabulary.facts("is word", is_word, np.bool_)
        return np.asarray(words[self.words])

    def count(self, flags: Flags) -> Places:
        """How many pieces of each text are flagged, ``(n,)``."""
        return np.bincount(self.rows[flags], minlength=len(self)).astype(np.int64)

    def take(self, rows: Places) -> Tokens:
        """Some of the texts."""
        at, offsets = _spans(self.offsets, rows)
        return Tokens(self.pieces[at], offsets, self.fixed[at], self.vocabulary)

    def put(self, rows: Places, other: Tokens) -> Tokens:
        """These texts with some of them replaced by all of the others."""
        both = np.concatenate([self.offsets[:-1], len(self.pieces) + other.offsets[:-1]])
        lengths = np.concatenate([self.lengths, other.lengths])
        which = np.arange(len(self))
        which[rows] = len(self) + np.arange(len(other))
        at, offsets = _gathered(both[which], lengths[which])
        pieces = np.concatenate([self.pieces, other.pieces])[at]
        fixed = np.concatenate([self.fixed, other.fixed])[at]
        return Tokens(pieces, offsets, fixed, self.vocabulary)

    def keep(self, flags: Flags) -> Tokens:
        """The flagged pieces only; the new beginning of a text gets the white space of the old."""
        lengths = self.count(flags)
        pieces, offsets = self.pieces[flags], np.concatenate([[0], np.cumsum(lengths)])
        moved = (lengths > 0) & ~_at(flags, self.offsets[:-1])
        for row in np.flatnonzero(moved).tolist():
            here = offsets[row]
            first = int(self.pieces[self.offsets[row]])
            pieces[here] = self.vocabulary.with_gap(int(pieces[here]), first)
        return Tokens(pieces, offsets, self.fixed[flags], self.vocabulary)

    def with_words(self, flags: Flags, words: Any) -> Tokens:
        """Other words (numbers, one for each flagged piece) in the same white space."""
        pieces = self.pieces.copy()
        pieces[flags] = self.vocabulary.with_words(pieces[flags], np.asarray(words).tolist())
        return replace(self, pieces=pieces)

    def insert(self, before: Places, words: Any) -> Tokens:
        """More words before the pieces at these places of the flat array (sorted or not).

        A new first word takes the white space of the old one, which gets a space.
        """
        vocabulary = self.vocabulary
        order = np.argsort(before, kind="stable")
        before = np.asarray(before)[order]
        numbers = np.asarray(words)[order].tolist()
        pieces, made = self.pieces.copy(), []
        starts = set(self.offsets[:-1].tolist())
        for at, word in zip(before.tolist(), numbers, strict=True):
            if at in starts:
                made.append(vocabulary.with_words(pieces[at : at + 1], [word])[0])
                own = int(vocabulary.words_of(pieces[at : at + 1])[0])
                pieces[at] = vocabulary.piece(" ", own)
                starts.discard(at)
            else:
                made.append(vocabulary.piece(" ", word))
        rows = self.rows[before]
        lengths = self.lengths + np.bincount(rows, minlength=len(self))
        return Tokens(
            np.insert(pieces, before, np.array(made, np.int32)),
            np.concatenate([[0], np.cumsum(lengths)]),
            np.insert(self.fixed, before, False),
            vocabulary,
        )

    def join(self) -> list[str]:
        """The texts."""
        pieces = self.vocabulary.pieces
        strings = [pieces[number] for number in self.pieces.tolist()]
        ends = self.offsets.tolist()
        return ["".join(strings[a:b]) for a, b in pairwise(ends)]


def tokenise(texts: Sequence[str], *, protect: Sequence[str] = ()) -> Tokens:
    """Texts as tokens; what matches a regular expression of ``protect`` is fixed.

    >>> tokens = tokenise(["The <e1>big cat</e1> sat."])
    >>> [tokens.vocabulary.words[w] for w in tokens.words[tokens.free]]
    ['The', 'sat']
    >>> tokens.join()
    ['The <e1>big cat</e1> sat.']
    """
    vocabulary = current()
    pattern = re.compile("|".join(f"(?:{one})" for one in (MARKED, *protect)), re.DOTALL)
    pieces: list[int] = []
    ends, spans = [0], []
    for text in texts:
        if protect or "<" in text:
            at = 0
            for match in pattern.finditer(text):
                if match.start() == match.end():
                    continue
                pieces += vocabulary.read(text[at : match.start()])
                start = len(pieces)
                pieces += vocabulary.read(match.group())
                spans.append((start, len(pieces)))
                at = match.end()
            pieces += vocabulary.read(text[at:])
        else:
            pieces += vocabulary.read(text)
        ends.append(len(pieces))
    fixed = np.zeros(len(pieces), np.bool_)
    for start, end in spans:
        fixed[start:end] = True
    return Tokens(np.array(pieces, np.int32), np.array(ends, np.int64), fixed, vocabulary)


def _spans(offsets: Places, rows: Places) -> tuple[Places, Places]:
    return _gathered(offsets[rows], offsets[rows + 1] - offsets[rows])


def _gathered(starts: Places, lengths: Places) -> tuple[Places, Places]:
    """The flat places of spans, one after the other, and the offsets of the result."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    at = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    return at, offsets


def _at(flags: Flags, places: Places) -> Flags:
    """The flags at some places; a place behind the end counts as flagged."""
    inside = places < len(flags)
    found = np.ones(len(places), np.bool_)
    found[inside] = flags[places[inside]]
    return found
