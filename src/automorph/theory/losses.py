"""Losses and their second-order expansion over the copies of an example.

Dao et al. (ICML 2019), section 4. Scores are ``(..., C)``; targets broadcast against them.
``spread`` takes the mean scores ``centre`` ``(n, C)`` and the copies' ``moves`` ``(n, T, C)``
around them, and returns the second-order term of each example ``(n,)``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, ndtr, softmax

Floats = NDArray[np.float64]


class Loss(ABC):
    """A loss, its slope, and the term that the spread of the copies adds."""

    signed = False

    @abstractmethod
    def value(self, scores: Floats, targets: Floats) -> Floats:
        """Return losses ``(...)``."""

    @abstractmethod
    def slope(self, scores: Floats, targets: Floats) -> Floats:
        """Return the derivative of each loss by its scores ``(..., C)``."""

    @abstractmethod
    def spread(self, centre: Floats, moves: Floats, targets: Floats) -> Floats:
        """Return ``1/2 E_z d^T H d`` of each example ``(n,)``."""

    @abstractmethod
    def spread_slopes(
        self, centre: Floats, moves: Floats, targets: Floats
    ) -> tuple[Floats, Floats]:
        """Return the derivatives of ``spread`` by ``centre`` and ``moves``."""


class Softmax(Loss):
    """Cross-entropy: ``logsumexp(s) - y . s``; H = diag(p) - p p^T, which needs no labels."""

    def value(self, scores: Floats, targets: Floats) -> Floats:
        """Return losses ``(...)``."""
        return np.asarray(logsumexp(scores, axis=-1) - (targets * scores).sum(axis=-1))

    def slope(self, scores: Floats, targets: Floats) -> Floats:
        """Return ``p - y`` ``(..., C)``."""
        return np.asarray(softmax(scores, axis=-1) - targets)

    def spread(self, centre: Floats, moves: Floats, targets: Floats) -> Floats:
        """Return half the variance of the moves over classes drawn from p, ``(n,)``."""
        p = softmax(centre, axis=-1)[:, None]
        mean = (p * moves).sum(axis=-1)
        return np.asarray(0.5 * ((p * moves**2).sum(axis=-1) - mean**2).mean(axis=1))

    def spread_slopes(
        self, centre: Floats, moves: Floats, targets: Floats
    ) -> tuple[Floats, Floats]:
        """Return both derivatives, including the path through p."""
        p = softmax(centre, axis=-1)
        mean = (p[:, None] * moves).sum(axis=-1, keepdims=True)
        by_p = 0.5 * (moves**2 - 2 * mean * moves).mean(axis=1)
        by_centre = p * (by_p - (p * by_p).sum(axis=-1, keepdims=True))
        return by_centre, p[:, None] * (moves - mean) / moves.shape[1]


class _Single(Loss):
    """Losses that are a sum over scores, one term per score."""

    def spread(self, centre: Floats, moves: Floats, targets: Floats) -> Floats:
        """Return ``1/2 l'' E d^2``, summed over scores."""
        curve, _ = self.curvature(centre, targets)
        return np.asarray(0.5 * (curve * (moves**2).mean(axis=1)).sum(axis=-1))

    def spread_slopes(
        self, centre: Floats, moves: Floats, targets: Floats
    ) -> tuple[Floats, Floats]:
        """Return both derivatives, including the path through the curvature."""
        curve, bend = self.curvature(centre, targets)
        by_centre = 0.5 * bend * (moves**2).mean(axis=1)
        return by_centre, curve[:, None] * moves / moves.shape[1]

    @abstractmethod
    def curvature(self, scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """Return the second and third derivative."""


class Squared(_Single):
    """``1/2 (s - y)^2``; its second-order objective is exact."""

    def value(self, scores: Floats, targets: Floats) -> Floats:
        """Return losses ``(...)``."""
        return np.asarray(0.5 * np.square(scores - targets).sum(axis=-1))

    def slope(self, scores: Floats, targets: Floats) -> Floats:
        """Return ``s - y``."""
        return scores - targets

    def curvature(self, scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """Return 1 and 0."""
        return np.ones_like(scores), np.zeros_like(scores)


class Logistic(_Single):
    """``log(1 + exp(-y s))``, y = -1 or 1; its curvature needs no labels."""

    signed = True

    def value(self, scores: Floats, targets: Floats) -> Floats:
        """Return losses ``(...)``."""
        return np.asarray(np.logaddexp(0.0, -targets * scores).sum(axis=-1))

    def slope(self, scores: Floats, targets: Floats) -> Floats:
        """Return ``-y sigmoid(-y s)``."""
        return np.asarray(-targets * expit(-targets * scores))

    def curvature(self, scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """Return ``p (1 - p)`` and ``p (1 - p) (1 - 2 p)``."""
        p = expit(scores)
        return np.asarray(p * (1 - p)), np.asarray(p * (1 - p) * (1 - 2 * p))


class SquaredHinge(_Single):
    """``max(0, 1 - y s)^2``; its second-order objective is exact if no copy crosses the margin."""

    signed = True

    def value(self, scores: Floats, targets: Floats) -> Floats:
        """Return losses ``(...)``."""
        return np.asarray(np.square(np.maximum(0.0, 1 - targets * scores)).sum(axis=-1))

    def slope(self, scores: Floats, targets: Floats) -> Floats:
        """Return ``-2 y max(0, 1 - y s)``."""
        return np.asarray(-2 * targets * np.maximum(0.0, 1 - targets * scores))

    def curvature(self, scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """Return 2 inside the margin, else 0."""
        return np.where(targets * scores < 1, 2.0, 0.0), np.zeros_like(scores)


class Hinge(Loss):
    """``max(0, 1 - y s)``.

    Its curvature is 0 almost everywhere, so the expansion would vanish. Instead, the margins of the
    copies are modelled as normal with mean mu and deviation t, which gives the expected loss
    ``(1 - mu) N(a) + t n(a)``, a = (1 - mu) / t; its excess over ``max(0, 1 - mu)`` is the spread.
    """

    signed = True

    def value(self, scores: Floats, targets: Floats) -> Floats:
        """Return losses ``(...)``."""
        return np.asarray(np.maximum(0.0, 1 - targets * scores).sum(axis=-1))

    def slope(self, scores: Floats, targets: Floats) -> Floats:
        """Return ``-y`` inside the margin, else 0."""
        return -targets * (targets * scores < 1)

    def spread(self, centre: Floats, moves: Floats, targets: Floats) -> Floats:
        """Return the term that a normal spread of the margins adds, ``(n,)``."""
        short, wide, a = self._normal(centre, moves, targets)
        expected = short * ndtr(a) + wide * _density(a)
        return np.asarray((expected - np.maximum(0.0, short)).sum(axis=-1))

    def spread_slopes(
        self, centre: Floats, moves: Floats, targets: Floats
    ) -> tuple[Floats, Floats]:
        """Return ``-y (N(a) - [mu < 1])`` and ``n(a) d / (T t)``."""
        short, wide, a = self._normal(centre, moves, targets)
        by_centre = -targets * (ndtr(a) - (short > 0))
        by_moves = (_density(a) / wide)[:, None] * moves / moves.shape[1]
        return np.asarray(by_centre), np.asarray(by_moves)

    def _normal(
        self, centre: Floats, moves: Floats, targets: Floats
    ) -> tuple[Floats, Floats, Floats]:
        short = 1 - targets * centre
        # Equal copies are the limit of a small deviation.
        wide = np.sqrt(np.maximum((moves**2).mean(axis=1), 1e-24))
        return short, wide, short / wide


def _density(a: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * a**2) / np.sqrt(2 * np.pi))


LOSSES: dict[str, Loss] = {
    "softmax": Softmax(),
    "squared": Squared(),
    "logistic": Logistic(),
    "hinge": Hinge(),
    "squared-hinge": SquaredHinge(),
}
