"""`search`: find a policy for a task, and compare it with policies that need no search."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from automorph._moved import renamed_arguments
from automorph.diagnostics import idle_operations
from automorph.errors import AutomorphError
from automorph.experiments import (
    Command,
    ExternalTask,
    Objective,
    always_one,
    check_executor,
    constant_answers,
    idle_policies,
    task_without_test,
    the_task,
    unused_by_search,
)
from automorph.operations import SearchSpace
from automorph.policies import Policy
from automorph.searchers.base import Searcher
from automorph.searchers.budget import Controls, read_budget
from automorph.searchers.builtin import SearchSpec, load_method
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.defaults import begun_method, table_of
from automorph.searchers.final_seeds import train_seeds
from automorph.searchers.final_table import controls_of, table
from automorph.searchers.interrupted import forget
from automorph.searchers.kept_network import can_keep, keep_network
from automorph.searchers.nested import nested_search
from automorph.searchers.own_training import cost_in_words, remarks_on_trials
from automorph.searchers.planning import control_length
from automorph.searchers.result import SearchResult
from automorph.searchers.runner import SearchProgress
from automorph.searchers.search_advice import few_in
from automorph.searchers.search_checks import check_counts, check_nested, check_place
from automorph.searchers.search_phase import opened, setup_of
from automorph.searchers.search_verdict import verdict_of
from automorph.searchers.within_review import within_review
from automorph.training import Task, sizing_for


@renamed_arguments(tail="post_policy")
def search(
    task: Any = None,
    method: str | SearchSpec | Callable[..., Searcher] = "race",
    *,
    objective: str | Command | Objective | None = None,
    space: str | SearchSpace | None = None,
    post_policy: str | Policy | None = None,
    trials: int | None = None,
    budget: str | float | None = None,
    seed: int = 0,
    seeds: int | str | None = None,
    controls: Controls | None = None,
    epoch_multiplier: int | None = None,
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
    - ``objective``: training code of your own instead of ``task``: a function or a `Command` (see
      `automorph.compare`); ``options`` are then ``epochs``, ``name``, ``domain`` and ``resumable``.
      Methods that need the data or the network itself are refused;
    - ``method``: ``race`` or any name of `list_searches`, with options, as ``pba(members=8)``,
      or a callable that builds your own `Searcher` from a `SearchContext`;
    - ``space``: the operations to search among (None: those of the method's paper).
      ``explained``, or
      ``explained:NAME``, is the default space, or that one, without the operations that
      `automorph.explain` finds harmful, and with narrowed ranges;
    - ``post_policy``: applied to every example after the policy (None: `default_post_policy`);
    - ``trials``: how many children, or scored policies, the search may try (of ``race`` and
      ``heats``: the cost in plain trainings; None: 8 for a race, else 40); or ``budget``: the time
      for everything, as ``"30m"``. A measurement turns it into numbers of trials and seeds
      (``plan`` of the result), which are stored before the search starts: on a machine that gets
      slower it takes longer, and finds the same. Without either, searches on photographs whose size
      and network were chosen get the numbers for ten minutes on two cores by a table of costs;
    - ``seed`` determines the search; ``seeds`` are the paired seeds of the final table: a number,
      or a range such as ``"2-5"`` (the default): from 2, until the decision is clear on the
      validation part, at most 5 (see `final_seeds` and `automorph.experiments.Looks`);
    - ``controls``: ``usual`` (the default) compares the policy with none, the post-policy alone and
      what usually helps; ``all`` adds a random policy, RandAugment and a control that trains for
      longer. ``epoch_multiplier`` is its length (None: as long as search and training together, at
      most 4; with a budget, as the time allows), and asks for all controls;
    - with ``folds`` (and ``repeats``, default 2) among the options, the whole search runs anew in
      every fold of every repeat, its picks and the usual controls are tested on that fold, and one
      more search, on all examples, gives the policy (see `nested`);
    - ``folder`` stores all finished work: the same call resumes from it. Networks of the table that
      the advised policy trained are kept there (see `automorph.training.keep_networks`).
      ``storage`` is an Optuna URL that holds the trials instead of the folder's journal;
    - ``engine``: ``local``, ``processes`` (``jobs`` in parallel; a script needs
      ``if __name__ == "__main__":``) or ``ray`` (at ``address``, else on this machine). The policy
      found is the same on each;
    - ``accept_versions``: continue a search that was begun with other versions of the libraries
      that decide pixels;
    - ``progress`` is called with a `SearchProgress` after every trial.

    Children are trained and scored on the train and validation parts; only the final table uses the
    test part. Raises `UsageError` for arguments or data that cannot be searched.
    """
    named = begun_method(load_method(method), folder)
    check_executor(engine, address)
    seconds = None if budget is None else read_budget(budget)
    check_counts(trials, seconds, jobs, epoch_multiplier)
    which, looks = table_of(controls, seeds, longer=epoch_multiplier, folder=folder)
    if seconds is not None and isinstance(task, str) and "model" not in options:
        options = {"sizing": sizing_for(budget=seconds, run_folder=folder), **options}
    full_task = the_task(task, objective, options, folder)
    path = Path(folder) if folder else None
    settle = partial(setup_of, method=named, space=space, post_policy=post_policy, seed=seed)
    open_ = partial(
        opened, storage=storage, engine=engine, jobs=jobs, address=address,
        accept_versions=accept_versions,
    )  # fmt: skip
    nested = isinstance(full_task, Task) and full_task.data.folds is not None
    check_place(path, nested=nested)
    if isinstance(full_task, Task) and full_task.data.folds is not None:
        check_nested(full_task.data.folds, seeds, which)
        return nested_search(
            full_task, settle, open_, trials=trials, seconds=seconds, folder=path,
            progress=progress,
        )  # fmt: skip
    own = isinstance(full_task, ExternalTask)
    setup = settle(
        full_task, trials=trials, seconds=seconds, looks=looks, controls=which,
        epoch_multiplier=epoch_multiplier, folder=path,
    )  # fmt: skip
    looks, operations, post = setup.looks, setup.space, setup.post_policy
    with open_(full_task, setup, folder=path, leave=path, progress=progress) as phase:
        record, runner = phase.record, phase.runner
        made_by = phase.find()
        winner, plan = made_by.policy, made_by.plan
        if (final_plan := record.noted("final")) is None:
            length = 1
            if which == "all":
                length = control_length(plan, phase.cost, setup.epoch_multiplier)
            final_plan = plan.seeds, length
            record.note("final", final_plan)
        cap, length = final_plan
        looks = looks.at_most(cap)
        compared = controls_of(winner, operations, post, length, which, usual=setup.usual)
        if isinstance(full_task, ExternalTask) and full_task.epochs is None:
            compared.pop("longer", None)  # Its length cannot be changed.
        keep = can_keep(full_task, path)
        made = train_seeds(runner, phase.workers, compared, looks, keep=keep)
        analysis = runner.tried
        asked = isinstance(full_task, Task) and full_task.asks_metrics
        scorers = full_task.scorers if isinstance(full_task, Task) and asked else ()
        final = table(compared, made.counts, made.outcomes, looks=looks, own=own, scorers=scorers)
        remarks, cost_note = [*record.remarks, *final.remarks], ""
        if isinstance(full_task, ExternalTask):
            remarks += remarks_on_trials(runner.reported, full_task)
            cost_note = cost_in_words(runner.reported, full_task)
        else:
            if full_task.data.target == "classes":
                remarks += constant_answers(final.predictions, full_task.data.classes)
            if not named.entry.takes_unlabelled:
                remarks += unused_by_search(named.name, full_task)
            if runner.ran:
                remarks += idle_operations(operations, task_without_test(full_task))
                remarks += idle_policies([one.treatment for one in compared.values()], full_task)
        rows = final.rows
        cost = phase.cost
        if not any(row.accuracy for row in rows):
            remedy = "correct the training and repeat it" if own else "try a lower --lr"
            raise AutomorphError(f"every final training failed ({rows[0].error}); {remedy}")
        verdict, advice = verdict_of(
            compared, rows, method=named.name, cost=cost, seeds=len(final.seeds), looks=looks,
            caveat=made_by.searcher.caveat(), metric=final.metric,
            constant=always_one(final.predictions.get(rows[0].policy, ())),
            few=few_in(full_task.data, dict(zip(compared, rows, strict=True)), final.metric)
            if isinstance(full_task, Task)
            else None,
        )  # fmt: skip
        by_part = {part: control.treatment for part, control in compared.items()}
        verdict, advice = within_review(verdict, advice, by_part, operations)
        network = None
        if keep and path and isinstance(full_task, Task):
            # What is named instead of a row of the table was not trained.
            part = "" if advice.instead is not None else advice.policy
            network = keep_network(full_task, part, compared, made.outcomes, path)
        if path:
            forget(path)
        return SearchResult(
            method=named.name,
            found=winner,
            policy=with_post_policy(winner, post),
            rows=rows,
            parts=tuple(compared),
            verdict=verdict,
            seeds=final.seeds,
            confidence=0.95,
            trials=len(runner.reported),
            failed=sum(bool(trial.outcome.error) for trial in runner.reported),
            cost=cost,
            units=runner.units,
            seconds=record.clock,
            trace=tuple(runner.trace(phase.search_task)),
            course=analysis.course(),
            effects=analysis.effects(),
            plan=plan,
            epoch_multiplier=length,
            stopped=made_by.stopped,
            history=made_by.searcher.history(),
            curves=final.curves,
            predictions=final.predictions,
            treatments={control.label: control.treatment for control in compared.values()},
            trained=runner.ran,
            remarks=tuple(remarks),
            metric=final.metric,
            also=final.also,
            cost_note=cost_note,
            advice=advice,
            looks=looks,
            network=network,
        )
