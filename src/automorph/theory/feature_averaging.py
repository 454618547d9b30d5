"""Averaged features of an example's copies, and how far the copies lie apart.

Notation of this package: ``copies`` is ``(n, T, D)``, the features of T copies of n examples; where
it matters, copy 0 is the original.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import UsageError

Floats = NDArray[np.float64]


def copies_of(copies: ArrayLike) -> Floats:
    """Return ``copies`` as float64 ``(n, T, D)``; raise `UsageError` for another shape."""
    phi = np.asarray(copies, np.float64)
    if phi.ndim != 3 or 0 in phi.shape:
        raise UsageError(
            f"got copies of shape {phi.shape}; expected (examples, copies, features), none empty"
        )
    return phi


def averaged(copies: ArrayLike) -> Floats:
    """Return averaged features ``psi_i = E_z phi(z)``, ``(n, D)`` (Dao et al. 2019, section 4).

    The kernel of averaged features is the averaged kernel ``E_{z, z'} k(z, z')``, which is
    invariant to the operation if the copies run through a whole group.

    >>> averaged([[[0.0, 1.0], [2.0, 3.0]]]).tolist()
    [[1.0, 2.0]]
    """
    return np.asarray(copies_of(copies).mean(axis=1), np.float64)


def displacement(copies: ArrayLike, *, centre: Floats | None = None) -> float:
    """Return how far averaging moves the features: the mean of ``|psi_i - phi_i| / |phi_i|``.

    Copy 0 is the original; 0 means no movement. ``centre`` is `averaged` of the copies, if it is
    known. It measures the size of the effect, not its
    benefit: read it together with the label risk.
    """
    phi = copies_of(copies)
    psi = averaged(phi) if centre is None else centre
    moved = np.linalg.norm(psi - phi[:, 0], axis=1)
    length = np.linalg.norm(phi[:, 0], axis=1)
    return float(np.mean(moved / np.maximum(length, np.finfo(float).tiny)))


def invariance_ratio(copies: ArrayLike) -> float:
    """Return the spread of the copies of one example over the spread of the examples.

    ``mean_i tr Cov_z(phi(z)) / tr Cov_i(phi(x_i))``, copy 0 being the original: 0 if the features
    are invariant already, 1 if copies lie as far apart as different examples.
    """
    phi = copies_of(copies)
    inside = phi.var(axis=1).sum(axis=1).mean()
    between = phi[:, 0].var(axis=0).sum()
    return float(inside / between) if between > 0 else 0.0


def spread_matrix(copies: ArrayLike, *, weights: ArrayLike = 1.0) -> Floats:
    """Return the matrix of the variance regulariser, ``1/n sum_i c_i Cov_z(phi(z))``, ``(D, D)``.

    With the curvatures ``c_i = l''`` of a loss as ``weights`` ``(n,)``, the second-order term of a
    linear model is ``1/2 w^T M w``: a data-dependent ridge penalty (Dao et al. 2019).
    """
    phi = copies_of(copies)
    n, t, _ = phi.shape
    moves = phi - phi.mean(axis=1, keepdims=True)
    share = np.broadcast_to(np.asarray(weights, np.float64), (n,)) / (n * t)
    flat = moves.reshape(n * t, -1)
    return np.asarray((flat * np.repeat(share, t)[:, None]).T @ flat, np.float64)
