"""`search`: find a policy for a task, and compare it with policies that need no search."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph._moved import renamed_arguments
from automorph.errors import AutomorphError, UsageError
from automorph.experiments import (
    Executor,
    Store,
    check_executor,
    digest,
    fingerprint,
    open_executor,
    plain_treatment,
    task_without_test,
)
from automorph.files import folder_lock
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, check_domain, load_policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.budget import ONLINE_COST, Plan, affordable, plan_by_time, read_budget
from automorph.searchers.builtin import SearchSpec, load_method
from automorph.searchers.child_training import TrainJob, with_post_policy
from automorph.searchers.defaults import default_post_policy, space_of
from automorph.searchers.final_table import controls_of, table, verdict_of
from automorph.searchers.remembered import remembered
from automorph.searchers.result import SearchResult
from automorph.searchers.runner import SearchProgress, SearchRunner
from automorph.searchers.study_log import StudyLog
from automorph.training import Task, as_task, from_version_1, installed, task_identity

TRIALS = 40
"""Trials of a search with neither trials nor a budget."""
SEEDS = 5
"""Paired seeds of the final table."""
LONGEST = 4
"""Largest epoch multiplier of the compute-matched control."""


@renamed_arguments(tail="post_policy")
def search(
    task: Any,
    method: str | SearchSpec | Callable[..., Searcher] = "race",
    *,
    space: str | SearchSpace | None = None,
    post_policy: str | Policy | None = None,
    trials: int | None = None,
    budget: str | float | None = None,
    seed: int = 0,
    seeds: int = SEEDS,
    folder: str | os.PathLike[str] | None = None,
    storage: str | None = None,
    engine: str = "local",
    jobs: int = 1,
    address: str | None = None,
    accept_versions: bool = False,
    progress: Callable[[SearchProgress], None] | None = None,
    **options: Any,
) -> SearchResult:
    """Search for the best policy, then compare it with policies that need no search.

    - ``task``: a `Task`, a ``DATA`` string, arrays or a data set; ``options`` (``model``,
      ``recipe``, ``limit``, ..) go to `automorph.training.as_task`;
    - ``method``: ``race`` or any name of `list_searches`, with options, as ``pba(members=8)``,
      or a callable that builds your own `Searcher` from a `SearchContext`;
    - ``space``: the operations to search among (None: `default_space`). ``explained``, or
      ``explained:NAME``, is the default space, or that one, without the operations that
      `automorph.explain` finds harmful, and with narrowed ranges;
    - ``post_policy``: applied to every example after the policy (None: `default_post_policy`);
    - ``trials``: how many children, or scored policies, the search may try (for a race: its cost in
      plain trainings); or ``budget``: the time for everything, as ``"30m"``;
    - ``seed`` determines the search; ``seeds`` is the number of paired seeds of the final table;
    - ``folder`` stores all finished work: the same call resumes from it. ``storage`` is an Optuna
      URL that holds the trials instead of the folder's journal;
    - ``engine``: ``local``, ``processes`` (``jobs`` in parallel; a script needs
      ``if __name__ == "__main__":``) or ``ray`` (at ``address``, else on this machine). The policy
      found is the same on each;
    - ``accept_versions``: continue a search that was begun with other versions of the libraries
      that decide pixels;
    - ``progress`` is called with a `SearchProgress` after every trial.

    Children are trained and scored on the train and validation parts; only the final table uses the
    test part. Raises `UsageError` for arguments or data that cannot be searched.
    """
    named = load_method(method)
    check_executor(engine, address)
    seconds = None if budget is None else read_budget(budget)
    _check(trials, seconds, seeds, jobs)
    full_task = as_task(task, **options)
    operations = space_of(space, full_task, seed=seed)
    post = load_policy(
        default_post_policy(full_task.data.domain) if post_policy is None else post_policy
    )
    _fits(full_task, operations)
    check_domain(post, full_task.data.domain, data=full_task.name)
    search_task = task_without_test(full_task)
    setting = SearchContext(
        task=search_task, space=operations, post_policy=post, trials=trials or TRIALS, seed=seed
    )
    identity = {
        "task": task_identity(full_task),
        "method": named.name,
        "space": plain_treatment(RandomPolicy(operations=operations))["operations"],
        "tail": plain_treatment(post),
        "trials": trials,
        "budget": seconds,
        "seed": seed,
        "seeds": seeds,
    }
    versions = installed("optuna") if named.entry.samples_with_optuna else {}
    with ExitStack() as stack:
        path = Path(folder) if folder else Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(folder_lock(path))
        # Studies in a data base have had these names since version 0.1.
        study = f"automorph-{digest({**identity, 'task': fingerprint(full_task)})}"
        log = StudyLog(study, folder=path if folder else None, storage=storage)
        stack.callback(log.close)
        record = Store(
            {**identity, "versions": versions}, log, verb="search",
            upgrade=partial(from_version_1, task=full_task), accept_versions=accept_versions,
        )  # fmt: skip
        runner = SearchRunner(record, progress)
        workers = stack.enter_context(
            open_executor(engine, full_task, path, jobs=jobs, address=address)
        )
        try:
            plan = _plan(runner, workers, setting, seconds, seeds)
        except AutomorphError:
            if not record.finished:
                log.discard()
            runner.close(path)
            raise
        allowed = (
            named.entry.trials(plan.trainings, full_task) if plan.trainings else setting.trials
        )
        searcher = named.build(
            replace(
                setting, trials=allowed, seconds_per_run=plan.seconds_per_run,
                remember=partial(remembered, record, operations),
            )
        )  # fmt: skip
        stopped = runner.search(searcher, workers, plan, trials=allowed)
        _check_outcomes(runner)
        winner = searcher.result()
        runner.close(path)
        if (final_plan := record.noted("final")) is None:
            final_plan = affordable(
                _with_control(plan, runner.cost(search_task)), jobs=workers.jobs,
                clock=runner.clock, seeds=seeds,
                winner_cost=1.0 if isinstance(winner, Policy) else ONLINE_COST,
            )  # fmt: skip
            record.note("final", final_plan)
        count, epoch_multiplier = final_plan
        controls = controls_of(winner, operations, post, epoch_multiplier)
        trainings = {
            (part, number): control.job(number)
            for number in range(count)
            for part, control in controls.items()
        }
        outcomes = runner.final(trainings, workers)
    analysis = runner.tried
    final = table(controls, range(count), outcomes)
    rows = final.rows
    cost = runner.cost(search_task)
    if not any(row.accuracy for row in rows):
        raise AutomorphError(f"every final training failed ({rows[0].error}); try a lower --lr")
    verdict = verdict_of(
        controls, rows, method=named.name, cost=cost, seeds=count, caveat=searcher.caveat()
    )
    return SearchResult(
        method=named.name,
        found=winner,
        policy=with_post_policy(winner, post),
        rows=rows,
        parts=tuple(controls),
        verdict=verdict,
        seeds=tuple(range(count)),
        confidence=0.95,
        trials=len(runner.reported),
        failed=sum(bool(trial.outcome.error) for trial in runner.reported),
        cost=cost,
        units=runner.units,
        seconds=record.clock,
        trace=tuple(runner.trace(search_task)),
        course=analysis.course(),
        effects=analysis.effects(),
        plan=plan,
        epoch_multiplier=epoch_multiplier,
        stopped=stopped,
        history=searcher.history(),
        curves=final.curves,
        predictions=final.predictions,
        treatments={control.label: control.treatment for control in controls.values()},
        trained=runner.ran,
        remarks=record.remarks,
    )


def _plan(
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
        seconds_per_run = _seconds_per_run(runner, executor, setting, budget)
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
    epochs = setting.task.recipe.epochs
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


def _check_outcomes(runner: SearchRunner) -> None:
    """Raise `AutomorphError` if every trial failed: no policy can be chosen then."""
    errors = [trial.outcome.error for trial in runner.reported]
    if errors and all(errors):
        raise AutomorphError(
            f"all {len(errors)} trials of the search failed, the first with: {errors[0][:500]}; "
            "expected at least one that trains. Fix the cause, then search in another folder "
            "(--out, folder=...)"
        )


def _with_control(plan: Plan, cost: float) -> Plan:
    """Limit the control to the cost of search and training together."""
    if plan.deadline is not None:
        return plan
    return replace(plan, epoch_multiplier=max(2, min(LONGEST, math.ceil(1 + cost))))


def _check(trials: int | None, budget: float | None, seeds: int, jobs: int) -> None:
    if trials is not None and budget is not None:
        raise UsageError("got both trials and a budget; expected only one of them: omit the other")
    for what, value, low in (("trials", trials, 1), ("seeds", seeds, 1), ("jobs", jobs, 1)):
        if value is not None and value < low:
            raise UsageError(f"got {what}={value}; expected {low} or more")


def _fits(task: Task, space: SearchSpace) -> None:
    if not len(space):
        raise UsageError(
            "the search space has no operations; expected at least one: choose another with --space"
        )
    if not {"validation", "test"} <= set(task.data.parts):
        raise UsageError(
            f"{task.name} lacks a validation or a test part; a search needs both: "
            "split them off (see automorph.data.split)"
        )
    if space.domain != task.data.domain:
        raise UsageError(
            f"the space {space.name!r} has operations on {space.domain}s, but {task.name} "
            f"contains {task.data.domain}s; choose another with --space (see: automorph list "
            "spaces)"
        )
