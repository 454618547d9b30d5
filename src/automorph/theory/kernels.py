"""The Gaussian kernel, its random features, and its average over copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FourierFeatures:
    """Random features whose inner products approximate the Gaussian kernel ``exp(-g |x - x'|^2)``.

    ``phi(x) = sqrt(2 / D) [sin(x W), cos(x W)]``, W normal with deviation ``sqrt(2 g)`` (Rahimi and
    Recht 2007); the error falls like ``D^-1/2``. ``directions`` is W ``(p, D / 2)``.

    >>> features = fourier_features(4, gamma=0.5, components=2000)
    >>> phi = features(np.zeros((1, 4)))
    >>> round(float((phi @ phi.T).item()), 12)
    1.0
    """

    directions: Floats

    def __call__(self, x: ArrayLike) -> Floats:
        """Return features ``(..., D)`` of points ``(..., p)``."""
        turned = np.asarray(x, np.float64) @ self.directions
        both = np.concatenate([np.sin(turned), np.cos(turned)], axis=-1)
        return np.asarray(both / np.sqrt(self.directions.shape[1]), np.float64)


def fourier_features(
    dimensions: int, *, gamma: float, components: int = 2000, seed: int = 0
) -> FourierFeatures:
    """Draw random Fourier features of the Gaussian kernel with rate ``gamma``."""
    if components < 2 or components % 2 or not gamma > 0:
        raise UsageError(
            f"got components={components} and gamma={gamma}; expected an even number of components "
            "and a gamma above 0"
        )
    rng = np.random.default_rng(seed)
    scale = np.sqrt(2 * gamma)
    return FourierFeatures(scale * rng.standard_normal((dimensions, components // 2)))


def gaussian_kernel(x: ArrayLike, y: ArrayLike, *, gamma: float) -> Floats:
    """Return ``exp(-gamma |x_i - y_j|^2)``, ``(n, m)``, of points ``(n, p)`` and ``(m, p)``."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.exp(-gamma * np.maximum(squares, 0.0)), np.float64)


def averaged_kernel(x: ArrayLike, y: ArrayLike, *, gamma: float) -> Floats:
    """Return the mean Gaussian kernel ``(n, m)`` over pairs of copies ``(n, S, p)``, ``(m, T, p)``.

    It is the kernel of averaged features, without random features: ``E_{z, z'} k(z, z')``. Positive
    semi-definite if both sides are the same copies.
    """
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    total = np.zeros((len(a), len(b)))
    for s in range(a.shape[1]):
        for t in range(b.shape[1]):
            total += gaussian_kernel(a[:, s], b[:, t], gamma=gamma)
    return np.asarray(total / (a.shape[1] * b.shape[1]))
