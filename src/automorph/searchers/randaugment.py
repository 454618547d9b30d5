"""RandAugment: a search over a few numbers, by grid or by Bayesian optimisation.

Cubuk, Zoph, Shlens, Le, "RandAugment: practical automated data augmentation with a reduced search
space" (2019): N operations at one global strength M. Mueller and Hutter, "TrivialAugment" (ICCV
2021) draw the strength for every image; that is a further choice here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from automorph.errors import UsageError
from automorph.experiments import Job, JobResult
from automorph.operations import OPERATIONS, Operation, SearchSpace
from automorph.policies import Policy, Uniform, check_range
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import TrainJob
from automorph.searchers.optuna_sampler import Proposals, Range

STRENGTHS = {"fixed": ("fixed",), "uniform": ("uniform",), "both": ("fixed", "uniform")}
BATCH = 4
"""Children that are proposed together, so without each other's scores."""


class RandAugmentSearch(Searcher):
    """Searches N from 1 to ``most``, M from 0 to 30, and how M is applied.

    ``strength``: ``fixed`` is RandAugment (every operation at M), ``uniform`` draws a strength up
    to M for every image as TrivialAugment does (which is N = 1, M = 30), ``both`` lets the search
    decide. ``reach`` widens the ranges of the space (see `widened`), so that M = 30 is ``reach``
    times as strong. ``by``: ``tpe``, ``gp`` or ``grid``. A pair that is proposed again is trained
    with another seed, and the mean counts.
    """

    def __init__(
        self,
        setting: SearchContext,
        *,
        by: str = "tpe",
        strength: str = "both",
        most: int = 3,
        reach: float = 1.0,
    ) -> None:
        if strength not in STRENGTHS:
            expected = ", ".join(STRENGTHS)
            raise UsageError(f"randaugment got strength={strength!r}; expected one of {expected}")
        check_range("randaugment", "most", most, int, 1, 20)
        check_range("randaugment", "reach", reach, float, 0.1, 100)
        if reach > 1 and setting.space.refused is not None:
            raise UsageError(
                f"randaugment got reach={reach:g}, which widens ranges that you set in "
                f"{setting.space.name}; expected at most 1: leave out reach, or review the space"
            )
        self.setting = setting
        self.space = setting.space if reach == 1 else widened(setting.space, reach)
        self.grid = _grid(setting.trials, most, STRENGTHS[strength]) if by == "grid" else None
        self.proposals = None
        if self.grid is None:
            ranges: dict[str, Range] = {
                "n": (1, most),
                "m": (0, 30),
                "strength": STRENGTHS[strength],
            }
            self.proposals = Proposals(ranges, sampler=by, trials=setting.trials, seed=setting.seed)
        self.asked: list[Policy] = []
        self.scores: dict[Policy, list[float]] = defaultdict(list)

    def child(self, policy: Policy, seed: int) -> Job:
        """Return the job that scores a policy."""
        return TrainJob(policy=policy, post_policy=self.setting.post_policy, seed=seed)

    def ask(self) -> Sequence[Job]:
        """Return the children of the next few pairs."""
        first = len(self.asked)
        count = min(BATCH, self.setting.trials - first)
        if count <= 0:
            return []
        if self.proposals is not None:
            values = self.proposals.ask(count)
        else:
            values = (self.grid or [])[first : first + count]
        jobs = []
        for policy in (self._policy(**value) for value in values):
            jobs.append(self.child(policy, self.setting.seed + self.asked.count(policy)))
            self.asked.append(policy)
        return jobs

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Record the scores."""
        scores = [outcome.score for outcome in outcomes]
        if self.proposals is not None:
            self.proposals.tell(scores)
        for policy, score in zip(self.asked[-len(scores) :], scores, strict=True):
            self.scores[policy].append(score)

    def result(self) -> Policy:
        """Return the policy with the best mean score."""
        means = {policy: sum(scores) / len(scores) for policy, scores in self.scores.items()}
        return max(means, key=means.__getitem__, default=self._policy(1, 0, "fixed"))

    def _policy(self, n: int, m: int, strength: str) -> Policy:
        low, levels = (m / 30, 0) if strength == "fixed" else (0.0, 31)
        return Uniform(operations=self.space, length=n, low=low, high=m / 30, levels=levels)


def widened(space: SearchSpace, reach: float) -> SearchSpace:
    """Widen every range of a space ``reach`` times, up to the limits of the built-in operations.

    The weakest values stay. Operations of the user keep their ranges: values beyond them were never
    declared valid.

    >>> from automorph.operations import named_space
    >>> [widened(named_space("randaugment"), 2)[name].ends for name in ("Rotate", "Posterize")]
    [(0.0, 60.0), (8.0, 2.0)]
    """
    operations = tuple(_widened(operation, reach) for operation in space)
    return SearchSpace(f"{space.name} x {reach:g}", operations)


def _widened(operation: Operation, reach: float) -> Operation:
    limit = OPERATIONS.get(operation.kernel)
    if limit is None or operation.identity is None or operation.magnitude_free:
        return operation
    # Signed operations grow from their identity both ways, others from their weakest value.
    start = operation.identity if operation.signed else operation.ends[0]
    low, high = (start + reach * (end - start) for end in (operation.low, operation.high))
    if operation.unit != limit.unit:  # Pixels instead of shares.
        return replace(operation, low=low, high=high)
    return replace(operation, low=max(low, limit.low), high=min(high, limit.high))


def _grid(trials: int, max_n: int, strengths: Sequence[str]) -> list[dict[str, Any]]:
    """Return evenly spread values of M, as many as there are children for."""
    values = max(1, math.ceil(trials / (max_n * len(strengths))))
    spread = [round(30 * (i + 0.5) / values) for i in range(values)]
    return [
        {"n": n, "m": m, "strength": strength}
        for m, strength, n in product(spread, strengths, range(1, max_n + 1))
    ][:trials]
