"""Whether a training has converged: its validation loss has stopped improving beyond its noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.training.evaluation import Evaluation

FOLDS = 5
MOST_ROWS = 2000
"""Losses of so many validation examples are kept: more do not change the decision."""
FEWEST_EPOCHS = 8
"""Quarters of shorter phases are too noisy to compare."""


def calibrated_losses(seen: Evaluation) -> NDArray[np.float32]:
    """Return losses after temperature scaling, float32, of at most 2,000 of the examples.

    Logits are divided by a temperature that is fitted on the other folds (Guo et al., "On
    calibration of modern neural networks", ICML 2017, section 4.2): while accuracy still rises, the
    plain loss of an overconfident network may already grow.

    >>> from automorph.targets import Classes
    >>> labels = np.arange(10) % 2
    >>> logits = np.eye(2, dtype=np.float32)[labels]
    >>> seen = Evaluation(logits, np.zeros(10, np.float32), labels, Classes(2))
    >>> bool(calibrated_losses(seen).max() < 0.1)  # Always right, so confidence rises.
    True
    """
    from scipy.optimize import minimize_scalar

    # Evenly spread: the examples may be sorted by class.
    rows = slice(None, None, math.ceil(len(seen.labels) / MOST_ROWS))
    logits = torch.from_numpy(seen.logits[rows])
    targets = torch.from_numpy(seen.target.encode(seen.labels[rows]))
    losses = np.empty(len(logits), np.float32)
    fold = torch.arange(len(logits)) % FOLDS

    def at(log_temperature: float, rows: torch.Tensor) -> torch.Tensor:
        return seen.target.loss(logits[rows] / math.exp(log_temperature), targets[rows])

    for number in range(min(FOLDS, len(logits))):
        own, others = fold == number, fold != number
        if not others.any():  # One example: nothing to fit on.
            return at(0.0, own).numpy()
        found = minimize_scalar(
            lambda t, rows: float(at(t, rows).mean(dtype=torch.float64)),
            bounds=(-3.0, 3.0), args=(others,), method="bounded", options={"xatol": 1e-2},
        )  # fmt: skip
        losses[own.numpy()] = at(float(found.x), own).numpy()
    return losses


def has_converged(losses: NDArray[np.floating]) -> bool:
    """Whether the losses ``(epochs, n)`` have not improved beyond noise over the last quarter.

    The mean of each example's losses over the last quarter of the epochs is compared with that over
    the quarter before. The training has converged if the mean improvement over the examples is
    below its standard error. False for fewer than 8 epochs.

    >>> falling = np.linspace(2, 1, 12)[:, None] + np.zeros((1, 50))
    >>> level = np.vstack([falling, np.ones((30, 50))])
    >>> has_converged(falling), has_converged(level)
    (False, True)
    """
    epochs, n = losses.shape
    if epochs < FEWEST_EPOCHS:
        return False
    quarter = epochs // 4
    last, before = losses[-quarter:], losses[-2 * quarter : -quarter]
    gain = before.mean(axis=0, dtype=np.float64) - last.mean(axis=0, dtype=np.float64)
    return bool(gain.mean() <= gain.std() / math.sqrt(n))
