"""The plan of a search: a measurement turns a time budget into counts before the search starts."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from automorph.errors import AutomorphError, UsageError
from automorph.experiments import Executor, ExternalTask
from automorph.files import write_json
from automorph.policies import RandomPolicy
from automorph.searchers.base import SearchContext
from automorph.searchers.budget import Controls, Plan, plan_by_time
from automorph.searchers.builtin import SearchEntry
from automorph.searchers.child_training import TrainJob, plain_passes
from automorph.searchers.own_training import seconds_per_run as own_seconds_per_run
from automorph.searchers.runner import SearchRunner
from automorph.training import CORES, Task

LONGEST = 4
"""Largest epoch multiplier of the compute-matched control."""
LEAST = 8
"""Plain trainings before the final table, if there is no time for any."""


def plan_of(
    runner: SearchRunner,
    executor: Executor,
    setting: SearchContext,
    entry: SearchEntry,
    *,
    budget: float | None,
    seeds: int,
    epoch_multiplier: int | None = None,
    controls: Controls = "all",
    folder: Path | None = None,
) -> Plan:
    """Return the stored plan, or a new one; a budget of time needs a measured training.

    A new plan is written to ``run.json`` of the folder and to the record before any trial runs; a
    resumed search uses it whatever the speed of the machine is by then.
    """
    if (kept := runner.record.noted("plan")) is not None:
        return Plan.from_dict(kept)
    if budget is None:
        plan = Plan(None, seeds, epoch_multiplier or LONGEST)
    else:
        measured = (
            own_seconds_per_run if isinstance(setting.task, ExternalTask) else _seconds_per_run
        )
        plan = plan_by_time(
            budget,
            seconds_per_run=measured(runner, executor, setting, budget),
            jobs=executor.jobs,
            clock=runner.clock,
            seeds=seeds,
            epoch_multiplier=epoch_multiplier,
            at_once=entry.at_once,
            controls=controls,
        )
        assert plan.trainings is not None
        trials = entry.trials(plan.trainings, setting.task)
        passes = round(entry.price(trials, setting.task) * plain_passes(setting.task))
        plan = replace(plan, trials=trials, passes=passes)
    if folder is not None:
        write_json(folder / "run.json", {"search": {"plan": plan.to_dict()}})
    runner.record.note("plan", plan.to_dict())
    return plan


def affordable(
    task: Task,
    entry: SearchEntry,
    *,
    seeds: int,
    epoch_multiplier: int | None,
    controls: Controls = "all",
) -> tuple[int | None, int, int | None]:
    """Return trials, seeds and the length of the control for photographs, by a table of costs.

    For other data, nothing is changed. No clock is read: every machine searches alike.
    """
    chosen = task.data.chosen
    if chosen is None or task.model != chosen.model:
        return None, seeds, epoch_multiplier
    try:
        plan = plan_by_time(
            chosen.budget, seconds_per_run=chosen.seconds, jobs=CORES, clock=0.0, seeds=seeds,
            epoch_multiplier=epoch_multiplier, at_once=entry.at_once, controls=controls,
        )  # fmt: skip
    except UsageError:  # Not even the fastest setting fits, as the note on the data says.
        plan = Plan(LEAST, min(seeds, 2), epoch_multiplier or 2)
    assert plan.trainings is not None
    length = None if controls == "usual" else plan.epoch_multiplier
    return entry.trials(plan.trainings, task), plan.seeds, length


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
    runner.measure([replace(probe, seed=number) for number in numbers], executor, budget)
    began = time.monotonic()
    outcomes = runner.measure(
        [replace(probe, seed=number, stop_epoch=few) for number in numbers], executor, budget
    )
    took = time.monotonic() - began
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise AutomorphError(f"the first training failed: {failed[0].error}")
    seconds_per_epoch = max(float(outcome.facts["pace"]) for outcome in outcomes)
    # Include the overhead of a job outside its epochs: with tiny data it dominates.
    return epochs * seconds_per_epoch + max(0.0, took - few * seconds_per_epoch)


def control_length(plan: Plan, cost: float, asked: int | None) -> int:
    """Return the epoch multiplier of the control: at most the cost of search and training."""
    if asked is not None or plan.trainings is not None:
        return asked or plan.epoch_multiplier
    return max(2, min(LONGEST, math.ceil(1 + cost)))
