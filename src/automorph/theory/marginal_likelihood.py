"""Invariance learned from the marginal likelihood of a small Gaussian process.

Van der Wilk, Bauer, John and Hensman (NeurIPS 2018): ``f(x) = E_z g(z)``, z the copies of x and g a
Gaussian process, is a Gaussian process with the averaged kernel. The range of the copies is then a
hyperparameter, and the marginal likelihood of the *training* examples selects it, which their
training loss cannot do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from automorph.errors import UsageError
from automorph.theory.kernels import averaged_kernel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """The best log marginal likelihood (nats), and the scale and noise variance that reach it."""

    value: float
    scale: float
    noise: float


@dataclass(frozen=True)
class RangeEvidence:
    """Evidence of each candidate range; ``best`` is the range with the most."""

    ranges: tuple[float, ...]
    evidence: tuple[Evidence, ...]
    gammas: tuple[float, ...]

    @property
    def best(self) -> float:
        """The range with the largest marginal likelihood."""
        return self.ranges[int(np.argmax([one.value for one in self.evidence]))]


def log_evidence(kernel: ArrayLike, targets: ArrayLike, *, noise: float) -> float:
    """Return the log marginal likelihood of a kernel and targets, summed over targets.

    ``-1/2 y^T C^-1 y - 1/2 log det C - n/2 log 2 pi`` with C = K + noise I. ``kernel`` ``(n, n)``,
    ``targets`` ``(n,)`` or ``(n, C)``, ``noise`` a variance.
    """
    k, y = _checked(kernel, targets)
    factor = cho_factor(k + noise * np.eye(len(k)), lower=True)
    half_det = np.log(np.diag(factor[0])).sum() + 0.5 * len(k) * np.log(2 * np.pi)
    return float(-0.5 * (y * cho_solve(factor, y)).sum() - y.shape[1] * half_det)


def best_evidence(kernel: ArrayLike, targets: ArrayLike) -> Evidence:
    """Return the log marginal likelihood of ``scale K + noise I`` at its best scale and noise.

    One eigenvalue decomposition, then an optimisation over two numbers.
    """
    k, y = _checked(kernel, targets)
    values, vectors = np.linalg.eigh(k)
    values = np.maximum(values, 0.0)
    power, columns = np.square(vectors.T @ y).sum(axis=1), y.shape[1]
    usual = max(float(np.square(y).mean()), 1e-12)
    unit = max(float(np.trace(k)) / len(k), 1e-300)

    def negative(logs: Floats) -> tuple[float, Floats]:
        scale, noise = usual * np.exp(logs[0]) / unit, usual * np.exp(logs[1])
        total = scale * values + noise
        by_total = 0.5 * (columns / total - power / total**2)
        value = 0.5 * (power / total + columns * np.log(2 * np.pi * total)).sum()
        return float(value), np.array([by_total @ (scale * values), by_total.sum() * noise])

    starts = ([0.0, -1.0], [0.0, -5.0], [3.0, -2.0])
    tried = [
        minimize(negative, start, jac=True, method="L-BFGS-B", bounds=[(-12, 12), (-14, 4)])
        for start in starts
    ]
    optimum = min(tried, key=lambda result: float(result.fun))
    return Evidence(
        -float(optimum.fun),
        float(usual * np.exp(optimum.x[0]) / unit),
        float(usual * np.exp(optimum.x[1])),
    )


def range_evidence(
    inputs: NDArray[Any],
    labels: ArrayLike,
    transform: Callable[[NDArray[Any], float], NDArray[Any]],
    ranges: Sequence[float],
    *,
    copies: int = 9,
    gammas: Sequence[float] | None = None,
) -> RangeEvidence:
    """Return the marginal likelihood of an operation's ranges, from training examples alone.

    ``transform(inputs, value)`` applies the operation at one value to all inputs ``(n, ...)``. For
    each range r the copies are at ``copies`` even steps from -r to r: a fixed set, so the kernel is
    positive semi-definite and ranges are compared without noise. Class labels ``(n,)`` become
    centred one-hot targets, floats are regression targets and are centred, rows ``(n, C)`` are used
    unchanged. ``gammas`` are candidate rates of the Gaussian kernel; by default five around one
    over the median squared distance. Costs ``copies^2 n^2 p`` per range and gamma: for n up to
    about 1,500.
    """
    x = np.asarray(inputs)
    y = _targets(labels)
    plain = _flat(x)[:, 0]
    rates = tuple(gammas) if gammas is not None else _default_gammas(plain)
    evidence, chosen = [], []
    for reach in ranges:
        steps = np.linspace(-reach, reach, copies) if reach else np.zeros(1)
        every = np.concatenate([_flat(transform(x, float(step))) for step in steps], axis=1)
        tried = [best_evidence(averaged_kernel(every, every, gamma=g), y) for g in rates]
        best = int(np.argmax([one.value for one in tried]))
        evidence.append(tried[best])
        chosen.append(float(rates[best]))
    return RangeEvidence(tuple(float(r) for r in ranges), tuple(evidence), tuple(chosen))


def _default_gammas(x: Floats) -> tuple[float, ...]:
    few = x[:: max(1, len(x) // 300)]
    squares = np.square(few[:, None] - few[None]).sum(axis=2)
    middle = float(np.median(squares[np.triu_indices(len(few), 1)]))
    return tuple(f / max(middle, 1e-12) for f in (0.25, 0.5, 1.0, 2.0, 4.0))


def _flat(inputs: NDArray[Any]) -> Floats:
    """Reshape inputs ``(n, ...)`` to ``(n, 1, p)``."""
    return np.asarray(inputs, np.float64).reshape(len(inputs), 1, -1)


def _targets(labels: ArrayLike) -> Floats:
    given = np.asarray(labels)
    if given.ndim == 2:
        return np.asarray(given, np.float64)
    if given.dtype.kind == "f":
        return np.asarray((given - given.mean())[:, None], np.float64)
    hot = (given[:, None] == np.unique(given)).astype(np.float64)
    return np.asarray(hot - hot.mean(axis=0), np.float64)


def _checked(kernel: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats]:
    k, y = np.asarray(kernel, np.float64), np.asarray(targets, np.float64)
    y = y[:, None] if y.ndim == 1 else y
    if k.ndim != 2 or k.shape[0] != k.shape[1] or len(k) != len(y):
        raise UsageError(
            f"got a kernel of shape {k.shape} with {len(y)} targets; expected (n, n) and n targets"
        )
    return np.asarray(k), np.asarray(y)
