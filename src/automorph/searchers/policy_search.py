"""A search without its final table, for studies that test what it picks in their own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automorph.errors import AutomorphError
from automorph.experiments import Looks, Treatment
from automorph.searchers.base import Searcher
from automorph.searchers.builtin import SearchSpec
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.runner import SearchProgress
from automorph.searchers.search_phase import opened, setup_of
from automorph.training import Task


@dataclass(frozen=True)
class Pick:
    """What a search picked, with its post-policy; ``trainings`` is the cost in plain trainings."""

    treatment: Treatment
    trainings: float
    searcher: Searcher


def search_alone(
    task: Task,
    method: SearchSpec,
    *,
    trials: int | None = None,
    seed: int = 0,
    unseen: Sequence[str] = (),
    folder: Path | None = None,
    jobs: int = 1,
    accept_versions: bool = False,
    progress: Callable[[SearchProgress], None] | None = None,
) -> Pick:
    """Search on the training and validation part with the defaults of `automorph.search`.

    ``unseen`` names public data sets whose results the search must not know. ``folder`` keeps
    finished trials: the same call resumes. Raises `AutomorphError` if every trial failed.
    """
    setup = setup_of(
        task, method, space=None, post_policy=None, trials=trials, seconds=None, seed=seed,
        looks=Looks(1, 1), controls="usual", epoch_multiplier=None, folder=folder,
        unseen=tuple(unseen),
    )  # fmt: skip
    with opened(
        task, setup, folder=folder, leave=None, storage=None, engine="processes", jobs=jobs,
        address=None, accept_versions=accept_versions, progress=progress,
    ) as phase:  # fmt: skip
        found = phase.find()
        errors = [trial.outcome.error for trial in phase.runner.reported]
        if errors and all(errors):
            raise AutomorphError(f"every trial of {method.name} failed ({errors[0]})")
        treatment = with_post_policy(found.policy, setup.post_policy)
        return Pick(treatment, phase.cost, found.searcher)
