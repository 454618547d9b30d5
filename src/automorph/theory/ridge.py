"""Ridge regression with growing data: exact updates, exact errors, the exact gain of one point.

The linear setting of Wu, Zhang, Valiant and Re (ICML 2020). ``penalty`` is always the whole penalty
``L``, as in ``(X^T X + L I)^-1 X^T y``. In their notation it is ``n lambda``: for a penalty per
sample, let L grow with the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted ridge regression: ``inverse`` M = (X^T X + L I)^-1, ``weights`` (p, C), penalty L.

    >>> fit = fit_ridge([[1.0], [1.0]], [1.0, 3.0], penalty=2.0)
    >>> fit.weights.tolist()
    [[1.0]]
    >>> fit.with_rows([[1.0]], [2.0]).weights.round(3).tolist() == [[round(6 / 5, 3)]]
    True
    """

    inverse: Floats
    weights: Floats
    penalty: float

    def __call__(self, rows: ArrayLike) -> Floats:
        """Return predictions ``(m, C)`` for rows ``(m, p)``."""
        return np.asarray(np.asarray(rows, np.float64) @ self.weights, np.float64)

    def with_rows(self, rows: ArrayLike, targets: ArrayLike) -> Ridge:
        """Return the fit after more rows ``(m, p)`` with targets ``(m, C)``, penalty unchanged.

        ``w' = w + M U^T (I + U M U^T)^-1 (t - U w)`` (Woodbury): exact, one m x m solve. For many
        rows (m > p), inverting the grown matrix gives the same result faster.
        """
        u = _matrix(rows, "rows")
        t = _targets(targets, len(u))
        side = self.inverse @ u.T
        middle = np.eye(len(u)) + u @ side
        solved = np.linalg.solve(middle, np.concatenate([t - u @ self.weights, side.T], axis=1))
        step, shrink = solved[:, : t.shape[1]], solved[:, t.shape[1] :]
        inverse = self.inverse - side @ shrink
        return replace(self, inverse=(inverse + inverse.T) / 2, weights=self.weights + side @ step)

    def unexplained(self, rows: ArrayLike) -> Floats:
        """Return the new information of each row, ``L u^T M u`` in ``[0, |u|^2]``, ``(m,)``.

        It is ``|u|^2`` for a row outside the span of the data and near 0 well inside it.
        """
        u = _matrix(rows, "rows")
        return np.asarray(self.penalty * np.einsum("mp,pq,mq->m", u, self.inverse, u), np.float64)

    def error(self, rows: ArrayLike, targets: ArrayLike) -> float:
        """Return the mean squared error over rows, summed over targets."""
        u = _matrix(rows, "rows")
        return float(np.square(self(u) - _targets(targets, len(u))).sum(axis=1).mean())


def fit_ridge(rows: ArrayLike, targets: ArrayLike, *, penalty: float) -> Ridge:
    """Fit ``w = (X^T X + L I)^-1 X^T y`` to rows ``(n, p)``, targets ``(n,)`` or ``(n, C)``."""
    x = _matrix(rows, "rows")
    y = _targets(targets, len(x))
    inverse = resolvent(x, penalty)
    return Ridge(inverse, inverse @ (x.T @ y), float(penalty))


def resolvent(rows: ArrayLike, penalty: float) -> Floats:
    """Return ``M = (X^T X + L I)^-1``, ``(p, p)``, for a penalty above 0."""
    if not penalty > 0:
        raise UsageError(f"got penalty={penalty}; expected a number above 0")
    x = _matrix(rows, "rows")
    inverse = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1]))
    return np.asarray((inverse + inverse.T) / 2, np.float64)


def choose_penalty(
    rows: ArrayLike, targets: ArrayLike, *, candidates: ArrayLike | None = None
) -> float:
    """Return the penalty with the least leave-one-out error, exact from one decomposition.

    ``e_i = (y_i - yhat_i) / (1 - h_ii)``. Default candidates are 25 steps over eight powers of ten
    around the mean squared singular value.
    """
    x = _matrix(rows, "rows")
    y = _targets(targets, len(x))
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    squares = singular**2
    usual = np.geomspace(1e-6, 1e2, 25) * max(float(squares.mean()), 1e-12)
    penalties = usual if candidates is None else np.asarray(candidates, np.float64).ravel()
    turned = left.T @ y
    errors = []
    for penalty in penalties:
        shrink = squares / (squares + penalty)
        hat = np.square(left) @ shrink
        residual = (y - (left * shrink) @ turned) / np.maximum(1 - hat, 1e-12)[:, None]
        errors.append(np.square(residual).sum())
    return float(penalties[int(np.argmin(errors))])


def predicted_change(
    fit: Ridge, rows: ArrayLike, targets: ArrayLike, *, held_out: tuple[ArrayLike, ArrayLike]
) -> float:
    """Return the change of the held-out squared error when rows are added; negative is better.

    Exact for this ridge regression at this penalty; with a penalty chosen again, the change may
    differ.
    """
    return fit.with_rows(rows, targets).error(*held_out) - fit.error(*held_out)


@dataclass(frozen=True)
class Error:
    """Expected squared error of an estimate of beta in its two parts."""

    bias: float
    variance: float

    @property
    def total(self) -> float:
        """Squared bias plus variance."""
        return self.bias + self.variance


def ridge_error(
    rows: ArrayLike,
    beta: ArrayLike,
    *,
    penalty: float,
    noise: float,
    mixing: ArrayLike | None = None,
    clean: ArrayLike | None = None,
) -> Error:
    """Return the expected ``|b - beta|^2`` of ridge on (augmented) rows: squared bias and variance.

    ``rows`` ``(m, p)``; their targets are ``clean + mixing @ eps``, where eps are the independent
    noises (standard deviation ``noise``) of the original examples. ``mixing`` ``(m, n)`` states
    which noises a row carries: a copy carries its original's, and omitting that understates the
    variance. It defaults to the identity: no row is a copy. ``clean`` ``(m,)`` defaults to ``rows @
    beta``: the labels are right.

    ``bias = M X^T clean - beta``, ``variance = noise^2 Tr(M X^T N N^T X M)``.
    """
    x, b = _matrix(rows, "rows"), np.asarray(beta, np.float64).ravel()
    m = resolvent(x, penalty)
    targets = x @ b if clean is None else np.asarray(clean, np.float64).ravel()
    bias = m @ (x.T @ targets) - b
    spread = m @ x.T if mixing is None else m @ (x.T @ np.asarray(mixing, np.float64))
    return Error(float(bias @ bias), float(noise**2 * np.square(spread).sum()))


def _matrix(rows: ArrayLike, name: str) -> Floats:
    x = np.asarray(rows, np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise UsageError(f"got {name} of shape {x.shape}; expected (n, p), none empty")
    return x


def _targets(targets: ArrayLike, n: int) -> Floats:
    y = np.asarray(targets, np.float64)
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2 or len(y) != n:
        raise UsageError(f"got targets of shape {y.shape} for {n} rows; expected (n,) or (n, C)")
    return y
