"""Checks for a searcher: a method that proposes jobs, reads their results, and returns a policy."""

from __future__ import annotations

import json
import math
import pickle
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from automorph.operations import named_space
from automorph.policies import Policy, load_policy, save_policy
from automorph.searchers import Job, JobResult, SearchContext, Searcher
from automorph.testing.checks import Check, Kit, require, require_equal
from automorph.testing.samples import one_thread, other_global_randomness, small_task
from automorph.training import AugmenterSpec

KIT = Kit("searcher", callable, "the class of a searcher, or a function of a SearchContext")
Build = Callable[[SearchContext], Searcher]
SPARE = 10
"""Jobs beyond twice the trials after which a search is taken to go on forever."""


def searcher_checks() -> list[Check]:
    """Return the checks for a searcher, each a function of what builds it from a context.

    >>> [check.name for check in searcher_checks()][:2]
    ['it_ends', 'its_jobs_succeed']
    """
    return list(KIT)


def check_searcher(
    build: Build, *, context: SearchContext | None = None, skip: Iterable[str] = ()
) -> None:
    """Run all checks for a searcher.

    ``build`` is its class, or a function of a `SearchContext`; ``context`` is the search to try
    (default: three trials among RandAugment's operations on `small_task`). The jobs of the search
    are run once, in this process. ``skip`` names checks to leave out. Raises one `AssertionError`
    that lists all failures.

    >>> from automorph.searchers import load_method
    >>> check_searcher(load_method("random(count=1)").build)
    """
    KIT.run(build, context=context, skip=skip)


@KIT.add
def it_ends(build: Build, *, context: SearchContext | None = None) -> None:
    """It asks for at most about as many jobs as it has trials, and then for none."""
    search = _search(build, context)
    made, trials = search.jobs, search.context.trials
    require(
        search.ended,
        f"it asked for {made} jobs and still asks, with {trials} trials",
        f"an empty list from `ask` after about {trials} jobs",
        "count the results that `tell` received, and return no jobs once there are enough",
    )


@KIT.add
def its_jobs_succeed(build: Build, *, context: SearchContext | None = None) -> None:
    """Its jobs end without an error, and with a score that is a number."""
    for jobs, outcomes in _search(build, context).generations:
        for job, outcome in zip(jobs, outcomes, strict=True):
            require(
                not outcome.error and not math.isnan(outcome.score),
                f"a {type(job).__name__} scored {outcome.score} with the error {outcome.error!r}",
                "a score, and no error",
                "correct `run` of the job, or propose jobs that fit the task",
            )


@KIT.add
def its_result_is_valid_at_any_time(build: Build, *, context: SearchContext | None = None) -> None:
    """`result` gives a policy (or an in-training method) before, during and after the search."""
    for when, result in _search(build, context).results:
        _require_result(result, when, _context(context))


@KIT.add
def replay_repeats_it(build: Build, *, context: SearchContext | None = None) -> None:
    """A new searcher that gets the same results asks for the same jobs and returns the same."""
    search = _search(build, context)
    remedy = (
        "let the state depend on the context and the results only: draw random numbers from "
        "context.seed, and keep nothing in the class, in globals or on disk"
    )
    for seed in (1, 2):
        with other_global_randomness(seed):
            again = build(search.context)
            for number, (jobs, outcomes) in enumerate(search.generations):
                asked = [job.describe() for job in again.ask()]
                require(
                    asked == [job.describe() for job in jobs],
                    f"a replay asked for other jobs in generation {number}",
                    "the same jobs after the same results",
                    remedy,
                )
                again.tell(outcomes)
            require(
                not search.ended or not again.ask(),
                "a replay goes on after the last results",
                "the same end",
                remedy,
            )
            same = _identity(again.result()) == _identity(search.results[-1][1])
            require(same, "a replay returned another result", "the same result", remedy)


