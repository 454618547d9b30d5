"""What a race compares: the Brier scores of single validation examples.

A loss needs about half as many examples as accuracy to tell two policies apart, in our trials. The
Brier score is bounded, so that a few confident mistakes do not decide. Without temperature scaling
it favours strong policies from half of a training on, because weak ones are too confident by then.
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.data import Split
from automorph.targets import Classes
from automorph.training import (
    Evaluation,
    RunResult,
    Task,
    evaluate,
    evaluation_of,
    fold_temperatures,
    longest_stable,
    packed_floats,
    read_checkpoint,
    under,
    unpacked_floats,
)

MOST_ROWS = 4000
"""Scores of so many examples are kept: more do not change a decision."""
DEVIATION = 0.5
"""Standard deviation of the prior of a log temperature."""
AVERAGED_FROM = 0.25
"""The share of a training from which the average of its weights is compared, while the rate is
constant. Earlier the average says less than the weights themselves, later most of what a cool-down
would say."""


def row_facts(task: Task, result: RunResult) -> dict[str, Any]:
    """Return scores of the validation examples as plain data; see `rows_of`.

    ``brier`` are the scores, ``scaled`` those after temperature scaling, lower is better; ``wrong``
    is the number of wrong predictions among ``examples``. If the task's metric is a mean over
    classes, examples of rare classes weigh more. Of another target than classes, both are the
    losses, and wrong predictions are not counted.
    """
    validation = task.data.validation
    assert validation is not None
    seen = _evaluation(task, result, validation)
    brier, scaled = row_scores(seen)
    known: dict[str, Any] = {"examples": len(brier)}
    if isinstance(seen.target, Classes):
        known["wrong"] = int((~seen.correct).sum())
        if task.judged_by and task.judged_by.averages:
            weights = class_weights(seen.labels)
            brier, scaled = brier * weights, scaled * weights
    keep = slice(None, None, math.ceil(len(brier) / MOST_ROWS))
    return {
        "brier": packed_floats(brier[keep, None].astype(np.float32)),
        "scaled": packed_floats(scaled[keep, None].astype(np.float32)),
        **known,
    }


def rows_of(facts: Any, kind: str) -> NDArray[np.float64]:
    """Return the scores ``(n,)`` that `row_facts` packed."""
    return unpacked_floats(facts[kind])[:, 0].astype(np.float64)


def row_scores(seen: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sum_k (p_k - y_k)^2 for each example, without and with temperature scaling.

    Brier, "Verification of forecasts expressed in terms of probability" (1950), eq. 2; Guo et al.,
    "On calibration of modern neural networks" (ICML 2017), section 4.2. The temperature of a row is
    fitted on other rows.

    >>> logits = np.float32([[0, 0], [0, 0]])
    >>> seen = Evaluation(logits, np.zeros(2, np.float32), np.array([0, 1]), Classes(2))
    >>> row_scores(seen)[0].tolist()
    [0.5, 0.5]
    """
    if not isinstance(seen.target, Classes):
        losses = seen.losses.astype(np.float64)
        by_row = losses.reshape(len(losses), -1).mean(axis=1)
        return by_row, by_row
    logits = torch.from_numpy(seen.logits)
    targets = torch.from_numpy(seen.target.encode(seen.labels))
    scaled = torch.empty_like(logits)
    for own, temperature in fold_temperatures(logits, targets, seen.target, deviation=DEVIATION):
        scaled[own] = logits[own] / temperature
    kinds = [seen.target.probabilities(one) for one in (seen.logits, scaled.numpy())]
    plain, calibrated = (((one - targets.numpy()) ** 2).sum(axis=1) for one in kinds)
    return plain, calibrated


def class_weights(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights ``(n,)`` with which the mean over rows is a mean over classes.

    >>> class_weights(np.array([0, 0, 0, 1])).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(len(labels) / (len(counts) * counts[place]), np.float64)


def _evaluation(task: Task, result: RunResult, validation: Split) -> Evaluation:
    """Evaluate the average of the weights, if there is one that says more, else the weights."""
    average = _averaged(task, result)
    if average is None and "validation" in result.logits and isinstance(task.target, Classes):
        logits = torch.from_numpy(result.logits["validation"])
        return evaluation_of(logits, validation.labels, task.target)
    assert result.model is not None
    return evaluate(
        result.model if average is None else average, validation, encoder=task.encoder,
        precision=cast(Any, result.precision), target=task.target,
    )  # fmt: skip


def _averaged(task: Task, result: RunResult) -> torch.nn.Module | None:
    """Return the averaged network of a training that stopped while its rate was constant."""
    recipe, done = task.recipe, len(result.curves)
    if result.finished or recipe.schedule != "stable" or result.checkpoint is None:
        return None
    if not AVERAGED_FROM * recipe.epochs <= done <= longest_stable(recipe):
        return None
    weights = under("average", under("convergence", read_checkpoint(result.checkpoint)[0]))
    if recipe.ema_decay is not None or not weights:
        return None  # An average of the recipe's own is evaluated anyway.
    assert result.model is not None
    model = deepcopy(result.model)
    model.load_state_dict(weights)
    return model
