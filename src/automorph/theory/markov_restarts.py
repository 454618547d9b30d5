"""Stationary law and kernel of a chain with restarts: pure functions of its rates.

``A`` sparse or dense ``(m, m)`` holds the rates between states, rows summing to ``beta``; restarts
have rate 1 and the law ``rho``. One step of the chain is ``R = (A + 1 rho^T) / (1 + beta)`` and its
stationary law ``pi^T = rho^T ((1 + beta) I - A)^-1`` (Dao et al. 2019, lemma 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from automorph.errors import UsageError

Floats = NDArray[np.float64]

DENSE = 3000
"""Most states for which a dense kernel is computed; `stationary` has no such limit."""


def strength_of(rates: Any) -> float:
    """Return beta, the common sum of the rows; raise `UsageError` if the sums differ."""
    sums = np.asarray(rates.sum(axis=1)).ravel()
    beta = float(sums.mean())
    if not np.allclose(sums, beta, rtol=1e-9, atol=1e-12):
        raise UsageError(
            f"the row sums of the rates range from {sums.min():g} to {sums.max():g}; expected "
            "equal sums: count an operation without effect as a transition to the same state, at "
            "its rate"
        )
    return beta


def stationary(rates: Any, restart: ArrayLike, *, tolerance: float = 1e-12) -> Floats:
    """Return ``((1 + beta) I - A)^-T rho`` for one law ``(m,)`` or one for each class ``(m, C)``.

    Solved by ``x <- (rho + A^T x) / (1 + beta)``, which contracts by ``beta / (1 + beta)``: about
    ``28 beta`` sparse products for twelve digits, and no inverse. With the restarts of each class
    in a column, the columns' shares are the Bayes posterior.
    """
    beta = strength_of(rates)
    rho = np.asarray(restart, np.float64)
    turned = csr_array(rates).T.tocsr()
    law = rho / (1 + beta)
    if beta == 0:
        return np.asarray(rho, np.float64)
    # The remaining error after a step is at most beta times the change of the step.
    bound = tolerance * max(float(np.abs(rho).sum()), 1e-300) / max(beta, 1.0)
    while True:
        after = (rho + turned @ law) / (1 + beta)
        if np.abs(after - law).sum() <= bound:
            return np.asarray(after, np.float64)
        law = after


def reversible_measure(rates: Any) -> Floats | None:
    """Return the law ``pi0`` with ``pi0[u] A[u, v] = pi0[v] A[v, u]`` and sum 1, or None.

    It is uniform if each operation is undone by another at the same rate. Each connected component
    gets its share of the states.
    """
    forth = csr_array(rates)
    m = forth.shape[0]
    law, seen, parts = np.ones(m), np.zeros(m, np.bool_), []
    back = forth.T.tocsr()
    for root in range(m):
        if seen[root]:
            continue
        order, before = breadth_first_order(forth, root, directed=True)
        for state in order[1:]:
            parent = before[state]
            there, again = forth[parent, state], back[parent, state]
            if seen[state] or again <= 0:
                return None
            law[state] = law[parent] * there / again
        seen[order] = True
        parts.append(order)
    for part in parts:
        law[part] *= len(part) / m / law[part].sum()
    flow = forth.multiply(law[:, None])
    off = abs(flow - flow.T)
    return law if off.max() <= 1e-9 * abs(flow).max() else None


def kernel(rates: Any, measure: ArrayLike) -> Floats:
    """Return ``K = ((1 + beta) I - A)^-1 P0^-1``, dense, ``(m, m)``.

    Symmetric and positive definite if A is reversible with respect to ``measure`` P0. It is the
    regularised Laplacian kernel of the graph of operations: a training example i votes for its
    class with ``gamma_i K(x_i, x)`` (Dao et al. 2019, theorem 1). Raises `UsageError` beyond 3,000
    states: `stationary` solves for the votes without the kernel.
    """
    beta, m = strength_of(rates), rates.shape[0]
    if m > DENSE:
        raise UsageError(
            f"got {m} states for a kernel; expected at most {DENSE}: use `posterior`, which does "
            "not need one"
        )
    dense = rates.toarray() if hasattr(rates, "toarray") else np.asarray(rates, np.float64)
    inverse = np.linalg.inv((1 + beta) * np.eye(m) - dense)
    return np.asarray(inverse / np.asarray(measure, np.float64), np.float64)
