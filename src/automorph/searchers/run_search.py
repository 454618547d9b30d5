"""`search`: find a policy for a task, and compare it with policies that need no search."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph._moved import renamed_arguments
from automorph.diagnostics import idle_operations
from automorph.errors import AutomorphError
from automorph.experiments import (
    Command,
    ExternalTask,
    Objective,
    Store,
    always_one,
    check_executor,
    constant_answers,
    digest,
    fingerprint,
    identity_of,
    idle_policies,
    open_executor,
    plain_treatment,
    task_without_test,
    the_task,
    unused_by_search,
)
from automorph.files import folder_lock
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, check_domain, former, load_policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.budget import Controls, read_budget
from automorph.searchers.builtin import SearchSpec, load_method
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.defaults import (
    begun_method,
    default_post_policy,
    reviewed_identity,
    space_of,
    table_of,
)
from automorph.searchers.final_seeds import train_seeds
from automorph.searchers.final_table import controls_of, table, trivialaugment
from automorph.searchers.interrupted import SoFar, forget, leaving
from automorph.searchers.own_training import check_method, cost_in_words, remarks_on_trials
from automorph.searchers.planning import affordable, control_length, plan_of
from automorph.searchers.portfolio import portfolio_version
from automorph.searchers.remembered import remembered
from automorph.searchers.result import SearchResult
from automorph.searchers.runner import SearchProgress, SearchRunner
from automorph.searchers.search_advice import few_in
from automorph.searchers.search_checks import check_counts, check_outcomes, check_task
from automorph.searchers.search_verdict import verdict_of
from automorph.searchers.study_log import StudyLog
from automorph.targets import check_target
from automorph.training import Task, from_version_1, installed, sizing_for


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
    named = begun_method(load_method(method), folder)
    check_executor(engine, address)
    seconds = None if budget is None else read_budget(budget)
    check_counts(trials, seconds, jobs, epoch_multiplier)
    which, looks = table_of(controls, seeds, longer=epoch_multiplier, folder=folder)
    if seconds is not None and isinstance(task, str) and "model" not in options:
        options = {"sizing": sizing_for(budget=seconds, run_folder=folder), **options}
    full_task = the_task(task, objective, options, folder)
    if trials is None and seconds is None and isinstance(full_task, Task):
        trials, cap, epoch_multiplier = affordable(
            full_task, named.entry, seeds=looks.cap, epoch_multiplier=epoch_multiplier,
            controls=which,
        )  # fmt: skip
        looks = looks.at_most(cap)
    own = isinstance(full_task, ExternalTask)
    if isinstance(full_task, Task):
        check_target(full_task.data.target, "search")
    check_method(named, full_task)
    domain = full_task.domain if isinstance(full_task, ExternalTask) else full_task.data.domain
    operations = space_of(space, full_task, method=named, folder=folder, seed=seed)
    post = load_policy(
        default_post_policy(domain, named, operations) if post_policy is None else post_policy
    )
    if operations.domain == "text" and operations == operations.defined_by(1):
        post = former(post)  # As the folder was begun.
    check_task(full_task, operations, domain)
    check_domain(post, domain, data=full_task.name)
    search_task = task_without_test(full_task)
    setting = SearchContext(
        task=search_task, space=operations, post_policy=post, seed=seed,
        trials=trials or named.entry.usual_trials,
    )  # fmt: skip
    identity = {
        "task": identity_of(full_task),
        "method": named.name,
        "space": plain_treatment(RandomPolicy(operations=operations))["operations"],
        "tail": plain_treatment(post),
        "trials": trials,
        "budget": seconds,
        "seed": seed,
        **reviewed_identity(operations),
        "seeds": looks.cap if looks.fixed else str(looks),
        # Searches of version 0.1 recorded no controls: they had all.
        **({} if which == "all" else {"controls": which}),
        **({} if epoch_multiplier is None else {"longer": epoch_multiplier}),
        **({"portfolio": portfolio_version()} if named.key == "race" else {}),
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
            upgrade=dict if not isinstance(full_task, Task) else partial(
                from_version_1, task=full_task
            ),
            accept_versions=accept_versions,
        )  # fmt: skip
        record.check_operations([*operations, *post.space])
        runner = SearchRunner(record, progress, own=own)
        so_far = SoFar(runner, full_task, named.name, post, path if folder else None)
        stack.enter_context(leaving(so_far, partial(trivialaugment, operations)))
        workers = stack.enter_context(
            open_executor(engine, full_task, path, jobs=jobs, address=address)
        )
        try:
            plan = plan_of(
                runner, workers, setting, named.entry, budget=seconds, seeds=looks.cap,
                epoch_multiplier=epoch_multiplier, controls=which,
                folder=path if folder else None,
            )  # fmt: skip
        except AutomorphError:
            if not record.finished:
                log.discard()
            runner.close(path)
            raise
        allowed = plan.trials or (
            named.entry.trials(plan.trainings, full_task) if plan.trainings else setting.trials
        )
        searcher = named.build(
            replace(
                setting, trials=allowed,
                seconds_per_run=None if plan.trials else plan.seconds_per_run,
                remember=partial(remembered, record, operations),
            )
        )  # fmt: skip
        # Searchers of users may have no result before their first trial.
        runner.begin(plan, searcher if named.own is None else None)
        stopped = runner.search(searcher, workers, trials=allowed)
        check_outcomes(runner)
        winner = searcher.result()
        runner.close(path)
        if (final_plan := record.noted("final")) is None:
            length = (
                control_length(plan, runner.cost(search_task), epoch_multiplier)
                if which == "all"
                else 1
            )
            final_plan = plan.seeds, length
            record.note("final", final_plan)
        cap, length = final_plan
        looks = looks.at_most(cap)
        # A race finds out whether crops and flips help; its controls have them all the same.
        bare = named.key == "race" and not len(post.space)
        usual = load_policy(default_post_policy(domain, space=operations)) if bare else None
        compared = controls_of(winner, operations, post, length, which, usual=usual)
        if isinstance(full_task, ExternalTask) and full_task.epochs is None:
            compared.pop("longer", None)  # Its length cannot be changed.
        made = train_seeds(runner, workers, compared, looks)
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
                remarks += idle_operations(operations, search_task)
                remarks += idle_policies([one.treatment for one in compared.values()], full_task)
        rows = final.rows
        cost = runner.cost(search_task)
        if not any(row.accuracy for row in rows):
            remedy = "correct the training and repeat it" if own else "try a lower --lr"
            raise AutomorphError(f"every final training failed ({rows[0].error}); {remedy}")
        verdict, advice = verdict_of(
            compared, rows, method=named.name, cost=cost, seeds=len(final.seeds), looks=looks,
            caveat=searcher.caveat(), metric=final.metric,
            constant=always_one(final.predictions.get(rows[0].policy, ())),
            few=few_in(full_task.data, dict(zip(compared, rows, strict=True)), final.metric)
            if isinstance(full_task, Task)
            else None,
        )  # fmt: skip
        if folder:
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
            trace=tuple(runner.trace(search_task)),
            course=analysis.course(),
            effects=analysis.effects(),
            plan=plan,
            epoch_multiplier=length,
            stopped=stopped,
            history=searcher.history(),
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
        )
