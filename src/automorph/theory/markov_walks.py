"""Walks of the chain: a geometric number of operations after a restart, and votes of neighbours.

A draw from the chain's stationary law is a training example followed by ``N`` operations with
``P(N = m) = (1 / (1 + beta)) (beta / (1 + beta))^m``, each picked by its rate (Dao et al. 2019,
section 3). Draws are therefore independent and need no burn-in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

State = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Walk:
    """Draws: the final ``state`` of each and its training example (``source``), ``(count,)``."""

    state: NDArray[np.intp]
    source: NDArray[np.intp]


def walk(
    rates: Any,
    starts: NDArray[np.intp],
    source: NDArray[np.intp],
    strength: float,
    rng: np.random.Generator,
) -> Walk:
    """Walk from each source's state along the rates of a finite chain."""
    matrix = csr_array(rates)
    state = starts[source].copy()
    length = rng.geometric(1 / (1 + strength), size=len(source)) - 1
    ends = np.cumsum(matrix.data)
    before = np.concatenate([[0.0], ends])
    for step in range(int(length.max(initial=0))):
        going = length > step
        here = state[going]
        low, high = matrix.indptr[here], matrix.indptr[here + 1]
        # A single search in the cumulative rates finds the entry inside each row.
        aim = before[low] + rng.random(len(here)) * (before[high] - before[low])
        entry = np.clip(np.searchsorted(ends, aim, side="right"), low, high - 1)
        state[going] = matrix.indices[entry]
    return Walk(state, source)


def sample_states(
    starts: State,
    moves: Sequence[Callable[[State], State]],
    *,
    count: int,
    rates: ArrayLike = 1.0,
    seed: int = 0,
) -> tuple[State, NDArray[np.intp]]:
    """Draw from the chain without listing its states, for continuous operations.

    ``starts`` ``(n, ...)``; returns the states ``(count, ...)`` and their training examples
    ``(count,)``. If a move returns several outcomes (see `markov_chain.Move`), one is drawn.
    """
    rng = np.random.default_rng(seed)
    speeds = np.broadcast_to(np.asarray(rates, np.float64), (len(moves),))
    beta = float(speeds.sum())
    source = rng.integers(len(starts), size=count)
    states = np.array(np.asarray(starts)[source])
    length = rng.geometric(1 / (1 + beta), size=count) - 1
    for step in range(int(length.max(initial=0))):
        going = np.flatnonzero(length > step)
        picked = rng.choice(len(moves), size=len(going), p=speeds / beta)
        for number, move in enumerate(moves):
            rows = going[picked == number]
            if len(rows):
                made = np.asarray(move(states[rows]))
                if made.ndim > states.ndim:
                    made = made[np.arange(len(rows)), rng.integers(made.shape[1], size=len(rows))]
                states[rows] = made
    return states, source


def nearest_shares(
    visited: ArrayLike, labels: ArrayLike, queries: ArrayLike, *, k: int, classes: int
) -> NDArray[np.float64]:
    """Return class shares among the k nearest visited states of each query, ``(q, C)``.

    ``visited`` ``(V, d)`` and ``queries`` ``(q, d)`` are vectors, the distance Euclidean; repeated
    visits of one state count repeatedly. Visits at equal distance share the remainder of k, so
    their order does not matter.
    """
    points = np.asarray(visited, np.float64).reshape(len(np.asarray(visited)), -1)
    asked = np.asarray(queries, np.float64).reshape(len(np.asarray(queries)), -1)
    states, number = np.unique(points, axis=0, return_inverse=True)
    counts = np.zeros((len(states), classes))
    np.add.at(counts, (number.ravel(), np.asarray(labels, np.intp)), 1.0)
    squares = (asked**2).sum(1)[:, None] + (states**2).sum(1) - 2 * asked @ states.T
    shares = np.empty((len(asked), classes))
    for row, distance in enumerate(np.round(squares, 9)):
        order = np.argsort(distance, kind="stable")
        near, votes = distance[order], counts[order]
        rings = np.flatnonzero(np.r_[True, near[1:] > near[:-1]])
        ring_votes = np.add.reduceat(votes, rings, axis=0)
        size = ring_votes.sum(axis=1)
        room = np.clip(k - np.r_[0.0, np.cumsum(size)[:-1]], 0.0, size)
        shares[row] = (ring_votes * (room / size)[:, None]).sum(axis=0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
