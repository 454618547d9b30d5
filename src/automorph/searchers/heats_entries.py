"""What competes in heats by default: searches, and what needs no search."""

from __future__ import annotations

from automorph.augmenters import Adversarial, Uncertainty
from automorph.experiments import ExternalTask, Treatment
from automorph.operations import SearchSpace
from automorph.policies import RandomPolicy, Uniform, load_policy
from automorph.searchers.final_table import trivialaugment
from automorph.searchers.own_training import serves
from automorph.text import find_wordnet
from automorph.training import Task

SEARCHES = (
    "instant",
    "randaugment",
    "fast-autoaugment(folds=2)",
    "dada",
    "pba",
    "tanda",
    "autoaugment",
)
"""The proposing searches, the cheapest first: a small budget leaves the last ones out."""


def default_searches(task: Task | ExternalTask) -> list[str]:
    """Return the searches that the task's trainings can serve."""
    return [name for name in SEARCHES if serves(task, name.partition("(")[0])]


def default_treatments(space: SearchSpace, task: Task | ExternalTask) -> list[Treatment]:
    """Return what needs no search: the post-policy alone, random policies, in-training methods.

    The user's own training code cannot use the last ones, nor can frozen features.
    """
    drawn = Uniform(operations=space, length=2, probability=0.5)
    policies: list[Treatment] = [
        load_policy("none"),
        *([load_policy("eda")] if space.domain == "text" and find_wordnet() else []),
        trivialaugment(space),
        Uniform(operations=space, length=1, low=1 / 6, high=1 / 6),
        Uniform(operations=space, length=2, low=0.3, high=0.3),
        drawn,
        RandomPolicy(operations=space),
    ]
    if isinstance(task, ExternalTask) or task.recipe.optimizer == "lbfgs":
        return policies
    return [
        *policies,
        Uncertainty(draws=drawn, rule="adaptive"),
        Uncertainty(draws=drawn, rule="proportional"),
        Adversarial(operations=space, count=2),
    ]
