"""Mixtures of Gaussians with diagonal covariances, which may use labels and predictions.

Eyuboglu et al., "Domino" (ICLR 2022); Sohoni et al., "No subclass left behind" (NeurIPS 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST = 1e-3
_SAMPLE = 400


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Weights ``(s,)``, means and variances ``(s, d)``, and the labels' shares ``(s, classes)``."""

    weights: Floats
    means: Floats
    variances: Floats
    labels: Floats | None = None

    def assign(self, x: Floats, labels: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the most probable component of every row, by embedding and, if given, label."""
        scores = np.log(self.weights) + log_normal(x, self.means, self.variances)
        if labels is not None and self.labels is not None:
            scores += np.log(self.labels.T[labels])
        return np.asarray(scores.argmax(axis=1), np.int64)


def principal(features: Floats, dimensions: int) -> Floats:
    """Return the leading principal components with unit variance, ``(n, dimensions)`` at most."""
    centred = features - features.mean(axis=0)
    covariance = centred.T @ centred / len(features)
    values, vectors = np.linalg.eigh(covariance)
    keep = np.argsort(values)[::-1][:dimensions]
    keep = keep[values[keep] > 1e-9 * max(values.max(), 1e-30)]
    scaled: Floats = centred @ vectors[:, keep] / np.sqrt(values[keep])
    return scaled if len(keep) else np.zeros((len(features), 1))


def log_normal(x: Floats, means: Floats, variances: Floats) -> Floats:
    """Return log N(x | mean, diagonal variance) of rows ``(n, d)`` per component: ``(n, s)``."""
    inverse = 1 / variances
    squares = x**2 @ inverse.T - 2 * x @ (means * inverse).T + (means**2 * inverse).sum(axis=1)
    constant = np.log(2 * np.pi * variances).sum(axis=1)
    result: Floats = -0.5 * (squares + constant)
    return result


def fit(
    x: Floats,
    start: Floats,
    *,
    labels: NDArray[np.int64] | None = None,
    predictions: NDArray[np.int64] | None = None,
    classes: int = 0,
    rounds: int = 100,
) -> GaussianMixture:
    """Run expectation-maximisation from responsibilities ``start`` ``(n, s)``.

    log p(s) + log N(x | s) + log p(label | s) + log p(prediction | s): the mixture of Domino
    (Eyuboglu et al. 2022, section 4.2) with weights of 1; without labels a plain mixture.
    """
    known = [np.eye(classes)[column] for column in (labels, predictions) if column is not None]
    share = start / start.sum(axis=1, keepdims=True)
    before = -np.inf
    spread = x.var(axis=0) + _LEAST
    for _ in range(rounds):
        size = share.sum(axis=0) + 1e-9
        means = share.T @ x / size[:, None]
        # A share of the total variance keeps components from collapsing to single points.
        variances = (share.T @ x**2 + spread) / (size[:, None] + 1) - means**2 * (
            size / (size + 1)
        )[:, None]
        variances = np.maximum(variances, _LEAST)
        weights = size / size.sum()
        tables = [(share.T @ hot + 0.1) / (size[:, None] + 0.1 * classes) for hot in known]
        scores = np.log(weights) + log_normal(x, means, variances)
        for hot, table in zip(known, tables, strict=True):
            scores += hot @ np.log(table).T
        top = scores.max(axis=1, keepdims=True)
        share = np.exp(scores - top)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        now = float((top + np.log(total)).mean())
        if now - before < 1e-5:
            break
        before = now
    return GaussianMixture(weights, means, variances, tables[0] if tables else None)


def clusters(x: Floats, rng: np.random.Generator, *, max_clusters: int = 8) -> GaussianMixture:
    """Fit the mixture whose number of components separates best (Sohoni et al. 2020, section 4).

    The number, 2 to ``max_clusters``, is that of the largest mean silhouette, every cluster having
    the same weight. Then each cluster is split in two if that raises the silhouette and leaves
    no part of fewer than 25 rows, or 0.5 % of them.
    """
    min_rows = max(25, len(x) // 200)
    if len(x) < 2 * min_rows:
        return _one(x)
    models = [_grown(x, k, rng) for k in range(2, min(max_clusters, len(x) // min_rows) + 1)]
    best = max(models, key=lambda model: silhouette(x, model.assign(x)), default=_one(x))
    cluster_of = best.assign(x)
    score = silhouette(x, cluster_of)
    for cluster in np.unique(cluster_of).tolist():
        rows = cluster_of == cluster
        if rows.sum() < 2 * min_rows:
            continue
        halves = _grown(x[rows], 2, rng).assign(x[rows])
        split = cluster_of.copy()
        split[rows] = np.where(halves == 0, cluster, cluster_of.max() + 1)
        after = silhouette(x, split)
        if after > score and min((halves == 0).sum(), (halves == 1).sum()) >= min_rows:
            cluster_of, score = split, after
    numbers = np.unique(cluster_of, return_inverse=True)[1]
    return fit(x, np.eye(numbers.max() + 1)[numbers], rounds=1)


def silhouette(x: Floats, cluster_of: NDArray[np.int64]) -> float:
    """Return the mean over clusters of their mean silhouette (Rousseeuw 1987); samples 400 rows."""
    rows = np.arange(len(x))
    if len(x) > _SAMPLE:
        rows = np.random.default_rng(0).choice(len(x), _SAMPLE, replace=False)
    y, own = x[rows], np.unique(cluster_of[rows], return_inverse=True)[1]
    hot = np.eye(own.max() + 1)[own]
    sizes = hot.sum(axis=0)
    if len(sizes) < 2:
        return -1.0
    squares = (y**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * y @ y.T, 0))
    sums = apart @ hot
    mine = sums[np.arange(len(y)), own] / np.maximum(sizes[own] - 1, 1)
    others = sums / sizes
    others[np.arange(len(y)), own] = np.inf
    nearest = others.min(axis=1)
    values = (nearest - mine) / np.maximum(np.maximum(mine, nearest), 1e-12)
    return float((hot.T @ values / sizes).mean())


def _grown(x: Floats, k: int, rng: np.random.Generator) -> GaussianMixture:
    """Fit a mixture of k components, initialised at distant rows (k-means++)."""
    centres = [x[rng.integers(len(x))]]
    for _ in range(k - 1):
        far = np.min([((x - centre) ** 2).sum(axis=1) for centre in centres], axis=0) + 1e-12
        centres.append(x[rng.choice(len(x), p=far / far.sum())])
    nearest = np.argmin([((x - centre) ** 2).sum(axis=1) for centre in centres], axis=0)
    return fit(x, np.eye(k)[nearest] + 0.01)


def _one(x: Floats) -> GaussianMixture:
    return fit(x, np.ones((len(x), 1)), rounds=1)