@KIT.add
def failed_jobs_are_survived(build: Build, *, context: SearchContext | None = None) -> None:
    """Jobs that fail (score -inf) end neither the search nor the validity of its result."""
    search = _search(build, context)
    for name, fails in (("all", lambda number: True), ("some", lambda number: number % 2 == 0)):
        try:
            other = Search(build, search.context, search.folder, fails)
        except Exception as error:
            require(
                False,
                f"if {name} jobs fail, it raises {type(error).__name__}: {error}",
                "a search that goes on or ends",
                "accept the score -inf, with empty facts, in `tell`",
            )
        require(
            other.ended,
            f"if {name} jobs fail, it asked for {other.jobs} jobs and still asks",
            "an end after about as many jobs as trials",
            "count failed jobs as trials",
        )
        for when, result in other.results:
            _require_result(result, f"{when} where {name} jobs failed", search.context)


@KIT.add
def jobs_are_plain_data(build: Build, *, context: SearchContext | None = None) -> None:
    """Jobs describe themselves as plain JSON, and survive pickling on their way to workers."""
    for job in _jobs(_search(build, context)):
        described = job.describe()
        name = type(job).__name__
        try:
            text = json.dumps(described, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            require(
                False,
                f"the description of a {name} is no JSON ({error})",
                "texts, finite numbers, booleans, None, lists, and dicts with texts as keys",
                "convert arrays with tolist(), and policies with automorph.policies.identity_form",
            )
        require(
            json.loads(text) == described == job.describe(),
            f"the description of a {name} changes when it is stored, or when it is made again",
            "a description that JSON gives back as it was",
            "use lists instead of tuples, and texts as keys",
        )
        try:
            copy = pickle.loads(pickle.dumps(job))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            require(
                False,
                f"a {name} cannot be pickled ({error})",
                "a job that worker processes can receive",
                "make it a frozen dataclass at the top level of a module",
            )
        require(
            copy.describe() == described,
            f"a pickled {name} has another description",
            "the same description",
            "keep all that determines the job in its fields",
        )


@KIT.add
def equal_descriptions_mean_equal_jobs(
    build: Build, *, context: SearchContext | None = None
) -> None:
    """Jobs with one description are equal, and running a job again gives the same score."""
    search = _search(build, context)
    known: dict[str, Job] = {}
    for job in _jobs(search):
        text = json.dumps(job.describe(), sort_keys=True, default=str)
        require(
            known.setdefault(text, job) == job,
            f"two different jobs have one description: {text[:200]}",
            "equal jobs, because the second one is not run but gets the result of the first",
            "state in `describe` everything that determines the result",
        )
    if not search.generations:
        return
    (job, *_), (outcome, *_) = search.generations[0]
    with tempfile.TemporaryDirectory() as folder, other_global_randomness(3), one_thread():
        again = job.run(search.context.task, Path(folder))
    require(
        again.score == outcome.score or outcome.error,
        f"a job scored {outcome.score!r}, and {again.score!r} when it ran again",
        "the same score",
        "derive random numbers from a seed that the job states",
    )


@KIT.add
def its_progress_is_plain_data(build: Build, *, context: SearchContext | None = None) -> None:
    """`share` grows from 0 to 1 or is None, `caveat` is a text, and `history` is plain JSON."""
    search = _search(build, context)
    shares = [share for share in search.shares if share is not None]
    require(
        shares == sorted(shares) and all(0 <= share <= 1 for share in shares),
        f"shares are {shares}",
        "numbers from 0 to 1 that never fall, or None",
        "return the finished share of the whole search",
    )
    require(
        isinstance(search.searcher.caveat(), str),
        f"the caveat is {search.searcher.caveat()!r}",
        "a text",
        "return an empty text if there is nothing to say",
    )
    history = search.searcher.history()
    try:
        json.dumps(history, allow_nan=False)
    except (TypeError, ValueError) as error:
        require(
            False,
            f"the history is no JSON ({error})",
            "texts, finite numbers, lists and dicts",
            "convert arrays with tolist(), and leave out infinite scores",
        )


@dataclass(eq=False)
class Search:
    """One search: its generations of jobs and results, and what it said at each of them."""

    build: Build
    context: SearchContext
    folder: Path
    fails: Callable[[int], bool] = lambda number: False
    generations: list[tuple[Sequence[Job], list[JobResult]]] = field(default_factory=list)
    results: list[tuple[str, Any]] = field(default_factory=list)
    shares: list[float | None] = field(default_factory=list)
    ended: bool = False

    def __post_init__(self) -> None:
        self.searcher = self.build(self.context)
        self._note("before the first job")
        while self.jobs <= 2 * self.context.trials + SPARE:
            jobs = list(self.searcher.ask())
            if not jobs:
                self.ended = not self.searcher.ask()
                return
            first = self.jobs
            outcomes = [self._run(job, first + number) for number, job in enumerate(jobs)]
            self.generations.append((jobs, outcomes))
            self.searcher.tell(outcomes)
            self._note(f"after generation {len(self.generations)}")

    @property
    def jobs(self) -> int:
        """How many jobs it has asked for."""
        return sum(len(jobs) for jobs, _ in self.generations)

    def _note(self, when: str) -> None:
        self.results.append((when, self.searcher.result()))
        self.shares.append(self.searcher.share())

    def _run(self, job: Job, number: int) -> JobResult:
        if self.fails(number):
            return JobResult(-math.inf, error="failed on purpose, by the test kit")
        with one_thread():
            return job.run(self.context.task, self.folder)


def _context(context: SearchContext | None) -> SearchContext:
    return _default_context() if context is None else context


@lru_cache(maxsize=1)
def _default_context() -> SearchContext:
    task = small_task()
    return SearchContext(
        task=replace(task, data=task.data.without_test()),
        space=named_space("randaugment"),
        post_policy=load_policy("none"),
        trials=3,
    )


def _search(build: Build, context: SearchContext | None) -> Search:
    """Return the search of a builder, run once and shared by its checks."""
    return _searched(build, _context(context))


@lru_cache(maxsize=2)
def _searched(build: Build, context: SearchContext) -> Search:
    folder = tempfile.mkdtemp(prefix="automorph-kit-")
    stored: dict[str, Policy] = {}

    def remember(name: str, make: Callable[[], Policy]) -> Policy:
        if name not in stored:
            stored[name] = make()
        return stored[name]

    context = replace(context, remember=remember)
    try:
        search = Search(build, context, Path(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(search, shutil.rmtree, folder, ignore_errors=True)
    return search


def _jobs(search: Search) -> Iterator[Job]:
    for jobs, _ in search.generations:
        yield from jobs


def _require_result(result: Any, when: str, context: SearchContext) -> None:
    """Raise unless a result can be used: it augments, and its file keeps it."""
    require(
        isinstance(result, (Policy, AugmenterSpec)),
        f"{when}, the result is {type(result).__name__}",
        "a Policy, or an in-training method",
        "return the best policy so far, or a first guess such as one that does nothing",
    )
    if not isinstance(result, Policy):
        result.build()
        return
    examples = context.data_task.data.train.data[:8]
    fitted = result.fitted(examples) if examples.dtype.kind == "T" else result
    batch = fitted.augment(examples, labels=None, seed=1) if not result.mixes_labels else examples
    require(
        batch.shape == examples.shape,
        f"{when}, the result turns {examples.shape} into {batch.shape}",
        "a policy that keeps the shape",
        "return a policy whose operations fit the data",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = save_policy(result, Path(folder) / "policy.json")
        own = [one for one in result.space if one.function]
        again = load_policy(path, operations=own)
    require(
        again == result,
        f"{when}, the result differs after it was saved and loaded",
        "an equal policy",
        "build the result from policies with a file format, such as Mixture",
    )
    if not result.mixes_labels and again.space.domain != "text":
        require_equal(
            again.augment(examples, seed=1),
            batch,
            f"{when}, the loaded result gives another batch",
            "the same batch",
            "build the result from policies with a file format, such as Mixture",
        )


def _identity(result: Policy | AugmenterSpec) -> Any:
    return result if isinstance(result, Policy) else result.describe()
