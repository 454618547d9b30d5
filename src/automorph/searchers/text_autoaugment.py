"""Text AutoAugment: Bayesian optimisation of a compositional policy, one training per trial.

Ren, Zhang, Li, Sun, "Text AutoAugment: learning compositional augmentation policy for text
classification" (EMNLP 2021). Its space of policies is that of Fast AutoAugment, but the score of a
policy is the validation accuracy of a network trained with it. It works on images as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automorph.experiments import Job, JobResult
from automorph.policies import Mixture, Policy, SubPolicy, check_range
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob
from automorph.searchers.fast_autoaugment import without_repeats
from automorph.searchers.optuna_sampler import Proposals, sub_policies, sub_policy_ranges

BATCH = 4
"""Children that are proposed together, so without each other's scores."""


class TextAutoAugment(Searcher):
    """TPE over ``subpolicies`` of ``length`` operations, real-valued probabilities and magnitudes.

    max R(policy), R being the validation accuracy of a child (section 3.2). The result joins the
    sub-policies of the ``top`` policies, without those whose sequence of operations the same policy
    already has; the paper has 200 trials, 4 sub-policies and the top 3.
    """

    def __init__(
        self, setting: SearchContext, *, subpolicies: int = 4, length: int = 2, top: int = 3
    ) -> None:
        for name, value in (("subpolicies", subpolicies), ("length", length), ("top", top)):
            check_range("text-autoaugment", name, value, int, 1, 100)
        self.setting, self.top = setting, top
        self.subpolicies, self.length = subpolicies, length
        ranges = sub_policy_ranges(setting.space.names, subpolicies, length)
        self.proposals = Proposals(ranges, trials=setting.trials, seed=setting.seed)
        self.asked: list[Mixture] = []
        self.scores: list[float] = []

    def child(self, policy: Policy) -> Job:
        """Return the job that scores a policy."""
        return TrainJob(policy=policy, post_policy=self.setting.post_policy, seed=self.setting.seed)

    def ask(self) -> Sequence[Job]:
        """Return the children of the next few policies."""
        count = min(BATCH, self.setting.trials - len(self.asked))
        if count <= 0:
            return []
        proposed = [self._policy(values) for values in self.proposals.ask(count)]
        self.asked += proposed
        return [self.child(policy) for policy in proposed]

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Record the scores."""
        scores = [outcome.score for outcome in outcomes]
        self.proposals.tell(scores)
        self.scores += scores

    def result(self) -> Policy:
        """Return the sub-policies of the best policies, joined."""
        best = sorted(range(len(self.scores)), key=lambda i: -self.scores[i])[: self.top]
        joined = [one for i in best for one in without_repeats(self.asked[i].subpolicies)]
        return self._mixture(joined, f"text-autoaugment of {len(self.scores)} children")

    def _policy(self, values: dict[str, Any]) -> Mixture:
        subpolicies = sub_policies(values, self.subpolicies, self.length)
        return self._mixture(subpolicies, "text-autoaugment's child")

    def _mixture(self, subpolicies: Sequence[SubPolicy], label: str) -> Mixture:
        space = self.setting.space
        return Mixture(label=label, operations=space, subpolicies=tuple(subpolicies))
