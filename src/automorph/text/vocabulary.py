"""Words as numbers, so that whole batches of texts are edited as arrays.

A text is a row of *pieces*: a word (or one punctuation mark) with the white space before it. The
pieces of an unchanged text join to exactly that text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.text.literals import is_literal
from automorph.text.marks import FIRST_MARKS, MARKS

Numbers = NDArray[np.int32]

LATEST = 2
"""The definition by which new policies read texts; saved ones keep the one that they state."""
_WORD = rf"[^\s{MARKS}]+(?:['’._·״׳‐‑\-][^\s{MARKS}]+)*"
_PIECES = {
    1: re.compile(
        rf"(\s*)(</?\w+>|[^\s{FIRST_MARKS}]+(?:['’\-.][^\s{FIRST_MARKS}]+)*|[{FIRST_MARKS}]|$)"
    ),
    2: re.compile(rf"(\s*)(\d+(?:[.,:/]\d+)+(?!\w)|{_WORD}|[{MARKS}]|$)"),
}
"""White space, and a word or a mark, by definition.

Everything but marks is part of a word: letters of any script with their combining marks, emoji.
"""

LARGEST = 1_000_000
"""Pieces before the process starts a new vocabulary: words made by typos accumulate."""


class Vocabulary:
    """The words and pieces that this process has seen, numbered in order of appearance.

    ``definition`` is the number of the definition by which texts are read, and ``divided`` whether
    what is written without spaces is divided into words. Numbers are valid within the process only.
    A property of words (is it a stop word? what are its synonyms?) is a column: `column` computes
    it once per word.
    """

    def __init__(self, definition: int = LATEST, *, divided: bool = False) -> None:
        self.definition = definition
        self.divided = divided and definition > 1
        self._piece = _PIECES[definition]
        self.words: list[str] = [""]
        self.pieces: list[str] = [""]
        self._gaps: list[str] = [""]
        self._breaks, self._spaced = [False], [False]
        self._words: dict[str, int] = {"": 0}
        self._numbers: dict[tuple[str, int], int] = {("", 0): 0}
        self._firsts: dict[str, tuple[int, ...]] = {}
        self._chunks: dict[str, tuple[int, ...]] = {}
        self._columns: dict[Any, NDArray[Any]] = {}
        self._word_of = [0]
        self.memory: dict[Any, Any] = {}
        """Data that operations keep about words between batches, by a key of their own."""
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.words)

    def word(self, word: str) -> int:
        """Return the number of a word."""
        number = self._words.get(word)
        if number is None:
            with self._lock:
                number = self._words.setdefault(word, len(self.words))
                if number == len(self.words):
                    self.words.append(word)
        return number

    def piece(self, gap: str, word: int) -> int:
        """Return the number of a word with white space before it."""
        number = self._numbers.get((gap, word))
        if number is None:
            with self._lock:
                number = self._numbers.setdefault((gap, word), len(self.pieces))
                if number == len(self.pieces):
                    self._gaps.append(gap)
                    self._breaks.append("\n" in gap)
                    self._spaced.append(bool(gap))
                    self._word_of.append(word)
                    self.pieces.append(gap + self.words[word])
        return number

    def read(self, text: str) -> list[int]:
        """Return the pieces of a text.

        >>> vocabulary = Vocabulary()
        >>> [vocabulary.pieces[n] for n in vocabulary.read("It's good, isn't it?")]
        ["It's", ' good', ',', " isn't", ' it', '?']
        """
        # Most texts are words between single spaces, and most words were seen before.
        first, *others = text.split(" ")
        try:
            found = list(map(self._chunks.__getitem__, others))
        except KeyError:
            found = [self._chunk(chunk) for chunk in others]
        begin = self._firsts.get(first)
        if begin is None:
            begin = self._firsts[first] = self._split(first)
        return [*begin, *chain.from_iterable(found)]

    def _chunk(self, chunk: str) -> tuple[int, ...]:
        """Return the pieces of a space and what follows it up to the next one."""
        found = self._chunks.get(chunk)
        if found is None:
            found = self._chunks[chunk] = self._split(" " + chunk)
        return found

    def _split(self, text: str) -> tuple[int, ...]:
        return tuple(
            self.piece(gap, self.word(word))
            for gap, word in self._piece.findall(text)
            if gap or word
        )

    @property
    def are_words(self) -> NDArray[np.bool_]:
        """Whether each word is one: no punctuation, no emoji, no literal; see `is_word`."""
        definition = self.definition
        found = self.facts("is word", lambda word: is_word(word, definition), np.bool_)
        return np.asarray(found)

    @property
    def are_literals(self) -> NDArray[np.bool_]:
        """Whether each word is a literal, such as a tag or an address; see `is_literal`."""
        if self.definition == 1:
            return np.zeros(len(self), np.bool_)
        return np.asarray(self.facts("is literal", is_literal, np.bool_))

    @property
    def breaks(self) -> NDArray[np.bool_]:
        """Whether each piece begins a line, ``(pieces,)``."""
        return np.asarray(self.column("breaks", lambda: self._breaks, np.bool_))

    @property
    def spaced(self) -> NDArray[np.bool_]:
        """Whether there is white space before each piece, ``(pieces,)``."""
        return np.asarray(self.column("spaced", lambda: self._spaced, np.bool_))

    def word_of(self, piece: int) -> int:
        """Return the word of one piece."""
        return self._word_of[piece]

    def words_of(self, pieces: Numbers) -> Numbers:
        """Return the words of pieces."""
        return np.asarray(self.column("word", lambda: self._word_of, np.int32)[pieces])

    def with_words(self, pieces: Numbers, words: Iterable[int]) -> list[int]:
        """Return pieces with other words and the same white space."""
        gaps = self._gaps
        return [
            self.piece(gaps[piece], word)
            for piece, word in zip(pieces.tolist(), words, strict=True)
        ]

    def with_gap(self, piece: int, other: int) -> int:
        """Return a piece with the white space of another one."""
        return self.piece(self._gaps[other], self._word_of[piece])

    def column(self, key: Any, values: Callable[[], list[Any]], dtype: Any) -> NDArray[Any]:
        """Return a growing list as an array; only added values are converted."""
        known, now = self._columns.get(key), values()
        if known is None or len(known) < len(now):
            start = 0 if known is None else len(known)
            # Some extra room, so that a growing vocabulary is not copied for every word.
            fresh = np.array(now[start:], dtype)
            known = fresh if known is None else np.concatenate([known, fresh])
            self._columns[key] = known
        return known

    def facts(self, key: Any, fact: Callable[[str], Any], dtype: Any) -> NDArray[Any]:
        """Return the value of ``fact`` for every word, an array by number; called once per word."""
        known = self._columns.get(key)
        start = 0 if known is None else len(known)
        if start < len(self.words):
            fresh = np.array([fact(word) for word in self.words[start:]], dtype)
            known = fresh if known is None else np.concatenate([known, fresh])
            self._columns[key] = known
        assert known is not None
        return known


_current: dict[tuple[int, bool], Vocabulary] = {}


def current(definition: int = LATEST, divided: bool = False) -> Vocabulary:
    """Return this process's vocabulary for texts that are newly read by a definition."""
    key = definition, divided and definition > 1
    known = _current.get(key)
    if known is None or len(known.pieces) > LARGEST:
        known = _current[key] = Vocabulary(definition, divided=divided)
    return known


def is_word(word: str, definition: int = LATEST) -> bool:
    """Return whether it contains a letter or a digit: no punctuation, no emoji, no literal.

    By the first definition, only tags are literals.

    >>> is_word("don't"), is_word("?!"), is_word("<e1>"), is_word("3 kg"), is_word("3 kg", 1)
    (True, False, False, False, True)
    """
    literal = word.startswith("<") if definition == 1 else is_literal(word)
    return not literal and any(map(str.isalnum, word))
