"""Random search: policies drawn from the space, each scored by a child; the best is kept.

The control that every search has to beat at the same number of trials (Bergstra and Bengio,
"Random search for hyper-parameter optimization", JMLR 2012).
"""

from __future__ import annotations

from collections.abc import Sequence

from automorph.experiments import Job, JobResult
from automorph.policies import Mixture, Policy, drawn_subpolicies
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob

HANDFUL = 8
"""Children in one batch."""


class RandomSearch(Searcher):
    """Draws ``trials`` policies of ``count`` sub-policies of ``length`` operations."""

    def __init__(self, setting: SearchContext, *, count: int = 5, length: int = 2) -> None:
        self.setting = setting
        self.policies = [
            Mixture(
                label=f"random search(trial={trial},seed={setting.seed})",
                operations=setting.space,
                subpolicies=drawn_subpolicies(
                    setting.space, count, length, (setting.seed << 32) + trial
                ),
            )
            for trial in range(setting.trials)
        ]
        self.scores: list[float] = []

    def ask(self) -> Sequence[Job]:
        """Return the next independent jobs; the time budget is checked between two batches."""
        first = len(self.scores)
        return [
            TrainJob(policy=policy, post_policy=self.setting.post_policy, seed=self.setting.seed)
            for policy in self.policies[first : first + HANDFUL]
        ]

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Record the scores."""
        self.scores += [outcome.score for outcome in outcomes]

    def result(self) -> Policy:
        """Return the policy of the best child; the first policy if there is no score yet."""
        scores = self.scores or [0.0]
        return self.policies[scores.index(max(scores))]
