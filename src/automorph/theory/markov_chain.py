"""Augmentation as a Markov chain over the examples that operations can reach.

Dao et al. (ICML 2019), section 3. States are all examples that the base operations make out of the
training examples. Operation j fires at rate ``b_j``; a restart, at rate 1, jumps to a training
example. ``A = sum_j b_j A_j`` holds the rates between states; its rows sum to ``beta = sum_j b_j``,
which is the mean number of operations composed between two restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array

from automorph.engine import apply
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace, Sequences, Stream
from automorph.theory import markov_restarts
from automorph.theory.markov_walks import State, Walk, walk

Floats = NDArray[np.float64]

Move = Callable[[NDArray[Any]], NDArray[Any]]
"""A base operation: it maps states ``(m, ...)`` to states of the same shape, or, if it is random,
to ``(m, k, ...)``: k outcomes of each, all equally likely."""


@dataclass(frozen=True, eq=False)
class MarkovChain:
    """The reachable states, the rates between them and the states of the training examples.

    ``states`` ``(m, ...)``; ``rates`` sparse ``(m, m)``, rows sum to ``strength`` (beta);
    ``starts`` ``(n,)`` are the states of the training examples.
    """

    states: NDArray[Any]
    rates: Any
    starts: NDArray[np.intp]
    strength: float

    def __len__(self) -> int:
        return len(self.states)

    def restart(self, weights: ArrayLike | None = None) -> Floats:
        """Return the normalised restart law ``(m,)`` of ``weights`` ``(n,)`` (default: equal)."""
        n = len(self.starts)
        gamma = np.full(n, 1.0) if weights is None else np.asarray(weights, np.float64)
        law = np.bincount(self.starts, gamma / gamma.sum(), len(self))
        return law.astype(np.float64)

    def stationary(self, weights: ArrayLike | None = None) -> Floats:
        """Return the stationary probability of each state, ``(m,)``."""
        return markov_restarts.stationary(self.rates, self.restart(weights))

    def posterior(self, labels: ArrayLike, weights: ArrayLike | None = None) -> Floats:
        """Return ``P(class | state)`` under the augmented stream, ``(m, C)``.

        This is the Bayes classifier of augmented data. States that no training example reaches get
        the class shares. ``labels`` ``(n,)`` are class indices.
        """
        y, gamma = (
            np.asarray(labels, np.intp),
            np.asarray(np.ones(len(self.starts)) if weights is None else weights, np.float64),
        )
        if y.shape != self.starts.shape:
            raise UsageError(
                f"got labels of shape {y.shape} for {len(self.starts)} training examples; expected "
                "one for each"
            )
        by_class = np.zeros((len(self), int(y.max()) + 1))
        np.add.at(by_class, (self.starts, y), gamma / gamma.sum())
        joint = markov_restarts.stationary(self.rates, by_class)
        total = joint.sum(axis=1, keepdims=True)
        reached = total > 0
        return np.where(reached, joint / np.where(reached, total, 1.0), by_class.sum(axis=0))

    def kernel(self) -> Floats:
        """Return the kernel ``(m, m)`` of the operations, for reversible chains.

        See `markov_restarts.kernel`. Raises `UsageError` if some operation cannot be undone at the
        same rate.
        """
        measure = markov_restarts.reversible_measure(self.rates)
        if measure is None:
            raise UsageError(
                "the chain is not reversible (at least one operation has no inverse with the "
                "same rate), so it has no symmetric kernel; add the inverse operations, or use "
                "`posterior`, which does not need a kernel"
            )
        return markov_restarts.kernel(self.rates, measure)

    def sample(self, count: int, *, seed: int = 0, weights: ArrayLike | None = None) -> Walk:
        """Draw ``count`` independent augmented examples from the chain's stationary law."""
        rng = np.random.default_rng(seed)
        gamma = np.ones(len(self.starts)) if weights is None else np.asarray(weights, np.float64)
        source = rng.choice(len(self.starts), size=count, p=gamma / gamma.sum())
        return walk(self.rates, self.starts, source, self.strength, rng)


