"""How far images and texts are from one another."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from automorph.robustness.translators.base import Images


def apart(some: Images, others: Images) -> float:
    """The mean absolute difference as a share of the range of pixels; of texts, of the words."""
    if some.dtype.kind == "T":
        pairs = zip(some.tolist(), others.tolist(), strict=True)
        return float(np.mean([words_apart(one, other) for one, other in pairs]))
    return float(np.abs(some.astype(np.int16) - others).mean() / 255)


def words_apart(one: str, other: str) -> float:
    """The share of the words of two texts that the other has not, 0 to 1.

    >>> words_apart("one good film here", "one bad film here"), words_apart("", "")
    (0.25, 0.0)
    """
    first, second = Counter(one.split()), Counter(other.split())
    total = first.total() + second.total()
    return 1 - 2 * (first & second).total() / total if total else 0.0


def spread(points: NDArray[np.float64]) -> float:
    """The root of the mean squared distance between two different points."""
    return float(np.sqrt(2 * points.var(axis=0, ddof=1).sum()))


def correlations(images: Images, made: Images) -> NDArray[np.float64]:
    """Pearson's correlation of every image with its translation; constant ones count as 0."""
    x, y = (i.reshape(len(i), -1).astype(np.float64) for i in (images, made))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return np.asarray(np.where(size > 0, (x * y).sum(1) / np.maximum(size, 1e-12), 0.0))


def pixels(images: Images) -> NDArray[np.float64]:
    """The pixels of images as points, 0 to 1."""
    return np.asarray(images.reshape(len(images), -1) / 255.0, np.float64)
