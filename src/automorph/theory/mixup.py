"""Mixup in the linear setting: additional ridge, and a shrinkage of predictions.

The setting of Wu, Zhang, Valiant and Re (ICML 2020); the shrinkage is of Carratino et al. (2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from automorph.errors import UsageError

Floats = NDArray[np.float64]


def mixup_kappa(alpha: float) -> float:
    """Return the share of the data that mixing keeps: ``E[a^2 + (1 - a)^2]``, ``a ~ Beta(s, s)``.

    ``(s + 1) / (2 s + 1)``.

    >>> round(mixup_kappa(1.0), 3), round(mixup_kappa(0.2), 3)
    (0.667, 0.857)
    """
    _positive(alpha)
    return (alpha + 1) / (2 * alpha + 1)


def mixup_penalty(penalty: float, *, examples: int, added: int, alpha: float = 1.0) -> float:
    """Return the penalty of plain ridge that is equivalent to ``added`` mixup rows.

    ``penalty`` is the whole penalty L = n lambda of the n original examples, lambda being that of
    one sample, which mixup's rows get too. With centred data ``L (n + m) / (n + kappa m)``, so
    mixup multiplies the penalty by less than ``1 / kappa`` (1.5 for alpha 1). It adds no new
    direction: it helps only if the penalty was too small. (If the whole penalty stays fixed while
    rows are added, the factor is ``n / (n + kappa m)`` instead.)

    >>> round(mixup_penalty(4.0, examples=10, added=10, alpha=1.0), 9)
    4.8
    """
    kappa = mixup_kappa(alpha)
    return penalty * (examples + added) / (examples + kappa * added)


@dataclass(frozen=True, eq=False)
class MixedRows:
    """``rows`` ``(m, p)`` mixed from pairs, and ``mixing`` ``(m, n)``, also for their targets."""

    rows: Floats
    mixing: Floats


def mixup_rows(rows: ArrayLike, *, count: int, alpha: float = 1.0, seed: int = 0) -> MixedRows:
    """Draw ``a x_i + (1 - a) x_j``, i and j independent, ``a ~ Beta(alpha, alpha)``.

    Targets are mixed alike: ``mixing @ y``.
    """
    _positive(alpha)
    x, rng = np.asarray(rows, np.float64), np.random.default_rng(seed)
    n, each = len(x), np.arange(count)
    share = rng.beta(alpha, alpha, size=count)
    mixing = np.zeros((count, n))
    np.add.at(mixing, (each, rng.integers(n, size=count)), share)
    np.add.at(mixing, (each, rng.integers(n, size=count)), 1 - share)
    return MixedRows(mixing @ x, mixing)


def mixup_shrinkage(alpha: float) -> float:
    """Return the mean share of an example in its own mixed copy, ``E max(a, 1 - a)``.

    Training on mixed examples is training on examples (and labels) shrunk towards their mean by
    this factor, with noise of mean 0 (Carratino et al. 2020); predictions shrink by it too.

    >>> round(mixup_shrinkage(1.0), 9)
    0.75
    """
    _positive(alpha)
    # 2 E[a; a > 1/2] = P(Beta(s + 1, s) > 1/2)
    return float(1 - betainc(alpha + 1, alpha, 0.5))


def error_slope(rows: ArrayLike, beta: ArrayLike, *, penalty: float, noise: float) -> float:
    """Return the derivative of ridge's error by its whole penalty L.

    ``de/dL = sum_j 2 s_j^2 (L b_j^2 - noise^2) / (s_j^2 + L)^3`` over singular values s_j and the
    signal ``b_j = <v_j, beta>`` along them. Negative: more penalty, and so mixup, helps.
    """
    _, singular, right = np.linalg.svd(np.asarray(rows, np.float64), full_matrices=False)
    along = right @ np.asarray(beta, np.float64).ravel()
    squares = singular**2
    terms = 2 * squares * (penalty * along**2 - noise**2) / (squares + penalty) ** 3
    return float(terms.sum())


def _positive(alpha: float) -> None:
    if not alpha > 0:
        raise UsageError(f"got alpha={alpha}; expected a number above 0")
