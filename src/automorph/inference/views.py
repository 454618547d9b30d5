"""Test-time augmentation: probabilities averaged over views that a policy draws.

Averaging does not always help, so it is compared with one view on the validation part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset
from automorph.errors import UsageError
from automorph.inference.trained_run import TrainedRun
from automorph.operations import Stream
from automorph.policies import Policy, load_policy
from automorph.training import fitted, make_task

_BATCH = 500
MOST_VIEWS = 1000


@dataclass(frozen=True)
class ViewChoice:
    """The validation log-loss of one view and of the mean over ``views``; None if not measured."""

    policy: Policy
    views: int
    plain: float
    averaged: float

    @property
    def favoured(self) -> bool:
        """Whether averaging was no worse."""
        return self.averaged <= self.plain

    @property
    def note(self) -> str:
        """Which was used, and why."""
        compared = (
            f"validation log-loss {self.averaged:.4f} with {self.views} views by "
            f"{self.policy.name}, {self.plain:.4f} with one view"
        )
        used = f"{self.views} views are averaged" if self.favoured else "one view is used"
        return f"{compared}: {used}"


def run_policy(run: TrainedRun, data: Dataset) -> Policy:
    """Return the policy of a run, fitted to its training part. Raises `UsageError` without one."""
    file = run.file.parent / "policy.json"
    if not file.exists():
        raise UsageError(
            f"{run.file.parent} holds no policy.json; expected the run folder of automorph train, "
            "whose policy draws the views: pass that folder, or leave out --tta"
        )
    protect = run.identity.get("protect")
    task = make_task(
        data, model=lambda: run.model, encoder=run.encoder,
        protect=protect if isinstance(protect, list) else (),
    )  # fmt: skip
    policy: Policy = fitted(load_policy(str(file)), task)
    policy = policy.with_seed(run.seed)
    combining = [operation.name for operation in policy.drawable if operation.partner]
    if combining or not policy.drawable:
        why = f"blends examples ({combining[0]})" if combining else "changes no single example"
        raise UsageError(
            f"the policy of the run, {policy.name!r:.200}, {why}; expected one that draws views of "
            "each example: leave out --tta (tta)"
        )
    return policy


def averaged_views(
    run: TrainedRun, examples: NDArray[Any], policy: Policy, views: int
) -> NDArray[np.float64]:
    """Return mean probabilities ``(n, k)`` over views.

    The views of an example depend on the seed of the run and on its position among ``examples``,
    not on batches.
    """
    found = np.zeros((len(examples), len(run.classes)))
    # A policy that changes by epoch is taken as it was at its end.
    epoch = policy.span - 1
    for start in range(0, len(examples), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(examples)))
        batch = examples[start : start + _BATCH]
        none = np.zeros(len(rows), np.int64)
        for view in range(views):
            stream = Stream(seed=run.seed, epoch=epoch, index=rows, copy=view)
            seen = run.evaluate(policy.transform(batch, stream), none)
            found[rows] += seen.target.probabilities(seen.logits)
    return found / views


def log_losses(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return -ln of the probability of each label ``(n,)``.

    >>> log_losses(np.array([[0.5, 0.5]]), np.array([1]))
    array([0.69314718])
    """
    own = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(own, np.finfo(np.float64).tiny)), np.float64)


def choose_views(run: TrainedRun, data: Dataset, views: int) -> ViewChoice:
    """Compare one view with the mean over ``views`` on the validation part of ``data``.

    Raises `UsageError` without a validation part.
    """
    part = data.validation
    if part is None:
        raise UsageError(
            f"{data.name} has no validation part, on which views are compared; expected one: leave "
            "out --tta"
        )
    policy = run_policy(run, data)
    plain = run.evaluate(part.data, part.labels).loss
    mean = averaged_views(run, part.data, policy, views)
    return ViewChoice(policy, views, plain, float(log_losses(mean, part.labels).mean()))
