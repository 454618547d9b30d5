"""Random numbers for every word of a batch of texts, and the choice of words."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from automorph.text.tokens import Flags, Positions, Tokens

Floats = NDArray[np.float64]

_USE = 20
"""Each use of per-word numbers has its own 2^20 draws: enough for texts of a million words."""
_LONG = 256
"""Longer texts draw separately, so that one long text does not make a wide table."""


class Draws(Protocol):
    """The context of a text operation besides the tokens, with one row per text."""

    @property
    def operation(self) -> Any:
        """The operation, with its corpus if it has one."""
        ...

    def row(self, number: int) -> Draws:
        """Return the draws of one of the texts."""
        ...

    def uniform(self, count: int, *, draw: int = 1) -> Floats:
        """Draw numbers in [0, 1), float64 ``(n, count)``, from draw number ``draw`` on."""
        ...


def each_text(draws: Draws, *, use: int) -> Floats:
    """Draw one number in [0, 1) for each text, ``(n,)``."""
    return draws.uniform(1, draw=1 + (use << _USE))[:, 0]


def each_word(draws: Draws, tokens: Tokens, *, use: int) -> Floats:
    """Draw one number in [0, 1) for each piece, ``(t,)``, by its position in its own text."""
    lengths, first = tokens.lengths, 1 + (use << _USE)
    shared = min(int(lengths.max(initial=0)), _LONG)
    if not shared:
        return np.zeros(len(tokens.pieces))
    table = draws.uniform(shared, draw=first)
    positions = tokens.positions
    numbers = table[tokens.rows, np.minimum(positions, shared - 1)]
    for row in np.flatnonzero(lengths > _LONG).tolist():
        span = slice(tokens.offsets[row], tokens.offsets[row + 1])
        numbers[span] = draws.row(row).uniform(int(lengths[row]), draw=first)[0]
    return numbers


def share_of(shares: Floats, counts: Positions) -> Positions:
    """Return the number of words for a share: max(1, floor(share * count)); 0 of 0 (EDA).

    >>> share_of(np.array([0.1, 0.1, 0.5]), np.array([5, 0, 8])).tolist()
    [1, 0, 4]
    """
    # A share like 0.3 of 10 must not become 2 by rounding.
    wanted = np.floor(shares * counts + 1e-6).astype(np.int64)
    return np.minimum(np.maximum(wanted, 1), counts)


def choose(tokens: Tokens, among: Flags, counts: Positions, keys: Floats) -> Flags:
    """Flag in each text the ``counts`` pieces with the smallest keys, of those in ``among``.

    >>> from automorph.text.reading import tokenise
    >>> tokens = tokenise(["a b c", "d"])
    >>> keys = np.array([0.3, 0.1, 0.2, 0.9])
    >>> choose(tokens, tokens.free, np.array([2, 1]), keys).tolist()
    [False, True, True, True]
    """
    at = np.flatnonzero(among)
    rows = tokens.rows[at]
    order = order_by(rows, steps_of(keys[at]))
    starts = np.searchsorted(rows, np.arange(len(tokens)))  # rows are sorted
    ranks = np.arange(len(at)) - starts[rows]
    chosen = np.zeros(len(among), np.bool_)
    chosen[at[order[ranks < counts[rows]]]] = True
    return chosen


def steps_of(u: Floats) -> Positions:
    """Convert numbers in [0, 1) to whole multiples of 2^-24, ``(t,)``."""
    return (u * 2**24).astype(np.int64)


def order_by(*columns: Positions) -> Positions:
    """Return the order of rows by columns of whole numbers >= 0, the first column first.

    The sort is stable. If the columns fit into one number, that number is sorted: much faster than
    `numpy.lexsort`.

    >>> order_by(np.array([1, 0, 1, 0]), np.array([5, 9, 3, 2])).tolist()
    [3, 1, 2, 0]
    """
    columns = (*columns, np.arange(len(columns[0])))
    bits = [int(column.max(initial=0)).bit_length() for column in columns]
    if sum(bits) > 63:
        return np.asarray(np.lexsort(columns[::-1]))
    packed = np.zeros(len(columns[0]), np.int64)
    for column, wide in zip(columns, bits, strict=True):
        packed = packed << wide | column
    packed.sort()
    return packed & ((1 << bits[-1]) - 1)