def reach(
    starts: NDArray[Any],
    moves: Sequence[Move],
    *,
    rates: ArrayLike = 1.0,
    limit: int = 100_000,
    depth: int | None = None,
) -> MarkovChain:
    """Return the chain of all states that ``moves`` reach from the training examples ``starts``.

    ``starts`` ``(n, ...)``. The search is breadth first; states are distinguished by their bytes.
    ``rates`` are those of the moves. There are at most ``limit`` states, at most ``depth`` moves
    from an example: a move that leaves this set stays in its state, which keeps the row sums, and
    keeps a reversible chain reversible.

    >>> ring = reach(np.array([[0]]), [lambda s: (s + 1) % 5, lambda s: (s - 1) % 5], rates=0.5)
    >>> len(ring), ring.strength
    (5, 1.0)
    """
    speeds = np.broadcast_to(np.asarray(rates, np.float64), (len(moves),))
    if not len(moves) or not (speeds > 0).all():
        raise UsageError(
            f"got {len(moves)} moves with rates {speeds.tolist()}; expected at least one move, "
            "and rates above 0"
        )
    known: dict[bytes, int] = {}
    kept: list[NDArray[Any]] = []

    def numbers(batch: NDArray[Any], add: bool) -> NDArray[np.intp]:
        """Return the indices of states; -1 for states outside the set."""
        indices = np.empty(len(batch), np.intp)
        for i, state in enumerate(np.ascontiguousarray(batch)):
            key = state.tobytes()
            number = known.get(key, -1)
            if number < 0 and add and len(kept) < limit:
                number = known[key] = len(kept)
                kept.append(state)
            indices[i] = number
        return indices

    first = numbers(np.asarray(starts), add=True)
    if (first < 0).any():
        raise UsageError(
            f"got {len(starts)} training examples; expected at most {limit}: raise the limit"
        )
    entries: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
    done, level = 0, 0
    while done < len(kept):
        rows = np.arange(done, len(kept))
        front = np.stack(kept[done:])
        done = len(kept)
        for move, speed in zip(moves, speeds, strict=True):
            outcomes = _outcomes(move, front)
            to = numbers(outcomes.reshape(-1, *front.shape[1:]), add=depth is None or level < depth)
            origin = np.repeat(rows, outcomes.shape[1])
            to = np.where(to < 0, origin, to)
            entries.append((origin, to, np.full(len(to), speed / outcomes.shape[1])))
        level += 1
    origin, to, speed_of = (np.concatenate(part) for part in zip(*entries, strict=True))
    matrix = csr_array(coo_array((speed_of, (origin, to)), shape=(len(kept), len(kept))))
    return MarkovChain(np.stack(kept), matrix, first, float(speeds.sum()))


def operation_move(operation: Operation, values: Sequence[float]) -> Move:
    """Return a move that applies an image operation at one of ``values``, each equally likely.

    Values are in the operation's unit: ``operation_move(rotate, (-5, 5))``. For images uint8
    ``(m, H, W, C)``. Raises `UsageError` for operations that draw random numbers themselves: their
    outcomes cannot be listed.
    """
    if operation.random or operation.partner:
        raise UsageError(
            f"got the operation {operation.name!r}, which draws random numbers; expected a "
            "deterministic one"
        )
    spaces = [SearchSpace(operation.name, (operation.at(value),)) for value in values]

    def move(states: NDArray[Any]) -> NDArray[Any]:
        every, n = Stream(index=np.arange(len(states))), len(states)
        chosen = Sequences.of(np.zeros((n, 1)), 1.0)
        return np.stack([apply(states, chosen, space, every) for space in spaces], axis=1)

    return move


def _outcomes(move: Move, states: NDArray[Any]) -> State:
    """Return the outcomes of a move as ``(m, k, ...)``."""
    made = np.asarray(move(states))
    if made.shape == states.shape:
        return made[:, None]
    if made.ndim == states.ndim + 1 and made.shape[:1] + made.shape[2:] == states.shape:
        return made
    raise UsageError(
        f"a move returned shape {made.shape} for states of shape {states.shape}; expected the "
        "same shape, or one with an extra axis of outcomes after the first"
    )
