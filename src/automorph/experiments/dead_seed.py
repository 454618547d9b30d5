"""Trainings that died: noticed, and repeated once with a longer warm-up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from automorph.errors import TrainingError
from automorph.experiments.job import Treatment
from automorph.training import RunResult, Task, Units, train

FEWEST = 5
"""Epochs after which a training that has learned nothing is dead."""
WARM_SHARE = 0.25
"""Share of the epochs over which the rate of a repeated training rises."""


def train_alive(
    task: Task, policy: Treatment, *, seed: int, **options: Any
) -> tuple[RunResult, str | None]:
    """Train; if the training dies, train again with a longer warm-up. Return why it died, or None.

    The result counts the passes and seconds of both, if the first came to its end. Raises
    `TrainingError` if the second training diverges, too.
    """
    died, units, seconds = None, Units(), 0.0
    try:
        result = train(task, policy, seed=seed, **options)
        if not has_died(result, task):
            return result, None
        units, seconds = result.units, result.seconds
    except TrainingError as error:
        died = str(error).partition(". Try")[0]
    warm = max(WARM_SHARE * task.recipe.epochs, 2 * task.recipe.warmup_epochs)
    longer = task.with_recipe(warmup_epochs=warm)
    again = train(longer, policy, seed=seed, **options)
    both = replace(again, units=units + again.units, seconds=seconds + again.seconds)
    return both, died or "it predicted one class only"


def has_died(result: RunResult, task: Task) -> bool:
    """Whether a network learned nothing: one class predicted, and the loss of a guess.

    The class is that of all validation examples, of which at least two classes exist. A guess knows
    the shares of the classes, and nothing about an example. Trainings of fewer than five epochs
    have not died: they have only begun.
    """
    predicted = result.predictions.get("validation")
    if predicted is None or len(set(predicted.tolist())) > 1 or len(result.curves) < FEWEST:
        return False
    counts = np.bincount(np.asarray(task.data.train.labels))
    shares = counts[counts > 0] / counts.sum()
    guess = float(-(shares * np.log(shares)).sum())
    return guess > 0 and result.curves[-1].loss > 0.98 * guess
