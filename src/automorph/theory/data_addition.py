"""The effect of one added point in the linear setting, and when adding hurts.

An operation F that keeps the label (``beta . F x = beta . x``) makes the point ``F x = X^T a + z``:
a part that the data already explain, and a part ``z`` outside their span. Wu et al. (2020, theorem
3.1) add the row ``z`` with the label ``y_x - a . y``; its noise is ``(e_x - a) . eps``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.theory.ridge import Error, resolvent, ridge_error

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NewPart:
    """A transformed point, split into ``explained`` a ``(n,)`` and ``residual`` z ``(p,)``."""

    explained: Floats
    residual: Floats

    def carried_noise(self, source: int) -> Floats:
        """Return ``e_x - a`` ``(n,)``: the noises in the corrected label of z."""
        return np.asarray(np.eye(len(self.explained))[source] - self.explained, np.float64)


def new_part(rows: ArrayLike, point: ArrayLike, *, tolerance: float = 1e-10) -> NewPart:
    """Split ``point`` ``(p,)`` into ``X^T a + z`` with z orthogonal to all ``rows`` ``(n, p)``."""
    x, u = np.asarray(rows, np.float64), np.asarray(point, np.float64).ravel()
    explained = np.linalg.pinv(x.T, rcond=tolerance) @ u
    return NewPart(np.asarray(explained, np.float64), u - x.T @ explained)


def one_point_gain(
    residual: ArrayLike, beta: ArrayLike, *, penalty: float, noise: float, carried: ArrayLike
) -> float:
    """Return the exact decrease of the error when the row ``residual`` z is added.

    ``<z, beta>^2 (|z|^2 + 2 L) / (|z|^2 + L)^2 - noise^2 |z|^2 |c|^2 / (|z|^2 + L)^2`` at a fixed
    penalty L, where z is orthogonal to the rows and ``carried`` c ``= e_x - a`` (theorem 3.1
    without its slack; the first term is the bound's ``<z, beta>^2 / (lambda n)`` up to a factor
    between 0 and 2). Negative if adding hurts.
    """
    z, b = np.asarray(residual, np.float64).ravel(), np.asarray(beta, np.float64).ravel()
    size, signal = float(z @ z), float(z @ b)
    carries = float(np.square(np.asarray(carried, np.float64)).sum())
    return (signal**2 * (size + 2 * penalty) - noise**2 * size * carries) / (size + penalty) ** 2


def noise_limit(
    residual: ArrayLike, beta: ArrayLike, *, penalty: float, carried: ArrayLike
) -> float:
    """Return the noise (standard deviation) above which adding the point hurts.

    ``|<z, beta>| sqrt((|z|^2 + 2 L) / (|z|^2 |c|^2))``. A point without new direction, or one that
    carries no noise, never hurts (infinity); one whose new direction carries no signal always does
    (0).
    """
    z, b = np.asarray(residual, np.float64).ravel(), np.asarray(beta, np.float64).ravel()
    size = float(z @ z)
    carries = size * float(np.square(np.asarray(carried, np.float64)).sum())
    if carries == 0.0:
        return float("inf")
    return float(abs(z @ b) * np.sqrt((size + 2 * penalty) / carries))


@dataclass(frozen=True)
class Added:
    """Candidates in the order they were taken, and the error before and after each."""

    order: tuple[int, ...]
    errors: tuple[Error, ...]


def add_greedily(
    rows: ArrayLike,
    candidates: ArrayLike,
    beta: ArrayLike,
    *,
    penalty: float,
    noise: float,
    mixing: ArrayLike,
    count: int,
    clean: ArrayLike | None = None,
) -> Added:
    """Take up to ``count`` candidate rows one by one, each time the one that lowers the error most.

    ``candidates`` ``(m, p)`` with noises ``mixing`` ``(m, n)`` over the noises of ``rows``
    ``(n, p)`` and clean labels ``clean`` ``(m,)`` (default: ``candidates @ beta``). Stops if every
    remaining candidate would raise the error. This is an oracle: it knows beta.

    Each candidate costs one rank-one update, so a step costs ``O(m p n)``.
    """
    x, u = np.asarray(rows, np.float64), np.asarray(candidates, np.float64)
    b, n = np.asarray(beta, np.float64).ravel(), len(x)
    carried = np.asarray(mixing, np.float64)
    labels = u @ b if clean is None else np.asarray(clean, np.float64).ravel()
    inverse = resolvent(x, penalty)
    # The estimate is beta + bias + spread @ eps; both are updated with rank one.
    bias, spread = inverse @ (x.T @ (x @ b)) - b, inverse @ x.T
    errors = [ridge_error(x, b, penalty=penalty, noise=noise, mixing=np.eye(n))]
    order: list[int] = []
    for _ in range(min(count, len(u))):
        left = [i for i in range(len(u)) if i not in order]
        tried = [_step(inverse, bias, spread, u[i], labels[i], carried[i], b) for i in left]
        candidate_errors = [
            Error(float(s[1] @ s[1]), float(noise**2 * (s[2] ** 2).sum())) for s in tried
        ]
        best = int(np.argmin([error.total for error in candidate_errors]))
        if candidate_errors[best].total >= errors[-1].total:
            break
        inverse, bias, spread = tried[best]
        order.append(left[best])
        errors.append(candidate_errors[best])
    return Added(tuple(order), tuple(errors))


def _step(
    inverse: Floats,
    bias: Floats,
    spread: Floats,
    row: Floats,
    label: float,
    carried: Floats,
    beta: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Return inverse, bias and noise spread after one more row (Sherman and Morrison)."""
    side = inverse @ row
    gain = side / (1 + row @ side)
    return (
        inverse - np.outer(gain, side),
        bias + gain * (label - row @ (beta + bias)),
        spread + np.outer(gain, carried - row @ spread),
    )
