"""Leave-one-out residuals of a ridge regression on augmented data, without refitting.

An example and its copies are one block of rows. Leaving a block out of a ridge regression changes
its residuals in closed form, so every example can be held out for the cost of one fit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def held_out_residuals(
    blocks: ArrayLike,
    targets: ArrayLike,
    *,
    weights: ArrayLike,
    penalties: ArrayLike,
    groups: NDArray[np.intp] | None = None,
) -> Floats:
    """Return the residuals of every row if its whole block is left out: float32 ``(P, n, B, C)``.

    With ``groups`` ``(n,)``, all blocks of a group are left out together, such as those of images
    of one person, from which the others could be predicted.

    ``blocks`` ``(n, B, D)`` are the features of n examples in B versions (original, copies), with
    ``weights`` ``(B,)``; rows of weight 0 are evaluated only. ``targets`` ``(n, C)`` are those of
    all versions of an example, ``penalties`` ``(P,)`` the whole penalties L.

    With ``M = (sum_i U_i^T W U_i + L I)^-1``, fit residuals ``e_i`` and ``H_i = U_i M U_i^T`` of
    block i, the residuals without the block are ``r_i = (I - H_i W)^-1 e_i`` (Woodbury; for B = 1
    the classic ``e / (1 - h)``). One eigendecomposition serves all penalties: ``O(n B D^2 + D^3)``.

    >>> r = held_out_residuals([[[1.0]], [[1.0]]], [[1.0], [3.0]], weights=[1], penalties=[1.0])
    >>> r[0, :, 0, 0].round(3).tolist()  # without the other: 1 - 3/2 and 3 - 1/2
    [-0.5, 2.5]
    """
    u, y = np.asarray(blocks, np.float32), np.asarray(targets, np.float32)
    w = np.asarray(weights, np.float32)
    n, versions, d = u.shape
    rows = (u * np.sqrt(w)[:, None]).reshape(-1, d)
    values, axes = np.linalg.eigh(rows.T @ rows)
    # Flat matrix products: numpy multiplies a stack of small matrices one by one.
    flat = u.reshape(-1, d) @ axes
    turned = flat.reshape(u.shape)
    cross = np.einsum("b,nbd->nd", w, turned).T @ y
    inverse = 1 / (np.maximum(values, 0) + np.ravel(penalties)[:, None])
    shrink = inverse.astype(np.float32)
    solutions = shrink[:, :, None] * cross
    fits = flat @ solutions.transpose(1, 0, 2).reshape(d, -1)
    residuals = y[:, None] - fits.reshape(n, versions, len(shrink), -1).transpose(2, 0, 1, 3)
    if groups is not None:
        each = zip(residuals, shrink, strict=True)
        found = [_without_groups(turned, r, groups, w, s, y, cross) for r, s in each]
        return np.stack(found)
    left = np.eye(versions, dtype=np.float32) - _hats(turned, shrink) * w
    return np.asarray(np.linalg.solve(left, residuals), np.float32)


def _hats(turned: Floats, shrink: Floats) -> Floats:
    """Return ``U_i diag(shrink_k) U_i^T`` of all blocks and penalties, ``(P, n, B, B)``."""
    n, versions, d = turned.shape
    hats = np.empty((len(shrink), n, versions, versions), np.float32)
    product = np.empty((n, d), np.float32)
    for a in range(versions):
        for b in range(a, versions):
            np.multiply(turned[:, a], turned[:, b], out=product)
            hats[:, :, a, b] = hats[:, :, b, a] = (product @ shrink.T).T
    return hats


def _without_groups(
    turned: Floats,
    residual: Floats,
    groups: NDArray[np.intp],
    w: Floats,
    shrinkage: Floats,
    y: Floats,
    cross: Floats,
) -> Floats:
    """Return the residuals ``(n, B, C)`` with whole groups left out, in the axes of the features.

    A group of fewer rows than features takes the identity of `held_out_residuals`; for a larger
    one, the features' own system is solved again without it.
    """
    found = np.empty_like(residual)
    versions, d = turned.shape[1:]
    for number in np.unique(groups):
        rows = np.flatnonzero(groups == number)
        own = turned[rows].reshape(-1, d)
        weight = np.tile(w, len(rows))
        if len(own) <= d:
            left = np.eye(len(own), dtype=np.float32) - (own * shrinkage) @ own.T * weight
            kept = np.linalg.solve(left, residual[rows].reshape(len(own), -1))
        else:
            targets = np.repeat(y[rows], versions, axis=0)
            weighted = own * weight[:, None]
            system = np.diag(1 / shrinkage) - weighted.T @ own
            kept = targets - own @ np.linalg.solve(system, cross - weighted.T @ targets)
        found[rows] = kept.reshape(len(rows), versions, -1)
    return found
