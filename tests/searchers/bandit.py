"""A search on a table: six operations of known value replace hours of training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automorph.experiments import JobResult
from automorph.operations import SearchSpace, Stream, named_space
from automorph.policies import Policy, load_policy, policy_to_dict
from automorph.searchers.base import SearchContext, Searcher
from automorph.training import Task

ARMS = {
    "ShearX": 0.50, "Rotate": 0.58, "Color": 0.42, "Contrast": 0.70, "Posterize": 0.61,
    "Equalize": 0.35,
}  # fmt: skip
BEST = max(ARMS.values())
SPACE = SearchSpace("bandit", tuple(named_space("randaugment")[name] for name in ARMS))


def value(policy: Policy) -> float:
    """The mean value of the operations that a policy fires; 0 for one that does nothing."""
    drawn = policy.sample(Stream(seed=11, index=np.arange(600)))
    op = drawn.op[drawn.fire & (drawn.op >= 0)]
    values = np.array([ARMS[name] for name in policy.space.names])
    return float(values[op].mean()) if len(op) else 0.0


@dataclass(frozen=True)
class Lookup:
    """A job that looks up a score instead of training for it."""

    policy: Policy
    number: int = 0

    def describe(self) -> dict[str, Any]:
        return {"policy": policy_to_dict(self.policy), "number": self.number}

    def run(self, task: Task, folder: Path) -> JobResult:
        return JobResult(value(self.policy))


def setting(task: Task, trials: int, *, space: SearchSpace = SPACE, seed: int = 0) -> SearchContext:
    return SearchContext(
        task=task, space=space, post_policy=load_policy("none"), trials=trials, seed=seed
    )


def conduct(method: Searcher, task: Task, folder: Path, *, most: int = 10_000) -> int:
    """Ask, run and tell until the search ends; return the number of jobs."""
    made = 0
    while jobs := method.ask():
        method.tell([job.run(task, folder) for job in jobs])
        made += len(jobs)
        assert made <= most
    return made
