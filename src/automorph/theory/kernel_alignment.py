"""Kernel alignment: how well a kernel agrees with the labels, and how averaging copies changes it.

Cristianini, Shawe-Taylor, Elisseeff, Kandola (2001); Cortes, Mohri, Rostamizadeh (2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import UsageError
from automorph.theory.feature_averaging import averaged

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AlignmentGain:
    """Alignment before and after averaging, the gain, and its bootstrap interval."""

    value: float
    low: float
    high: float
    before: float
    after: float

    @property
    def verdict(self) -> str:
        """``raises`` or ``lowers`` alignment; ``cannot be told`` if the interval covers 0.

        >>> AlignmentGain(-0.002, -0.0065, 0.0025, 0.4, 0.398).verdict
        'cannot be told'
        """
        return gain_in_words(self.low, self.high)


@dataclass(frozen=True)
class AlignmentGains:
    """Both statistics of one operation: Dao et al. (2019) use the uncentred one."""

    uncentred: AlignmentGain
    centred: AlignmentGain


def alignment(features: ArrayLike, labels: ArrayLike, *, centred: bool = True) -> float:
    """Return the alignment of the linear kernel of ``features`` ``(n, D)`` with labels ``(n,)``.

    ``A(K) = <K, S> / (|K| |S|)`` with ``K = Phi Phi^T``, ``S[i, j] = [y_i = y_j]`` and Frobenius
    norms (Cristianini et al. 2001); centred: both matrices between ``H = I - 1 1^T / n`` (Cortes et
    al. 2012). It lies in [-1, 1] and does not depend on the features' scale. A constant kernel (all
    features or all labels equal) has alignment 0. Costs ``n D min(n, D)``.

    >>> alignment(np.eye(2)[[0, 1, 0, 1]], [0, 1, 0, 1])
    1.0
    """
    phi, classes = _checked(features, labels)
    counts = np.bincount(classes).astype(np.float64)
    if centred:
        phi = phi - phi.mean(0)
    sums = np.stack([phi[classes == number].sum(0) for number in range(len(counts))])
    gram = phi.T @ phi if phi.shape[0] > phi.shape[1] else phi @ phi.T
    norm = np.linalg.norm(gram) * np.sqrt(_pairs(counts[:, None], len(phi), centred)[0])
    return float(_ratio(np.square(sums).sum(), norm))


def target_alignment(features: ArrayLike, targets: ArrayLike) -> float:
    """Return the centred alignment of the kernel of ``features`` with that of ``targets`` (n, k).

    ``A = |Phi^T Y|^2 / (|Phi Phi^T| |Y Y^T|)`` with Frobenius norms and centred columns; see
    `alignment`, where the targets are classes.

    >>> round(target_alignment(np.eye(2)[[0, 1, 0, 1]], np.eye(2)[[0, 1, 0, 1]]), 6)
    1.0
    """
    phi, y = (np.asarray(one, np.float64) for one in (features, targets))
    phi, y = phi - phi.mean(0), y - y.mean(0)
    gram = phi.T @ phi if phi.shape[0] > phi.shape[1] else phi @ phi.T
    return float(_ratio(np.square(phi.T @ y).sum(), np.linalg.norm(gram) * np.linalg.norm(y.T @ y)))


def centred_alignment(features: ArrayLike, labels: ArrayLike) -> float:
    """Return the alignment of centred matrices, which constant features do not dilute."""
    return alignment(features, labels, centred=True)


def alignment_gain(
    features: ArrayLike,
    copies: ArrayLike,
    labels: ArrayLike,
    *,
    centred: bool = True,
    draws: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> AlignmentGain:
    """Return the alignment of averaged features minus that of the originals.

    ``features`` ``(n, D)`` of the originals; ``copies`` ``(n, T, D)`` of the copies to average
    (with or without the original, as you choose), or ``(n, D)`` averaged already. The interval is a
    paired bootstrap: both sides use the same resampled examples. Memory: two Gram matrices ``(n,
    n)``, so a few thousand examples at most.
    """
    phi, classes = _checked(features, labels)
    features_of_copies = np.asarray(copies, np.float64)
    psi = averaged(features_of_copies) if features_of_copies.ndim == 3 else features_of_copies
    if psi.shape != phi.shape:
        raise UsageError(
            f"got features {phi.shape} and averaged copies {psi.shape}; expected the same examples "
            "and the same number of features"
        )
    n = len(phi)
    rng = np.random.default_rng(seed)
    again = rng.multinomial(n, np.full(n, 1 / n), size=draws).T.astype(np.float64)
    weights = np.concatenate([np.ones((n, 1)), again], axis=1)
    before = _weighted(phi, classes, weights, centred)
    after = _weighted(psi, classes, weights, centred)
    gain = after - before
    outside = (1 - confidence) / 2
    low, high = np.quantile(gain[1:], [outside, 1 - outside]) if draws else (gain[0], gain[0])
    return AlignmentGain(*(float(v) for v in (gain[0], low, high, before[0], after[0])))


def alignment_gains(
    features: ArrayLike,
    copies: ArrayLike,
    labels: ArrayLike,
    *,
    draws: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> AlignmentGains:
    """Return the uncentred and the centred gain, each with its interval; see `alignment_gain`.

    The two can disagree, because features with a large common part dilute the uncentred one.
    """
    uncentred, centred = (
        alignment_gain(
            features, copies, labels,
            centred=kind, draws=draws, confidence=confidence, seed=seed,
        )
        for kind in (False, True)
    )  # fmt: skip
    return AlignmentGains(uncentred, centred)


def gain_in_words(low: float, high: float) -> str:
    """Return what an interval of a gain says.

    >>> gain_in_words(0.01, 0.02), gain_in_words(-0.02, -0.01), gain_in_words(-0.01, 0.01)
    ('raises', 'lowers', 'cannot be told')
    """
    return "raises" if low > 0 else "lowers" if high < 0 else "cannot be told"


def _weighted(phi: Floats, classes: NDArray[np.intp], weights: Floats, centred: bool) -> Floats:
    """Return alignments under sample weights ``(n, B)`` from one Gram matrix.

    With weights w, row means r = K w / n and grand mean t = w.r / n, the centred norm is
    ``|HKH|^2 = w (K o K) w - 2 n w.r^2 + n^2 t^2``; so B resamples cost B products with a vector.
    """
    # Centring first changes no result and avoids cancellation in the sums below.
    gram = phi - phi.mean(0) if centred else phi
    gram = gram @ gram.T
    n = float(weights[:, 0].sum())
    counts = np.zeros((int(classes.max()) + 1, weights.shape[1]))
    np.add.at(counts, classes, weights)
    same = classes[:, None] == classes[None, :]
    inner = (weights * (np.where(same, gram, 0.0) @ weights)).sum(0)
    square = (weights * (np.square(gram) @ weights)).sum(0)
    if centred:
        rows = gram @ weights / n
        grand = (weights * rows).sum(0) / n
        inner = inner - 2 * (weights * rows * counts[classes]).sum(0) + grand * (counts**2).sum(0)
        square = square - 2 * n * (weights * rows**2).sum(0) + (n * grand) ** 2
    norm = np.sqrt(np.maximum(square, 0.0) * _pairs(counts, n, centred))
    return np.asarray(_ratio(inner, norm), np.float64)


def _pairs(counts: Floats, n: float, centred: bool) -> Floats:
    """Return the squared norm of S, or of H S H, from class counts ``(C, B)``."""
    pairs = (counts**2).sum(0)
    if centred:
        pairs = pairs - 2 / n * (counts**3).sum(0) + (pairs / n) ** 2
    return np.asarray(np.maximum(pairs, 0.0), np.float64)


def _ratio(inner: ArrayLike, norm: ArrayLike) -> Floats:
    above, below = np.asarray(inner, np.float64), np.asarray(norm, np.float64)
    return np.where(below > 1e-300, above / np.where(below > 1e-300, below, 1.0), 0.0)


def _checked(features: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    phi = np.asarray(features, np.float64)
    classes = np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1)
    if phi.ndim != 2 or len(phi) != len(classes) or len(phi) == 0:
        raise UsageError(
            f"got features of shape {phi.shape} with {len(classes)} labels; expected (n, D) and "
            "(n,)"
        )
    return phi, classes
