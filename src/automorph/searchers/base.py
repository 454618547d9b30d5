"""The contract of a searcher: propose jobs, have them run anywhere, read their results.

A search method of the literature is four choices (a distribution over sequences, a score, an
update, and when it is used); here it is one short file that implements `Searcher`. Its state is a
pure function of its `SearchContext` and of the results reported to it, generation by generation.
Therefore a search

- resumes by reading the finished results again, with no state of its own on disk;
- finds the same policy on one core, on many, and on other machines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from automorph._moved import renamed_arguments, renamed_attributes, warn
from automorph.experiments import ExternalTask, Job, JobResult
from automorph.operations import SearchSpace
from automorph.policies import Policy
from automorph.training import AugmenterSpec, Task

RULES = 2
"""The present version of `SearchContext.rules`."""


@renamed_attributes(tail="post_policy", pace="seconds_per_run")
@renamed_arguments(tail="post_policy", pace="seconds_per_run")
@dataclass(frozen=True, kw_only=True)
class SearchContext:
    """What every searcher gets.

    - ``space``: the operations to search among;
    - ``post_policy``: applied to every example after the policy that is searched for;
    - ``trials``: how many children (or scored policies) the searcher may ask for in total;
    - ``seed``: determines every random number of the search;
    - ``seconds_per_run``: seconds of one plain training, in a search that version 0.1 timed (None:
      costs are counts of passes);
    - ``unseen``: names of public data sets whose results the search must not know, because it is
      judged on them (see `prior.load_prior`);
    - ``rules``: the version of the rules by which a race decides; one that is begun keeps its own
      (1: a saturated validation part needs no surer gain than others);
    - ``remember(name, make)``: a policy that the searcher computes from data instead of outcomes;
      it is made once and stored, so that a search resumed on another machine has the same one.
    """

    task: Task | ExternalTask
    space: SearchSpace
    post_policy: Policy
    trials: int
    seed: int = 0
    seconds_per_run: float | None = None
    unseen: tuple[str, ...] = ()
    rules: int = RULES
    remember: Callable[[str, Callable[[], Policy]], Policy] = field(
        default=lambda name, make: make(), repr=False, compare=False
    )

    @property
    def epochs(self) -> int:
        """The length of a whole training; 1 if the user's own code decides it."""
        if isinstance(self.task, ExternalTask):
            return self.task.epochs or 1
        return self.task.recipe.epochs

    @property
    def data_task(self) -> Task:
        """The task of a method that reads data, which the user's own training code has not."""
        assert isinstance(self.task, Task)
        return self.task


class Standing(NamedTuple):
    """How a candidate stands while a search runs.

    ``estimate`` is in the unit of the search's own statistic, higher is better (losses are
    negated); ``error`` is the standard error of its difference from the leader's estimate, 0 for
    the leader itself, infinite if it is not known.
    """

    treatment: Policy | AugmenterSpec
    estimate: float
    error: float


@renamed_attributes(story="history")
class Searcher(ABC):
    """A search, generation by generation."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Accept the method name of version 0.1 in a subclass."""
        super().__init_subclass__(**options)
        if "story" in vars(cls) and "history" not in vars(cls):
            warn(f"{cls.__qualname__}.story", f"{cls.__qualname__}.history", "method")
            cls.history = vars(cls)["story"]  # type: ignore[method-assign]

    @abstractmethod
    def ask(self) -> Sequence[Job]:
        """Return the next jobs, which may run in parallel; none when the search is over."""

    @abstractmethod
    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Read the results of all jobs of the last `ask`, in the same order."""

    @abstractmethod
    def result(self) -> Policy | AugmenterSpec:
        """Return the best policy so far, without the post-policy; may be called at any time.

        A race may be won by a method that runs inside training; it is then returned instead.
        """

    def standing(self) -> list[Standing]:
        """Return how the candidates stand, the leader first; may be called at any time.

        Empty if the search compares no candidates, or has not compared any yet.
        """
        return []

    def share(self) -> float | None:
        """Return the finished share of the search, 0 to 1; None: count the trials."""
        return None

    def caveat(self) -> str:
        """Return what a reader of the result must know first, or an empty string."""
        return ""

    def history(self) -> dict[str, Any]:
        """Return the course of the search as plain data, for the record and the report."""
        return {}
