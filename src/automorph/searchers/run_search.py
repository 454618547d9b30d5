"""`search`: find a policy for a task, and hold it against what needs no search."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph._moved import renamed_arguments
from automorph.errors import AutomorphError, UsageError
from automorph.experiments import fingerprint
from automorph.files import folder_lock
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, check_domain, load_policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.budget import ONLINE_COST, Plan, affordable, plan_by_time, read_budget
from automorph.searchers.builtin import SearchSpec, load_method
from automorph.searchers.child_training import TrainJob, plain_treatment, with_post_policy
from automorph.searchers.defaults import default_post_policy, space_of
from automorph.searchers.executors import Engine, check_engine, open_engine, without_test
from automorph.searchers.final_table import entrants, table, verdict_of
from automorph.searchers.result import SearchResult
from automorph.searchers.runner import SearchProgress, SearchRunner
from automorph.searchers.trials import Trials
from automorph.training import Task, as_task

TRIALS = 40
"""Trials of a search that is given neither trials nor a budget."""
SEEDS = 5
"""Paired seeds of the final table."""
LONGEST = 4
"""The compute-matched control trains at most so many times as long."""


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
    progress: Callable[[SearchProgress], None] | None = None,
    **options: Any,
) -> SearchResult:
    """Search for the best policy, then hold it against what needs no search.

    - ``task``: a `Task`, a ``DATA`` string, arrays or a data set; ``options`` (``model``,
      ``recipe``, ``limit``, ..) go to `automorph.training.as_task`;
    - ``method``: ``race`` or any name of `list_searches`, with options, as ``pba(members=8)``,
      or what builds a `Searcher` of one's own from a `SearchContext`;
    - ``space`` holds the operations (None: `default_space`). ``explained``, or ``explained:NAME``,
      is the default space, or that one, without what `automorph.explain` finds harmful and with
      ranges narrowed. ``tail`` is done to every example after the policy (None:
      `default_post_policy`);
    - ``trials`` is how many children, or scored policies, the search may try (a race: what it may
      cost in plain trainings), or ``budget`` says how long everything may take, ``"30m"``;
    - ``seed`` decides the search, ``seeds`` is how many paired seeds the final table has;
    - ``folder`` keeps all that is finished: the same call goes on from there. ``storage`` is an
      Optuna URL to keep the trials in instead of the folder's journal;
    - ``engine``: ``local``, ``processes`` (``jobs`` side by side; in a script this needs the usual
      ``if __name__ == "__main__":``) or ``ray`` (at ``address``, else on this machine). The policy
      found is the same on each;
    - ``progress`` is called with a `SearchProgress` after every trial.

    Children are trained and scored on the train and validation parts; the test part is used for
    the final table alone. Raises UsageError for what cannot be searched.
    """
    named = load_method(method)
    check_engine(engine, address)
    seconds = None if budget is None else read_budget(budget)
    _check(trials, seconds, seeds, jobs)
    whole = as_task(task, **options)
    operations = space_of(space, whole, seed=seed)
    behind = load_policy(
        default_post_policy(whole.data.domain) if post_policy is None else post_policy
    )
    _fits(whole, operations)
    check_domain(behind, whole.data.domain, data=whole.name)
    hidden = without_test(whole)
    setting = SearchContext(
        task=hidden, space=operations, post_policy=behind, trials=trials or TRIALS, seed=seed
    )
    identity = {
        "task": fingerprint(whole),
        "method": named.name,
        "space": plain_treatment(RandomPolicy(operations=operations))["operations"],
        "tail": plain_treatment(behind),
        "trials": trials,
        "budget": seconds,
        "seed": seed,
        "seeds": seeds,
    }
    with ExitStack() as stack:
        place = Path(folder) if folder else Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(folder_lock(place))
        record = Trials(identity, folder=place if folder else None, storage=storage)
        stack.callback(record.close)

        conductor = SearchRunner(record, progress)
        workers = stack.enter_context(open_engine(engine, whole, place, jobs=jobs, address=address))
        try:
            plan = _plan(conductor, workers, setting, seconds, seeds)
        except AutomorphError:
            record.forget()
            conductor.close(place)
            raise
        known = named.entry.trials(plan.trainings, whole) if plan.trainings else setting.trials
        searched = named.build(replace(setting, trials=known, seconds_per_run=plan.seconds_per_run))
        stopped = conductor.search(searched, workers, plan, trials=known)
        found = searched.result()
        conductor.close(place)
        if (decided := record.noted("final")) is None:
            decided = affordable(
                _with_control(plan, conductor.cost(hidden)), jobs=workers.jobs,
                clock=conductor.clock, seeds=seeds,
                found=1.0 if isinstance(found, Policy) else ONLINE_COST,
            )  # fmt: skip
            record.note("final", decided)
        count, epoch_multiplier = decided
        standing = entrants(found, operations, behind, epoch_multiplier)
        trainings = {
            (part, number): entrant.job(number)
            for number in range(count)
            for part, entrant in standing.items()
        }
        outcomes = conductor.final(trainings, workers)
    tried = conductor.tried
    final = table(standing, range(count), outcomes)
    rows = final.rows
    cost = conductor.cost(hidden)
    if not any(row.accuracy for row in rows):
        raise AutomorphError(f"every final training failed ({rows[0].error}); try a lower --lr")
    verdict = verdict_of(
        standing, rows, method=named.name, cost=cost, seeds=count, caveat=searched.caveat()
    )
    return SearchResult(
        method=named.name,
        found=found,
        policy=with_post_policy(found, behind),
        rows=rows,
        parts=tuple(standing),
        verdict=verdict,
        seeds=tuple(range(count)),
        confidence=0.95,
        trials=len(conductor.told),
        failed=sum(bool(trial.outcome.error) for trial in conductor.told),
        cost=cost,
        units=conductor.units,
        seconds=record.clock,
        trace=tuple(conductor.trace(hidden)),
        course=tried.course(),
        effects=tried.effects(),
        plan=plan,
        epoch_multiplier=epoch_multiplier,
        stopped=stopped,
        history=searched.history(),
        curves=final.curves,
        predictions=final.predictions,
        treatments={entrant.label: entrant.treatment for entrant in standing.values()},
        trained=conductor.ran,
    )


def _plan(
    conductor: SearchRunner,
    engine: Engine,
    setting: SearchContext,
    budget: float | None,
    seeds: int,
) -> Plan:
    """The plan that was kept, or a new one; a budget of time needs a measured pace."""
    if (kept := conductor.record.noted("plan")) is not None:
        return Plan.from_dict(kept)
    if budget is None:
        plan = Plan(None, seeds, LONGEST)
    else:
        seconds_per_run = _seconds_per_run(conductor, engine, setting, budget)
        plan = plan_by_time(
            budget,
            seconds_per_run=seconds_per_run,
            jobs=engine.jobs,
            clock=conductor.clock,
            seeds=seeds,
        )
    conductor.record.note("plan", plan.to_dict())
    return plan


def _seconds_per_run(
    conductor: SearchRunner, engine: Engine, setting: SearchContext, budget: float
) -> float:
    """Seconds of one whole training, measured on a few epochs with all workers busy."""
    epochs = setting.task.recipe.epochs
    few = min(epochs, max(2, epochs // 8))
    probe = TrainJob(
        policy=RandomPolicy(operations=setting.space), post_policy=setting.post_policy, stop_epoch=1
    )
    numbers = range(setting.seed, setting.seed + engine.jobs)
    # The first round is for what workers do once: they start, import and allocate.
    conductor.measure([replace(probe, seed=number) for number in numbers], engine)
    if conductor.clock > budget:
        raise UsageError(
            f"the budget of {budget:.0f} s was over after one epoch; a search with its final table "
            "trains some twenty times. Give more time, fewer --epochs or a smaller --limit"
        )
    began = time.monotonic()
    outcomes = conductor.measure(
        [replace(probe, seed=number, stop_epoch=few) for number in numbers], engine
    )
    took = time.monotonic() - began
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise AutomorphError(f"the first training failed: {failed[0].error}")
    seconds_per_epoch = max(float(outcome.facts["pace"]) for outcome in outcomes)
    # What a job costs besides its epochs counts as well: with tiny data it is most of the time.
    return epochs * seconds_per_epoch + max(0.0, took - few * seconds_per_epoch)


def _with_control(plan: Plan, cost: float) -> Plan:
    """The control trains no longer than search and training together."""
    if plan.deadline is not None:
        return plan
    return replace(plan, epoch_multiplier=max(2, min(LONGEST, math.ceil(1 + cost))))


def _check(trials: int | None, budget: float | None, seeds: int, jobs: int) -> None:
    if trials is not None and budget is not None:
        raise UsageError("got both trials and a budget; expected one of them")
    for what, value, low in (("trials", trials, 1), ("seeds", seeds, 1), ("jobs", jobs, 1)):
        if value is not None and value < low:
            raise UsageError(f"got {what}={value}; expected {low} or more")


def _fits(task: Task, space: SearchSpace) -> None:
    if not len(space):
        raise UsageError("the search space has no operations; expected at least one")
    if not {"validation", "test"} <= set(task.data.parts):
        raise UsageError(
            f"{task.name} lacks a validation or a test part; a search needs both: "
            "see automorph.data.splits"
        )
    if space.domain != task.data.domain:
        raise UsageError(
            f"the space {space.name!r} has operations on {space.domain}s, and {task.name} holds "
            f"{task.data.domain}s; choose another with --space (see: automorph list spaces)"
        )
