"""A linear head fitted to its optimum: multinomial logistic regression with a penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.targets import Target

STRENGTHS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Penalties that are tried, from strong to weak: each fit starts from the one before."""
MIDDLE = 0.1
"""The penalty where no validation part can choose one."""
_MOST_STEPS = 200
_SMALLEST = 1e-6
"""Features of a smaller deviation carry nothing."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features float32 ``(n, width)``, soft ``labels`` float32 ``(n, k)``, ``weights`` ``(n,)``."""

    features: Tensor
    labels: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def joined(cls, parts: Sequence[Features]) -> Features:
        """Return the rows of all parts."""
        return cls(*(torch.cat([getattr(one, f.name) for one in parts]) for f in fields(cls)))


@dataclass(frozen=True, eq=False)
class Head:
    """Logits are ``features @ weight.T + bias``; ``penalty`` is the one it was fitted with."""

    weight: Tensor
    bias: Tensor
    penalty: float

    def __call__(self, features: Tensor) -> Tensor:
        """Return logits ``(n, k)``."""
        return features @ self.weight.T + self.bias


def fit_head(
    train: Features,
    target: Target,
    judged: Features | None = None,
    *,
    judge: Target | None = None,
) -> Head:
    """Fit a head; the penalty is the one of `STRENGTHS` with the smallest loss on ``judged``.

    ``judge`` is the target of that loss (None: ``target``).

    It minimises the weighted mean of the target's loss plus ``penalty / 2 |W|^2``, W being the
    weights of features that are scaled to mean 0 and deviation 1; the bias has no penalty (L-BFGS,
    Liu and Nocedal 1989). The penalties end where the loss rises. Without ``judged`` the penalty is
    `MIDDLE`.
    """
    mean = train.features.mean(dim=0)
    scale = train.features.std(dim=0, correction=0)
    scale = torch.where(scale > _SMALLEST, scale, torch.inf)
    scaled = Features((train.features - mean) / scale, train.labels, train.weights)
    outputs, width = train.labels.shape[1], train.features.shape[1]
    found, best, lowest = np.zeros((outputs, width + 1)), None, np.inf
    for penalty in (MIDDLE,) if judged is None else STRENGTHS:
        found = _fitted(scaled, target, penalty, found)
        whole = torch.from_numpy(found).to(train.features)
        weight = whole[:, :-1] / scale
        head = Head(weight, whole[:, -1] - weight @ mean, penalty)
        loss = 0.0 if judged is None else float(_mean_loss(head, judged, judge or target))
        if loss >= lowest:
            break
        best, lowest = head, loss
    assert best is not None
    return best


def _fitted(
    rows: Features, target: Target, penalty: float, start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weights and biases float64 ``(k, width + 1)`` at the minimum."""
    from scipy.optimize import minimize

    share = (rows.weights / rows.weights.sum())[:, None]

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        whole = torch.from_numpy(flat.reshape(start.shape)).to(rows.features)
        weight = whole[:, :-1]
        logits = rows.features @ weight.T + whole[:, -1]
        losses = target.loss(logits, rows.labels)
        slope = target.gradient(logits, rows.labels) * share
        value = (losses * share[:, 0]).sum() + penalty / 2 * weight.square().sum()
        gradient = torch.cat(
            [slope.T @ rows.features + penalty * weight, slope.sum(0)[:, None]], dim=1
        )
        return float(value), gradient.double().cpu().numpy().ravel()

    found = minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B",
        options={"maxiter": _MOST_STEPS, "ftol": 1e-7, "gtol": 1e-5},
    )  # fmt: skip
    return np.asarray(found.x, np.float64).reshape(start.shape)


def _mean_loss(head: Head, rows: Features, target: Target) -> Tensor:
    return target.loss(head(rows.features), rows.labels).mean(dtype=torch.float64)
