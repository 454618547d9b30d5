"""Fast AutoAugment: policies are scored by networks that are already trained.

Lim, Kim, Kim, Kim, Kim, "Fast AutoAugment" (NeurIPS 2019): a policy is good if a network that
never saw it still classifies held-out examples correctly after it (density matching). A trial
needs no training, so trials are cheap, and Bayesian optimisation (TPE) gets many of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import Split
from automorph.errors import TrainingError, UsageError
from automorph.experiments import Job, JobResult, plain_treatment
from automorph.policies import Mixture, Policy, SubPolicy, check_range, load_policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob, with_post_policy
from automorph.searchers.optuna_sampler import Proposals, sub_policies, sub_policy_ranges
from automorph.training import Task, Trained, Units, evaluate, find_machine, fitted, load_trained

BATCH = 500
"""Examples that are augmented and classified at once."""


class FastAutoAugment(Searcher):
    """T* = union over folds k of the ``top`` argmax_T R(theta_k | T(D_A^k)) (equations 3 and 4).

    ``folds`` stratified shuffle splits D_M, D_A of the training part; theta_k is trained on D_M^k
    with the post-policy alone. For each fold, TPE searches for ``subpolicies`` of ``length``
    operations with real-valued probabilities and magnitudes. ``score`` is R over ``passes`` draws
    of every example:

    - ``any``: share of examples classified correctly in at least one pass (the released code);
    - ``loss``: minus the mean loss over examples and passes (the paper's text allows both).

    The ``top`` policies of each fold (at most a quarter of its trials) are joined, without
    sub-policies whose sequence of operations the same policy already has.
    """

    def __init__(
        self,
        setting: SearchContext,
        *,
        score: str = "any",
        folds: int = 5,
        passes: int = 5,
        subpolicies: int = 5,
        length: int = 2,
        top: int = 10,
    ) -> None:
        if score not in ("any", "loss"):
            raise UsageError(f"fast-autoaugment got score={score!r}; expected any or loss")
        for name, value in (
            ("folds", folds), ("passes", passes), ("subpolicies", subpolicies), ("length", length),
            ("top", top),
        ):  # fmt: skip
            check_range("fast-autoaugment", name, value, int, 1, 100)
        if setting.post_policy.mixes_labels:
            raise UsageError(
                f"fast-autoaugment got the post-policy {setting.post_policy.name!r}, which mixes "
                "labels; expected one class per example. Search without it, and append it to "
                "the result"
            )
        self.setting, self.score, self.passes, self.top = setting, score, passes, top
        # With few trials, use fewer folds, so that TPE still gets enough trials in each.
        self.folds = list(range(max(1, min(folds, setting.trials // 10))))
        self.subpolicies, self.length = subpolicies, length
        ranges = sub_policy_ranges(setting.space.names, subpolicies, length)
        each = setting.trials / len(self.folds)
        self.proposals = [
            Proposals(ranges, trials=int(each), seed=setting.seed * 1000 + fold)
            for fold in self.folds
        ]
        self.limits = [math.ceil(each * (k + 1)) - math.ceil(each * k) for k in self.folds]
        self.tried: list[list[Mixture]] = [[] for _ in self.folds]
        self.scores: list[list[float]] = [[] for _ in self.folds]
        self.trained = False

    def network(self, fold: int) -> TrainJob:
        """Return the training of a fold's network, which keeps its weights."""
        return TrainJob(
            policy=load_policy("none"), post_policy=self.setting.post_policy,
            seed=self.setting.seed, keep=True, fold=self.setting.seed * 1000 + fold,
        )  # fmt: skip

    def child(self, policy: Policy, fold: int) -> Job:
        """Return the job that scores a policy."""
        return Density(
            policy=policy, post_policy=self.setting.post_policy,
            network=self.network(fold), score=self.score,
            passes=self.passes, seed=self.setting.seed,
        )  # fmt: skip

    def ask(self) -> Sequence[Job]:
        """Return the networks first; then one policy per fold at a time."""
        if not self.trained:
            return [self.network(fold) for fold in self.folds]
        self.folds = [k for k in self.folds if len(self.tried[k]) < self.limits[k]]
        for k in self.folds:
            (values,) = self.proposals[k].ask(1)
            self.tried[k].append(self._policy(values))
        return [self.child(self.tried[k][-1], k) for k in self.folds]

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Record the scores; leave out folds without a network."""
        if not self.trained:
            self.trained = True
            self.folds = [k for k in self.folds if math.isfinite(outcomes[k].score)]
            return
        for k, outcome in zip(self.folds, outcomes, strict=True):
            self.proposals[k].tell([outcome.score])
            self.scores[k].append(outcome.score)

    def result(self) -> Policy:
        """Return the best policies of every fold, joined."""
        joined: list[SubPolicy] = []
        for tried, scores in zip(self.tried, self.scores, strict=True):
            best = sorted(range(len(scores)), key=lambda i, scores=scores: -scores[i])  # type: ignore[misc]
            for i in best[: min(self.top, math.ceil(len(scores) / 4))]:
                joined += without_repeats(tried[i].subpolicies)
        label = f"fast-autoaugment of {sum(map(len, self.scores))} scored policies"
        return Mixture(label=label, operations=self.setting.space, subpolicies=tuple(joined))

    def share(self) -> float:
        """Return the share of the policies that are scored."""
        return sum(map(len, self.scores)) / self.setting.trials

    def _policy(self, values: dict[str, Any]) -> Mixture:
        subpolicies = sub_policies(values, self.subpolicies, self.length)
        space = self.setting.space
        return Mixture(label="fast-autoaugment's", operations=space, subpolicies=subpolicies)


@dataclass(frozen=True, kw_only=True)
class Density:
    """Score of ``policy`` and ``post_policy`` by a fold's network on its held-out examples.

    ``facts``: both scores, ``any`` and ``loss``, and ``accuracy``, the mean over passes.
    """

    policy: Policy
    post_policy: Policy | None
    network: TrainJob
    score: str = "any"
    passes: int = 5
    seed: int = 0

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result; the network is named by its key."""
        return {
            "job": "density",
            "policy": plain_treatment(self.policy),
            "tail": None if self.post_policy is None else plain_treatment(self.post_policy),
            "network": self.network.key,
            "score": self.score,
            "passes": self.passes,
            "seed": self.seed,
        }

    def run(self, task: Task, folder: Path) -> JobResult:
        """Draw, classify, and reduce example by example."""
        began = time.perf_counter()
        trained, part = held_out(task, self.network, folder)
        policy = fitted(with_post_policy(self.policy, self.post_policy), task)
        assert isinstance(policy, Policy)
        losses = np.empty((self.passes, len(part)), np.float32)
        right = np.empty(losses.shape, np.bool_)
        for start in range(0, len(part), BATCH):
            rows = np.arange(start, min(start + BATCH, len(part)))
            for number in range(self.passes):
                drawn = policy.augment(part.data[rows], seed=self.seed, index=rows, copy=number)
                evaluation = evaluate(
                    trained.model, part.with_data(drawn, rows),
                    encoder=trained.encoder or task.encoder, batch_size=BATCH,
                    target=task.target,
                )  # fmt: skip
                losses[number, rows], right[number, rows] = evaluation.losses, evaluation.correct
        facts = {**density(losses, right), "accuracy": float(right.mean())}
        seconds = time.perf_counter() - began
        return JobResult(facts[self.score], Units(forward=losses.size), seconds, facts)


def density(losses: NDArray[np.float32], right: NDArray[np.bool_]) -> dict[str, float]:
    """Return both scores of ``passes`` draws of n examples ``(passes, n)``; higher is better.

    Passes are reduced example by example, as is the accuracy of the released code. (Its loss is a
    minimum over all examples and passes of a batch; it ranks policies by accuracy.)

    >>> found = density(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[1, 0], [0, 0]], bool))
    >>> found["any"], found["loss"]
    (0.5, -1.5)
    """
    return {
        "any": float(right.any(axis=0).mean()),
        "loss": -float(losses.mean(axis=0, dtype=np.float64).mean()),
    }


def without_repeats(subpolicies: Sequence[SubPolicy]) -> list[SubPolicy]:
    """Return the first sub-policy of each sequence of operations, in order.

    >>> from automorph.policies import Step
    >>> a, b = (Step("Rotate", 0.5, 0.1),), (Step("Invert", 1.0, 0.0),)
    >>> len(without_repeats([a, b, (Step("Rotate", 0.9, 0.9),)]))
    2
    """
    first: dict[tuple[str, ...], SubPolicy] = {}
    for subpolicy in subpolicies:
        first.setdefault(tuple(step.operation for step in subpolicy), subpolicy)
    return list(first.values())


@lru_cache(maxsize=8)
def held_out(task: Task, network: TrainJob, folder: Path) -> tuple[Trained, Split]:
    """Return a fold's network and the examples that it has not seen.

    If its weights are not on this machine, it is trained here, to the same weights.
    """
    part = network.task(task).data.parts["validation"]
    path = network.model_path(folder)
    if not path.exists():
        outcome = network.run(task, folder)
        if not path.exists():
            raise TrainingError(f"the network of fold {network.fold} failed: {outcome.error}")
    built = None if isinstance(task.model, str) else task.build(0)
    trained = load_trained(path, model=built)
    trained.model.to(find_machine().device)
    return trained, part
