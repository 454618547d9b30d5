"""TANDA as a search: adversaries with several settings; their children decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from automorph._moved import renamed_arguments, renamed_attributes
from automorph.data import Dataset
from automorph.errors import AutomorphError, UsageError
from automorph.experiments import Job, JobResult, key_of
from automorph.operations import SearchSpace
from automorph.policies import (
    NETWORKS,
    Fill,
    Interpolation,
    Network,
    Policy,
    Uniform,
    identity_form,
    policy_from_dict,
    policy_to_dict,
)
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob
from automorph.searchers.tanda.config import MAGNITUDES, Settings
from automorph.searchers.tanda.discretize import discretized_space
from automorph.searchers.tanda.train import RENDERING, LearnedGenerator, learn_generator
from automorph.training import Task, fitted

ENOUGH = 5000
"""Examples that a generator learns from; more cost memory and changed no result in our tests."""
SEARCHED = {"image": 5, "vector": 5, "text": 3}
"""Length of a sequence; edits of a text add up faster than those of an image."""
FACTORS = (1.0, 3.0, 1 / 3)
"""Factors of the generator's rate and of the weight of diversity, tried in this order."""


@renamed_attributes(tail="post_policy")
@renamed_arguments(tail="post_policy")
@dataclass(frozen=True, kw_only=True)
class AdversarialJob:
    """One generator learned from the task's training examples, without their labels.

    Unlabelled examples of the task's data are training examples, too: of both together, up to 5,000
    are taken at equal distances. Its score is the validation accuracy of a child trained under it.
    ``facts`` hold the ``policy``, the ``ratio`` of random to generated cost and the ``history`` of
    evaluations.
    """

    space: SearchSpace
    settings: Settings
    post_policy: Policy
    fill: Fill | None = None
    interpolation: Interpolation = "bilinear"
    seed: int = 0

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result, as plain data."""
        return {
            "job": "tanda",
            "space": identity_form(Uniform(operations=self.space))["operations"],
            "settings": asdict(self.settings),
            "tail": identity_form(self.post_policy),
            "interpolation": self.interpolation,
            # Black, which jobs of version 0.1 had, is not recorded.
            **({} if self.fill == 0 else {"fill": self.fill or RENDERING[0]}),
            "seed": self.seed,
        }

    def run(self, task: Task, folder: Path) -> JobResult:
        """Learn the generator, resuming a killed run; then train the child."""
        began = time.perf_counter()
        try:
            learned = self.learn(task, folder)
        except AutomorphError as error:
            seconds = time.perf_counter() - began
            return JobResult(float("-inf"), seconds=seconds, error=str(error))
        child = TrainJob(policy=learned.policy, post_policy=self.post_policy, seed=self.seed).run(
            task, folder
        )
        return replace(
            child,
            units=child.units + learned.units,
            seconds=time.perf_counter() - began,
            facts={
                **child.facts,
                "policy": policy_to_dict(learned.policy),
                "ratio": learned.ratio,
                "history": [asdict(look) for look in learned.history],
                "course": {
                    "across": "step",
                    "places": [look.step for look in learned.history],
                    "operations": learned.course,
                },
            },
        )

    def learn(self, task: Task, folder: Path) -> LearnedGenerator:
        """Return the generator, with its checkpoints in a folder of its own."""
        return learn_generator(
            _examples(task.data), fitted(self.space, task), settings=self.settings,
            base=fitted(self.post_policy, task),
            fill=self.fill, interpolation=self.interpolation, seed=self.seed,
            folder=folder / "generators" / key_of(self),
        )  # fmt: skip


def _examples(data: Dataset) -> Any:
    """Return training examples, with those that have no labels, `ENOUGH` at most."""
    labelled, pool = data.train.data, data.unlabelled
    if pool is None:
        return labelled[:ENOUGH]
    n = len(labelled) + len(pool)
    rows = np.linspace(0, n - 1, min(n, ENOUGH)).astype(np.int64)
    first, second = rows[rows < len(labelled)], rows[rows >= len(labelled)] - len(labelled)
    return np.concatenate([np.asarray(labelled[first]), np.asarray(pool.data[second])])


class Tanda(Searcher):
    """TANDA (Ratner et al. 2017): up to nine adversaries, whose generators are scored by children.

    The first has the given settings, the next ones other rates and weights of diversity, as the
    paper searched them. Operations with a range are replaced by several, fixed at the magnitudes
    ``low`` and ``high`` (None: the default of the domain, see `MAGNITUDES`). The other options,
    such as ``generator``, are those of `Settings`.
    """

    def __init__(
        self,
        setting: SearchContext,
        *,
        generator: Network = "lstm",
        length: int | None = None,
        steps: int = 500,
        rate: float = Settings.rate,
        diversity: float = 0.1,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        if not len(setting.space):
            raise UsageError(
                "tanda got a space without operations; expected at least one: use another --space"
            )
        if generator not in NETWORKS:
            raise UsageError(f"tanda got generator={generator!r}; expected {', '.join(NETWORKS)}")
        self.setting = setting
        mild, strong = MAGNITUDES[setting.space.domain]
        magnitudes = (mild if low is None else low, strong if high is None else high)
        self.space = discretized_space(setting.space, magnitudes)
        long = SEARCHED[setting.space.domain] if length is None else length
        first = Settings(generator=generator, length=long, steps=steps, rate=rate)
        tried = [
            replace(
                first,
                rate=rate * faster,
                diversity=replace(first.diversity, weight=diversity * wider),
            )
            for wider, faster in product(FACTORS, FACTORS)
        ]
        self.jobs = [
            AdversarialJob(
                space=self.space,
                settings=settings,
                post_policy=setting.post_policy,
                seed=setting.seed,
            )
            for settings in tried[: setting.trials]
        ]
        self.outcomes: Sequence[JobResult] | None = None

    def ask(self) -> Sequence[Job]:
        """Return all adversaries at once; the jobs are independent."""
        return [] if self.outcomes is not None else self.jobs

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Record the results."""
        self.outcomes = outcomes

    def result(self) -> Policy:
        """Return the generator of the best child; a uniform policy before any is known."""
        learned = [outcome for outcome in self.outcomes or [] if "policy" in outcome.facts]
        if not learned:
            fill, interpolation = RENDERING
            return Uniform(
                operations=self.space, length=self.jobs[0].settings.length, low=1.0,
                fill=fill, interpolation=interpolation,
            )  # fmt: skip
        best = max(learned, key=lambda outcome: outcome.score)
        return policy_from_dict(best.facts["policy"], self.space)

    def history(self) -> dict[str, Any]:
        """Return settings, ratio and score of every adversary."""
        return {
            "generators": [
                {
                    "rate": job.settings.rate,
                    "diversity": job.settings.diversity.weight,
                    "ratio": outcome.facts.get("ratio"),
                    "score": outcome.score if "policy" in outcome.facts else None,
                }
                for job, outcome in zip(self.jobs, self.outcomes or [], strict=False)
            ]
        }
