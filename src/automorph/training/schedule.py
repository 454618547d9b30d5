"""Learning rates, and the phases of a training: warm-up, constant rate, cool-down.

With the schedule ``stable`` the rate is constant until the last share ``cooldown`` of the epochs,
over which it falls to 0 ("warm-up, stable, decay": Hu et al., "MiniCPM", 2024, section 4.2;
Haegele et al., "Scaling laws and compute-optimal training beyond fixed training durations",
NeurIPS 2024). Trainings of different lengths then share their constant phase, so that one training
can be cooled down at several lengths without starting again.
"""

from __future__ import annotations

import math

from automorph.training.recipe import Recipe


def learning_rate(
    recipe: Recipe, step: int, steps_per_epoch: int, stable_epochs: int | None = None
) -> float:
    """Return the learning rate of a step, counted from 0 over the whole run.

    Linear warm-up, then lr (1 + cos(pi t)) / 2 (Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5,
    without restarts), or lr; ``stable`` cools down after ``stable_epochs`` epochs (None: when a
    training of the recipe's epochs does).

    >>> recipe = Recipe(epochs=10, lr=1.0, warmup_epochs=2)
    >>> [round(learning_rate(recipe, step, 1), 3) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.038]
    >>> recipe = Recipe(epochs=8, lr=1.0, warmup_epochs=2, schedule="stable")
    >>> [learning_rate(recipe, step, 1) for step in range(8)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.25]
    """
    warm = round(min(recipe.warmup_epochs, recipe.epochs / 2) * steps_per_epoch)
    rate = recipe.lr * (step + 1) / warm if step < warm else recipe.lr
    if recipe.schedule == "stable":
        stable = longest_stable(recipe) if stable_epochs is None else stable_epochs
        first, steps = stable * steps_per_epoch, cooldown_epochs(recipe, stable) * steps_per_epoch
        # The middle of each step on a straight line to 0: no step is lost at a rate of 0.
        return rate * min(1.0, 1 - (step - first + 0.5) / steps) if step >= first else rate
    if step < warm or recipe.schedule == "constant":
        return rate
    share = (step - warm) / max(1, recipe.epochs * steps_per_epoch - warm)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * share))


def longest_stable(recipe: Recipe) -> int:
    """Return the epochs before the cool-down in a training of the recipe's epochs.

    >>> longest_stable(Recipe(epochs=40, schedule="stable", cooldown=0.25))
    30
    """
    return recipe.epochs - max(1, round(recipe.cooldown * recipe.epochs))


def cooldown_epochs(recipe: Recipe, stable_epochs: int) -> int:
    """Return the epochs of a cool-down after ``stable_epochs`` epochs at a constant rate.

    They are the share ``cooldown`` of the whole, so that a training which stops by itself has the
    rates of one that was given its length.

    >>> cooldown_epochs(Recipe(schedule="stable", cooldown=0.25), 30)
    10
    """
    if stable_epochs == longest_stable(recipe):
        return recipe.epochs - stable_epochs
    return max(1, round(stable_epochs * recipe.cooldown / (1 - recipe.cooldown)))
