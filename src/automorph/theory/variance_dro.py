"""The variance-based robust objective: the worst mean of losses over slightly moved weights.

Namkoong and Duchi (NeurIPS 2017): the supremum of ``sum_i q_i l_i`` over weights with
``1/n sum_i 1/2 (n q_i - 1)^2 <= rho / n`` is ``mean + sqrt(2 rho / n) s`` (s the deviation of the
losses) as long as no weight would be negative. Unlike mean plus deviation it is convex in the model
and never rewards a larger loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]


def worst_weights(losses: ArrayLike, rho: float) -> Floats:
    """Return the weights q that maximise ``sum q l`` over the last axis of losses ``(..., n)``.

    ``q_i = max(0, c (l_i - eta))``, found exactly by sorting. ``rho`` 0 gives equal weights; a rho
    of ``n (n - 1) / 2`` or more gives the largest loss all the weight.

    >>> worst_weights([1.0, 2.0, 3.0], 0.5).round(3).tolist()
    [0.098, 0.333, 0.569]
    """
    values = np.asarray(losses, np.float64)
    if not rho >= 0 or values.ndim == 0 or values.shape[-1] == 0:
        raise UsageError(
            f"got rho={rho} and losses of shape {values.shape}; expected a rho of at least 0, and "
            "at least one loss"
        )
    n = values.shape[-1]
    order = np.argsort(-values, axis=-1, kind="stable")
    falling = np.take_along_axis(values, order, axis=-1)
    # With the k largest losses in use, q = 1/k + a (l - mean_k), where sum q^2 is as allowed.
    k = np.arange(1, n + 1)
    centred = falling - falling[..., :1]
    mean = np.cumsum(centred, axis=-1) / k
    spread = np.maximum(np.cumsum(centred**2, axis=-1) - k * mean**2, 0.0)
    allowed = np.maximum((1 + 2 * rho / n) / n - 1 / k, 0.0)
    small = spread <= 1e-24 * np.maximum(centred[..., -1:] ** 2, 1e-300)
    slope = np.where(small, 0.0, np.sqrt(allowed / np.where(small, 1.0, spread)))
    # Fewer than 1 / sum q^2 losses cannot hold all the weight; with more, the last must stay >= 0.
    enough = (1 + 2 * rho / n) / n >= (1 - 1e-12) / k
    fits = enough & (1 / k + slope * (centred - mean) >= -1e-12)
    last = (n - 1 - np.argmax(fits[..., ::-1], axis=-1))[..., None]
    chosen_slope, chosen_mean = (np.take_along_axis(a, last, axis=-1) for a in (slope, mean))
    q = np.maximum(1 / (last + 1) + chosen_slope * (centred - chosen_mean), 0.0)
    q = np.where(np.arange(n) <= last, q, 0.0)
    q = q / q.sum(axis=-1, keepdims=True)
    result: Floats = np.empty_like(q)
    np.put_along_axis(result, order, q, axis=-1)
    return result


def robust_mean(losses: ArrayLike, rho: float) -> Floats:
    """Return the worst mean of ``losses`` ``(..., n)``, ``(...)``."""
    return np.asarray((worst_weights(losses, rho) * np.asarray(losses, np.float64)).sum(axis=-1))


@dataclass(frozen=True)
class VarianceRobust:
    """The robust objective for training with torch: losses ``(n,)`` in, their worst mean out.

    For losses ``(n, T)`` of T copies of each example: the worst mean over the copies, averaged over
    the examples, which lies between their mean (rho 0) and the worst copy (rho large).
    """

    rho: float

    def __call__(self, losses: Tensor) -> Tensor:
        """Return a scalar; its gradient is that of the losses under the worst weights."""
        weights = worst_weights(losses.detach().cpu().double().numpy(), self.rho)
        q = losses.new_tensor(weights)
        return (q * losses).sum(dim=-1).mean()
