"""The plan of a search: measured before it starts, limited by its cost after it."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from automorph.errors import AutomorphError, UsageError
from automorph.experiments import Executor, ExternalTask
from automorph.policies import RandomPolicy
from automorph.searchers.base import SearchContext
from automorph.searchers.budget import Plan, plan_by_time
from automorph.searchers.child_training import TrainJob
from automorph.searchers.own_training import seconds_per_run as own_seconds_per_run
from automorph.searchers.runner import SearchRunner

LONGEST = 4
"""Largest epoch multiplier of the compute-matched control."""


def plan_of(
    runner: SearchRunner,
    executor: Executor,
    setting: SearchContext,
    budget: float | None,
    seeds: int,
) -> Plan:
    """Return the stored plan, or a new one; a budget of time needs a measured training."""
    if (kept := runner.record.noted("plan")) is not None:
        return Plan.from_dict(kept)
    if budget is None:
        plan = Plan(None, seeds, LONGEST)
    else:
        own = isinstance(setting.task, ExternalTask)
        measured = own_seconds_per_run if own else _seconds_per_run
        seconds_per_run = measured(runner, executor, setting, budget)
        plan = plan_by_time(
            budget,
            seconds_per_run=seconds_per_run,
            jobs=executor.jobs,
            clock=runner.clock,
            seeds=seeds,
        )
    runner.record.note("plan", plan.to_dict())
    return plan


def _seconds_per_run(
    runner: SearchRunner, executor: Executor, setting: SearchContext, budget: float
) -> float:
    """Measure the seconds of one whole training on a few epochs with all workers busy."""
    epochs = setting.epochs
    few = min(epochs, max(2, epochs // 8))
    probe = TrainJob(
        policy=RandomPolicy(operations=setting.space), post_policy=setting.post_policy, stop_epoch=1
    )
    numbers = range(setting.seed, setting.seed + executor.jobs)
    # The first round is a warm-up: workers start, import and allocate.
    runner.measure([replace(probe, seed=number) for number in numbers], executor)
    if runner.clock > budget:
        raise UsageError(
            f"one epoch used up the budget of {budget:.0f} s; a search with its final table needs "
            "about twenty trainings. Allow more time, or reduce --epochs or --limit"
        )
    began = time.monotonic()
    outcomes = runner.measure(
        [replace(probe, seed=number, stop_epoch=few) for number in numbers], executor
    )
    took = time.monotonic() - began
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise AutomorphError(f"the first training failed: {failed[0].error}")
    seconds_per_epoch = max(float(outcome.facts["pace"]) for outcome in outcomes)
    # Include the overhead of a job outside its epochs: with tiny data it dominates.
    return epochs * seconds_per_epoch + max(0.0, took - few * seconds_per_epoch)


def with_control(plan: Plan, cost: float) -> Plan:
    """Limit the control to the cost of search and training together."""
    if plan.deadline is not None:
        return plan
    return replace(plan, epoch_multiplier=max(2, min(LONGEST, math.ceil(1 + cost))))
