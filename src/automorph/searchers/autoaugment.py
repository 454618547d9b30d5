"""AutoAugment: a controller writes policies and is rewarded by the accuracy of trained children.

Cubuk, Zoph, Mane, Vasudevan, Le, "AutoAugment: learning augmentation policies from data" (CVPR
2019); the update is PPO (Schulman et al. 2017) or REINFORCE (Williams 1992).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from automorph.augmenters import begun
from automorph.errors import UsageError
from automorph.experiments import Job, JobResult
from automorph.operations import Stream
from automorph.policies import Mixture, Policy, Step, SubPolicy, check_range
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob
from automorph.training import Recipe, make_optimiser

PROBABILITIES, LEVELS = 11, 10
"""Probabilities 0, 0.1, .. 1, and ten magnitudes (section 3)."""
CLIP = 0.2
"""PPO's bound on the ratio of new to old probability."""
PASSES = {"ppo": 10, "reinforce": 1}
"""Update steps on one batch of rewards."""
PAPER_TRIALS, PAPER_RATE = 15_000, 3.5e-4


class AutoAugment(Searcher):
    """A controller decides ``subpolicies`` x ``length`` x (operation, probability, level).

    max_theta E_{policy ~ theta} R(policy), where R is the validation accuracy of a child trained
    with the policy (section 3). The baseline is a running mean of rewards with ``decay``. The
    result joins the sub-policies of the ``top`` policies with the best children.

    ``update`` is ``ppo`` or ``reinforce``; ``batch`` policies are drawn between two updates (None:
    a twentieth of the trials, 2 to 16). ``rate`` is the learning rate of Adam (None: 3.5e-4 as
    published for 15,000 trials; with n trials sqrt(15,000 / n) times that, at most 1e-2).
    """

    def __init__(
        self,
        setting: SearchContext,
        *,
        update: str = "ppo",
        subpolicies: int = 5,
        length: int = 2,
        batch: int | None = None,
        rate: float | None = None,
        entropy: float = 1e-5,
        decay: float = 0.95,
        top: int = 5,
    ) -> None:
        if update not in PASSES:
            raise UsageError(f"autoaugment got update={update!r}; expected ppo or reinforce")
        for name, value, low, high in (
            ("subpolicies", subpolicies, 1, 100), ("length", length, 1, 20), ("top", top, 1, 1000),
            ("batch", batch or 1, 1, 10_000),
        ):  # fmt: skip
            check_range("autoaugment", name, value, int, low, high)
        self.setting, self.update, self.top = setting, update, top
        self.subpolicies, self.length = subpolicies, length
        self.batch = batch or min(16, max(2, setting.trials // 20))
        self.entropy, self.decay = entropy, decay
        # In double precision: the order of summation must not change a decision.
        operations = len(setting.space)
        self.controller = begun(setting.seed, operations, PROBABILITIES, LEVELS).double()
        scale = math.sqrt(max(1.0, PAPER_TRIALS / setting.trials))
        # AdamW without weight decay is Adam.
        recipe = Recipe(
            optimizer="adamw", weight_decay=0.0, lr=rate or min(1e-2, PAPER_RATE * scale)
        )
        self.optimiser = make_optimiser(self.controller, recipe)
        self.baseline: float | None = None
        self.asked: list[Mixture] = []
        self.rewards: list[float] = []
        self.decisions = torch.empty(0, 0, dtype=torch.int64)

    def child(self, policy: Policy) -> Job:
        """Return the job that scores a policy."""
        return TrainJob(policy=policy, post_policy=self.setting.post_policy, seed=self.setting.seed)

    def ask(self) -> Sequence[Job]:
        """Draw policies from the current controller; return their children."""
        first = len(self.asked)
        numbers = np.arange(first, min(first + self.batch, self.setting.trials))
        if not len(numbers):
            return []
        stream = Stream(seed=self.setting.seed, index=numbers)
        uniform = stream.uniform("autoaugment", 3 * self.subpolicies * self.length)
        with torch.no_grad():
            self.decisions = self.controller.write(torch.from_numpy(uniform).double()).decisions
        written = [self._policy(row) for row in self.decisions.tolist()]
        self.asked += written
        return [self.child(policy) for policy in written]

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Reinforce policies above the baseline; a failed child has reward 0, or the lowest."""
        known = [score for score in (o.score for o in outcomes) if math.isfinite(score)]
        # Accuracies are positive, but scores may be negated losses of the user's own training.
        worst = min([0.0, *self.rewards, *known])
        rewards = [o.score if math.isfinite(o.score) else worst for o in outcomes]
        self.rewards += rewards
        if self.baseline is None:
            self.baseline = sum(rewards) / len(rewards)
        advantage = torch.tensor(rewards, dtype=torch.float64) - self.baseline
        before: Tensor | None = None
        for _ in range(PASSES[self.update]):
            read = self.controller.read(self.decisions)
            before = read.log_probability.detach() if before is None else before
            loss = ppo_loss(read.log_probability, before, advantage)
            torch.autograd.backward(loss - self.entropy * read.entropy.mean())
            self.optimiser.step()
            self.optimiser.clear()
        for reward in rewards:
            self.baseline = self.decay * self.baseline + (1 - self.decay) * reward

    def result(self) -> Policy:
        """Return the sub-policies of the best policies, joined."""
        best = sorted(range(len(self.rewards)), key=lambda i: -self.rewards[i])[: self.top]
        joined = [subpolicy for i in best for subpolicy in self.asked[i].subpolicies]
        return self._mixture(joined, f"autoaugment of {len(self.rewards)} children")

    def _policy(self, decisions: list[int]) -> Mixture:
        names = self.setting.space.names
        steps = [
            Step(names[op], chance / (PROBABILITIES - 1), level / (LEVELS - 1))
            for op, chance, level in zip(*[iter(decisions)] * 3, strict=True)
        ]
        pairs = [tuple(run) for run in zip(*[iter(steps)] * self.length, strict=True)]
        return self._mixture(pairs, "autoaugment's child")

    def _mixture(self, subpolicies: Sequence[SubPolicy], label: str) -> Mixture:
        space = self.setting.space
        return Mixture(label=label, operations=space, subpolicies=tuple(subpolicies))


def ppo_loss(log_p: Tensor, before: Tensor, advantage: Tensor, *, clip: float = CLIP) -> Tensor:
    """Return -mean min(rho A, clip(rho, 1 - e, 1 + e) A) with rho = p / p_before.

    Schulman et al. 2017, equation 7. All arrays are ``(m,)``; the log-probability of a policy is
    the sum over its decisions. Where p equals p_before, the gradient is REINFORCE's.
    """
    ratio = (log_p - before).exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio * advantage, clipped * advantage).mean()
