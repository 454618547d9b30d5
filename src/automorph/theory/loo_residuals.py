"""Leave-one-out residuals of a ridge regression on augmented data, without refitting.

An example and its copies are one block of rows. Leaving a block out of a ridge regression changes
its residuals in closed form, so every example can be held out for the cost of one fit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def held_out_residuals(
    blocks: ArrayLike, targets: ArrayLike, *, weights: ArrayLike, penalties: ArrayLike
) -> Floats:
    """Return the residuals of every row if its whole block is left out: float32 ``(P, n, B, C)``.

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
    pairs = turned[:, :, None] * turned[:, None]
    hats = (pairs.reshape(-1, d) @ shrink.T).reshape(n, versions, versions, -1)
    residuals = np.empty((len(shrink), n, versions, y.shape[1]), np.float32)
    for k, shrinkage in enumerate(shrink):
        residual = y[:, None] - (flat @ (shrinkage[:, None] * cross)).reshape(n, versions, -1)
        left = np.eye(versions, dtype=np.float32) - hats[..., k] * w
        residuals[k] = np.linalg.solve(left, residual)
    return residuals
