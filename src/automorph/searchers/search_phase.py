"""The search itself, without its final table: settings checked, a record opened, a policy found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph.bars import in_notebook_only
from automorph.errors import AutomorphError
from automorph.experiments import (
    Executor,
    ExternalTask,
    Looks,
    Store,
    Treatment,
    digest,
    fingerprint,
    identity_of,
    open_executor,
    plain_treatment,
    task_without_test,
)
from automorph.files import folder_lock
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, check_domain, former, load_policy
from automorph.searchers.base import RULES, SearchContext, Searcher
from automorph.searchers.budget import Controls, Plan
from automorph.searchers.builtin import SearchSpec
from automorph.searchers.defaults import default_post_policy, reviewed_identity, space_of
from automorph.searchers.final_table import trivialaugment
from automorph.searchers.interrupted import SoFar, leaving
from automorph.searchers.own_training import check_method
from automorph.searchers.planning import affordable, plan_of
from automorph.searchers.portfolio import portfolio_version
from automorph.searchers.remembered import remembered
from automorph.searchers.runner import SearchProgress, SearchRunner
from automorph.searchers.search_checks import check_outcomes, check_task
from automorph.searchers.study_log import StudyLog
from automorph.targets import check_target
from automorph.training import Task, from_version_1, installed


@dataclass(frozen=True, kw_only=True)
class SearchSetup:
    """What decides a search on a task, with all defaults filled in; see `search`.

    ``looks`` are the seeds of the final table; ``nested`` names the part of a nested
    cross-validation that the search is, if any; ``unseen`` is that of `SearchContext`.
    """

    method: SearchSpec
    space: SearchSpace
    post_policy: Policy
    trials: int | None
    seconds: float | None
    seed: int
    looks: Looks
    controls: Controls
    epoch_multiplier: int | None
    nested: str = ""
    unseen: tuple[str, ...] = ()

    @property
    def usual(self) -> Policy | None:
        """What one would use without a search, where the post-policy is not that.

        A race finds out whether crops and flips help; its controls have them all the same.
        """
        bare = self.method.key == "race" and not len(self.post_policy.space)
        if not bare:
            return None
        return load_policy(default_post_policy(self.space.domain, space=self.space))

    @property
    def usual_trials(self) -> int:
        """The number of trials without a budget of time."""
        return self.trials or self.method.entry.usual_trials

    def identity(self, task: Task | ExternalTask) -> dict[str, Any]:
        """Return all that the search depends on, as plain data."""
        longer = self.epoch_multiplier
        return {
            "task": identity_of(task),
            "method": self.method.name,
            "space": plain_treatment(RandomPolicy(operations=self.space))["operations"],
            "tail": plain_treatment(self.post_policy),
            "trials": self.trials,
            "budget": self.seconds,
            "seed": self.seed,
            **reviewed_identity(self.space),
            "seeds": self.looks.cap if self.looks.fixed else str(self.looks),
            # Searches of version 0.1 recorded no controls: they had all.
            **({} if self.controls == "all" else {"controls": self.controls}),
            **({} if longer is None else {"longer": longer}),
            **({"portfolio": portfolio_version()} if self.method.key == "race" else {}),
            **({"nested": self.nested} if self.nested else {}),
            **({"unseen": list(self.unseen)} if self.unseen else {}),
        }


def setup_of(
    task: Task | ExternalTask,
    method: SearchSpec,
    *,
    space: str | SearchSpace | None,
    post_policy: str | Policy | None,
    trials: int | None,
    seconds: float | None,
    seed: int,
    looks: Looks,
    controls: Controls,
    epoch_multiplier: int | None,
    folder: Path | None,
    nested: str = "",
    unseen: tuple[str, ...] = (),
) -> SearchSetup:
    """Fill in the defaults of a search for its task. Raises `UsageError` if it cannot be done."""
    if trials is None and seconds is None and isinstance(task, Task):
        trials, cap, epoch_multiplier = affordable(
            task, method.entry, seeds=looks.cap, epoch_multiplier=epoch_multiplier,
            controls=controls,
        )  # fmt: skip
        looks = looks.at_most(cap)
    if isinstance(task, Task):
        check_target(task.data.target, "search")
    check_method(method, task)
    domain = task.domain if isinstance(task, ExternalTask) else task.data.domain
    operations = space_of(space, task, method=method, folder=folder, seed=seed)
    post = load_policy(
        default_post_policy(domain, method, operations) if post_policy is None else post_policy
    )
    if operations.domain == "text" and operations == operations.defined_by(1):
        post = former(post)  # As the folder was begun.
    check_task(task, operations, domain, tested=nested != ALL)
    check_domain(post, domain, data=task.name)
    return SearchSetup(
        method=method, space=operations, post_policy=post, trials=trials, seconds=seconds,
        seed=seed, looks=looks, controls=controls, epoch_multiplier=epoch_multiplier,
        nested=nested, unseen=unseen,
    )  # fmt: skip


ALL = "all examples"
"""The part of a nested cross-validation whose policy is kept; its search needs no test part."""


@dataclass(frozen=True)
class Found:
    """The policy of a finished search, without the post-policy, and what found it."""

    policy: Treatment
    searcher: Searcher
    plan: Plan
    stopped: bool


@dataclass(frozen=True)
class SearchPhase:
    """An open search: its record, what runs its jobs, and where; see `opened`."""

    task: Task | ExternalTask
    setup: SearchSetup
    context: SearchContext
    record: Store
    runner: SearchRunner
    workers: Executor
    place: Path
    log: StudyLog
    stored: bool

    @property
    def search_task(self) -> Task | ExternalTask:
        """The task without its test part."""
        return self.context.task

    @property
    def cost(self) -> float:
        """The cost of the search in plain trainings."""
        return self.runner.cost(self.search_task)

    def find(self) -> Found:
        """Run the search, or read it if it is finished."""
        setup, runner, entry = self.setup, self.runner, self.setup.method.entry
        try:
            plan = plan_of(
                runner, self.workers, self.context, entry, budget=setup.seconds,
                seeds=setup.looks.cap, epoch_multiplier=setup.epoch_multiplier,
                controls=setup.controls, folder=self.place if self.stored else None,
            )  # fmt: skip
        except AutomorphError:
            if not self.record.finished:
                self.log.discard()
            runner.close(self.place)
            raise
        allowed = plan.trials or (
            entry.trials(plan.trainings, self.task) if plan.trainings else self.context.trials
        )
        searcher = setup.method.build(
            replace(
                self.context, trials=allowed,
                seconds_per_run=None if plan.trials else plan.seconds_per_run,
                rules=self._rules(),
                remember=partial(remembered, self.record, setup.space),
            )
        )  # fmt: skip
        # Searches of users may have no result before their first trial.
        runner.begin(plan, searcher if setup.method.own is None else None)
        stopped = runner.search(searcher, self.workers, trials=allowed)
        check_outcomes(runner)
        winner = searcher.result()
        runner.close(self.place)
        return Found(winner, searcher, plan, stopped)

    def _rules(self) -> int:
        """Return the rules of a race that was begun, or the present ones, which are noted."""
        if self.setup.method.key != "race":
            return RULES
        known = self.record.noted("rules")
        if known is None and not self.record.finished:
            self.record.note("rules", RULES)
            known = RULES
        return int(known or 1)


@contextmanager
def opened(
    task: Task | ExternalTask,
    setup: SearchSetup,
    *,
    folder: Path | None,
    leave: Path | None,
    storage: str | None,
    engine: str,
    jobs: int,
    address: str | None,
    accept_versions: bool,
    progress: Callable[[SearchProgress], None] | None,
) -> Iterator[SearchPhase]:
    """Open the record of a search and what runs its jobs; see `search`.

    ``leave`` is the folder in which Ctrl-C leaves the best policy so far, if any.
    """
    search_task = task_without_test(task)
    context = SearchContext(
        task=search_task, space=setup.space, post_policy=setup.post_policy, seed=setup.seed,
        trials=setup.usual_trials, unseen=setup.unseen,
    )  # fmt: skip
    identity = setup.identity(task)
    versions = installed("optuna") if setup.method.entry.samples_with_optuna else {}
    with ExitStack() as stack:
        path = folder or Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(folder_lock(path))
        # Studies in a data base have had these names since version 0.1.
        study = f"automorph-{digest({**identity, 'task': fingerprint(task)})}"
        log = StudyLog(study, folder=folder, storage=storage)
        stack.callback(log.close)
        record = Store(
            {**identity, "versions": versions}, log, verb="search",
            upgrade=partial(from_version_1, task=task) if isinstance(task, Task) else dict,
            accept_versions=accept_versions,
        )  # fmt: skip
        record.check_operations([*setup.space, *setup.post_policy.space])
        if progress is None and (bars := stack.enter_context(in_notebook_only())):
            progress = _shown(bars)
        runner = SearchRunner(record, progress, own=isinstance(task, ExternalTask))
        so_far = SoFar(runner, task, setup.method.name, setup.post_policy, leave)
        stack.enter_context(leaving(so_far, partial(trivialaugment, setup.space)))
        workers = stack.enter_context(open_executor(engine, task, path, jobs=jobs, address=address))
        yield SearchPhase(
            task, setup, context, record, runner, workers, path, log, stored=folder is not None
        )


def _shown(bars: Any) -> Callable[[SearchProgress], None]:
    """Return what shows the progress of a search on one bar."""
    task = bars.add_task("searching", total=1.0)

    def show(progress: SearchProgress) -> None:
        words = "final table" if progress.phase == "final" else "searching"
        bars.update(
            task, completed=progress.share, description=words, facts=f"{progress.done} done"
        )

    return show
