"""Linear models on features of copies, trained on an exact or an approximate objective.

Dao, Gu, Ratner, Smith, De Sa, Re, "A kernel theory of modern data augmentation" (ICML 2019),
section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from automorph.theory.feature_averaging import copies_of
from automorph.theory.objectives import Objectives, Order, objectives_of, value_and_slope

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Scores ``phi W + b``: ``weights`` ``(D, C)``, ``bias`` ``(C,)``."""

    weights: Floats
    bias: Floats
    loss: str = "softmax"

    def __call__(self, features: ArrayLike) -> Floats:
        """Return scores ``(..., C)`` of features ``(..., D)``."""
        return np.asarray(np.asarray(features, np.float64) @ self.weights + self.bias)

    def objectives(self, copies: ArrayLike, labels: ArrayLike) -> Objectives:
        """Return the objectives of this model on copies ``(n, T, D)``; copy 0 is the original."""
        return objectives_of(self(copies_of(copies)), labels, loss=self.loss)


def fit_linear(
    copies: ArrayLike,
    labels: ArrayLike,
    *,
    loss: str = "softmax",
    order: Order = "exact",
    penalty: float = 1e-4,
    iterations: int = 200,
    classes: int | None = None,
) -> LinearModel:
    """Train a linear model on features of copies ``(n, T, D)``.

    Minimises the objective of ``order`` plus ``penalty / 2 |W|^2`` (L-BFGS, from zero, so that
    models differ by their objectives alone). The first order costs ``1/T`` of the exact objective:
    it uses averaged features only. ``classes`` defaults to the number of classes in the labels;
    signed losses with labels of -1 and 1 need one score.
    """
    phi = copies_of(copies)
    y = np.asarray(labels)
    c = classes or _scores_needed(y, loss)
    if order == "first":
        phi, order = phi.mean(axis=1, keepdims=True), "exact"
    n, t, d = phi.shape
    flat = phi.reshape(n * t, d)

    def value(parameters: Floats) -> tuple[float, Floats]:
        weights, bias = parameters[: d * c].reshape(d, c), parameters[d * c :]
        scores = (flat @ weights + bias).reshape(n, t, c)
        objective, slope = value_and_slope(scores, y, loss=loss, order=order)
        by_scores = slope.reshape(n * t, c)
        by_weights = flat.T @ by_scores + penalty * weights
        slopes = np.concatenate([by_weights.ravel(), by_scores.sum(axis=0)])
        return objective + 0.5 * penalty * float(np.square(weights).sum()), slopes

    start = np.zeros(d * c + c)
    result = minimize(
        value, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "gtol": 1e-7}
    )
    weights = np.asarray(result.x[: d * c], np.float64).reshape(d, c)
    return LinearModel(weights, np.asarray(result.x[d * c :], np.float64), loss)


def _scores_needed(labels: NDArray[np.generic], loss: str) -> int:
    if labels.ndim == 2:
        return int(labels.shape[1])
    single = loss == "squared" or set(np.unique(labels).tolist()) <= {-1, 1}
    return 1 if single and loss != "softmax" else int(np.max(labels)) + 1
