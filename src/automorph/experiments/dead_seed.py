"""Trainings that died: noticed, and repeated once with a longer warm-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import TrainingError
from automorph.experiments.job import Treatment
from automorph.training import Augmenter, Balance, RunResult, Task, Units, train, with_changes

FEWEST = 5
"""Epochs after which a training that has learned nothing is dead."""
WARM_SHARE = 0.25
"""Share of the epochs over which the rate of a repeated training rises."""
AGAIN = "longer-warm-up"
"""The folder of a repeated training, inside that of the first."""


def train_alive(
    task: Task,
    policy: Treatment | Augmenter,
    *,
    seed: int,
    folder: Path | None = None,
    shares: NDArray[np.float64] | None = None,
    **options: Any,
) -> tuple[RunResult, str | None]:
    """Train; if the training dies, train again with a longer warm-up. Return why it died, or None.

    The result counts the passes and seconds of both, if the first came to its end. ``folder`` and
    ``options`` are those of `automorph.training.train`; ``shares`` are those of `has_died`. Raises
    `TrainingError` if the second training diverges, too.
    """
    task = with_changes(task, policy)
    died, units, seconds = None, Units(), 0.0
    untrained = policy.state_dict() if isinstance(policy, Augmenter) else {}
    untrained = {name: value.clone() for name, value in untrained.items()}
    try:
        result = train(task, policy, seed=seed, folder=folder, **options)
        if not has_died(result, task, shares):
            return result, None
        units, seconds = result.units, result.seconds
    except TrainingError as error:
        died = str(error).partition(". Try")[0]
    if isinstance(policy, Augmenter):
        policy.load_state_dict(untrained)
    warm = max(WARM_SHARE * task.recipe.epochs, 2 * task.recipe.warmup_epochs)
    longer = task.with_recipe(warmup_epochs=warm)
    again = train(longer, policy, seed=seed, folder=folder and folder / AGAIN, **options)
    both = replace(again, units=units + again.units, seconds=seconds + again.seconds)
    return both, died or "it predicted one class only"


def has_died(result: RunResult, task: Task, shares: NDArray[np.float64] | None = None) -> bool:
    """Whether a network learned nothing: one class predicted, and the loss of a guess.

    The class is that of all validation examples, of which at least two classes exist. A guess knows
    the ``shares`` of the classes among the examples that were drawn (None: as the recipe draws and
    weighs them), and nothing about an example. Trainings of fewer than five epochs have not died:
    they have only begun. A head on frozen features is fitted as well as it can be.
    """
    if task.recipe.optimizer == "lbfgs" or task.data.target != "classes":
        return False
    predicted = result.predictions.get("validation")
    if predicted is None or len(set(predicted.tolist())) > 1 or len(result.curves) < FEWEST:
        return False
    shares = Balance(task).shares if shares is None else shares
    shares = shares[shares > 0]
    guess = float(-(shares * np.log(shares)).sum())
    return guess > 0 and result.curves[-1].loss > 0.98 * guess


def repeated(name: str, died: Mapping[int, str]) -> str:
    """Return a sentence about the seeds of a method that died; ``died`` is why, by seed.

    >>> repeated("gdro", {3: "it predicted one class only"})[:50]
    'gdro: seed 3 (it predicted one class only) learned'
    """
    which = ", ".join(f"seed {seed} ({why})" for seed, why in sorted(died.items()))
    return (
        f"{name}: {which} learned nothing at first and was trained again with a longer warm-up; "
        "the table holds the second training."
    )
