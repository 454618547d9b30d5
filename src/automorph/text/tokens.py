"""A batch of texts as one flat array of pieces, with operations that take and replace parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import _moved
from automorph.text.spaceless import is_spaceless
from automorph.text.vocabulary import Vocabulary

Flags = NDArray[np.bool_]
Positions = NDArray[np.int64]


@_moved.renamed_attributes(places="positions")
@dataclass(frozen=True, eq=False)
class Tokens:
    """``n`` texts: ``pieces`` int32 ``(t,)`` of all of them; text i starts at ``offsets[i]``.

    ``fixed`` bool ``(t,)`` marks pieces that no operation may change. Offsets int64 ``(n + 1,)``.
    """

    pieces: NDArray[np.int32]
    offsets: Positions
    fixed: Flags
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Positions:
        """The number of pieces of each text, ``(n,)``."""
        return np.diff(self.offsets)

    @cached_property
    def rows(self) -> Positions:
        """The text of each piece, ``(t,)``."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def positions(self) -> Positions:
        """The position of each piece in its text, ``(t,)``."""
        return np.arange(len(self.pieces)) - self.offsets[self.rows]

    @cached_property
    def words(self) -> NDArray[np.int32]:
        """The number of each piece's word, ``(t,)``."""
        return self.vocabulary.words_of(self.pieces)

    @cached_property
    def free(self) -> Flags:
        """The words that operations may change: no punctuation, nothing protected, ``(t,)``."""
        return np.asarray(self.spoken & ~self.fixed)

    @cached_property
    def spoken(self) -> Flags:
        """The words, protected or not: no punctuation and no tags, ``(t,)``."""
        return np.asarray(self.vocabulary.are_words[self.words])

    @cached_property
    def kept(self) -> Flags:
        """What must be in a text after any change: protected pieces and literals, ``(t,)``."""
        return np.asarray(self.fixed | self.vocabulary.are_literals[self.words])

    @property
    def definition(self) -> int:
        """The number of the definition by which the texts were read."""
        return self.vocabulary.definition

    def count(self, flags: Flags) -> Positions:
        """Count the flagged pieces of each text, ``(n,)``."""
        return np.bincount(self.rows[flags], minlength=len(self)).astype(np.int64)

    def take(self, rows: Positions) -> Tokens:
        """Return some of the texts."""
        at, offsets = _spans(self.offsets, rows)
        return Tokens(self.pieces[at], offsets, self.fixed[at], self.vocabulary)

    def put(self, rows: Sequence[Positions], others: Sequence[Tokens]) -> Tokens:
        """Replace some texts: ``rows`` are their numbers, for each of ``others``."""
        every = (self, *others)
        ends = np.cumsum([0, *(len(tokens.pieces) for tokens in every)])
        starts = np.concatenate([t.offsets[:-1] + e for t, e in zip(every, ends, strict=False)])
        lengths = np.concatenate([tokens.lengths for tokens in every])
        which = np.arange(len(self))
        which[np.concatenate(rows)] = np.arange(len(self), len(starts))
        at, offsets = _gathered(starts[which], lengths[which])
        pieces = np.concatenate([tokens.pieces for tokens in every])[at]
        fixed = np.concatenate([tokens.fixed for tokens in every])[at]
        return Tokens(pieces, offsets, fixed, self.vocabulary)

    def keep(self, flags: Flags) -> Tokens:
        """Keep the flagged pieces only; the white space at the beginning of a text stays.

        So do the ends of lines, unless the text is read by the first definition.
        """
        lengths = self.count(flags)
        pieces, offsets = self.pieces[flags], np.concatenate([[0], np.cumsum(lengths)])
        if self.definition > 1:
            self._keep_lines(flags, pieces)
        moved = (lengths > 0) & ~_at(flags, self.offsets[:-1])
        for row in np.flatnonzero(moved).tolist():
            here = offsets[row]
            first = int(self.pieces[self.offsets[row]])
            pieces[here] = self.vocabulary.with_gap(int(pieces[here]), first)
        return Tokens(pieces, offsets, self.fixed[flags], self.vocabulary)

    def _keep_lines(self, flags: Flags, pieces: NDArray[np.int32]) -> None:
        """Give the pieces after those that are left out their ends of lines, in place."""
        vocabulary = self.vocabulary
        breaks = vocabulary.breaks[self.pieces]
        numbers = np.cumsum(flags)
        for position in np.flatnonzero(breaks & ~flags).tolist():
            after = int(numbers[position])  # The next piece that is kept.
            at = position + 1
            while at < len(flags) and not flags[at]:
                at += 1
            same_text = at < len(flags) and self.rows[at] == self.rows[position]
            if same_text and not vocabulary.breaks[pieces[after]]:
                pieces[after] = vocabulary.with_gap(int(pieces[after]), int(self.pieces[position]))

    def with_words(self, flags: Flags, words: Any) -> Tokens:
        """Replace the flagged pieces by other words (numbers), in the same white space."""
        pieces = self.pieces.copy()
        pieces[flags] = self.vocabulary.with_words(pieces[flags], np.asarray(words).tolist())
        return replace(self, pieces=pieces)

    def insert(self, before: Positions, words: Any) -> Tokens:
        """Insert words before the pieces at these positions of the flat array (in any order).

        A new first word takes the white space of the old one, which gets a space. So does any new
        word, unless the text is read by the first definition: then it gets a space before it.
        Words of scripts without spaces get none.
        """
        vocabulary = self.vocabulary
        order = np.argsort(before, kind="stable")
        before = np.asarray(before)[order]
        numbers = np.asarray(words)[order].tolist()
        pieces, made = self.pieces.copy(), []
        lines = self.definition > 1
        starts = set(before.tolist()) if lines else set(self.offsets[:-1].tolist())
        for at, word in zip(before.tolist(), numbers, strict=True):
            if at in starts:
                made.append(vocabulary.with_words(pieces[at : at + 1], [word])[0])
                own = vocabulary.word_of(int(pieces[at]))
                joined = lines and is_spaceless(vocabulary.words[own])
                pieces[at] = vocabulary.piece("" if joined else " ", own)
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

    def take_pieces(self, start: int, stop: int) -> str:
        """Join some pieces: the positions of the flat array from ``start`` to ``stop``."""
        return "".join(self.vocabulary.pieces[one] for one in self.pieces[start:stop].tolist())

    def join(self) -> list[str]:
        """Join the pieces to texts."""
        vocabulary = self.vocabulary
        strings = vocabulary.column("pieces", lambda: vocabulary.pieces, object)[self.pieces]
        strings, ends = strings.tolist(), self.offsets.tolist()
        return ["".join(strings[a:b]) for a, b in pairwise(ends)]


def _spans(offsets: Positions, rows: Positions) -> tuple[Positions, Positions]:
    return _gathered(offsets[rows], offsets[rows + 1] - offsets[rows])


def _gathered(starts: Positions, lengths: Positions) -> tuple[Positions, Positions]:
    """Return the flat positions of spans, one after the other, and the offsets of the result."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    at = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    return at, offsets


def _at(flags: Flags, positions: Positions) -> Flags:
    """Return the flags at some positions; a position beyond the end counts as flagged."""
    inside = positions < len(flags)
    found = np.ones(len(positions), np.bool_)
    found[inside] = flags[positions[inside]]
    return found
