"""The contract of a searcher: propose jobs, run them anywhere, report their results.

A method of the literature is four choices (a distribution over sequences, a score, an update, and
when it is used); here it is one short file that implements `Searcher`. Its state is a pure function
of its `SearchContext` and of the outcomes reported to it, generation by generation. So a search

- resumes by reporting the finished results again, with no state of its own on disk;
- finds the same policy on one core, on many, and on other machines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from automorph._moved import renamed_arguments, renamed_attributes, warn
from automorph.operations import SearchSpace
from automorph.policies import Policy
from automorph.training import AugmenterSpec, Task, Units


@renamed_attributes(tail="post_policy", pace="seconds_per_run")
@renamed_arguments(tail="post_policy", pace="seconds_per_run")
@dataclass(frozen=True, kw_only=True)
class SearchContext:
    """What every search is given.

    ``space`` holds the operations; ``tail`` is done to every example after what is searched for;
    ``trials`` is how many children (or scored policies) a method may ask for, all in all; every
    random number of the search comes from ``seed``. Where the budget is one of time, ``pace`` is
    the seconds of a plain training.
    """

    task: Task
    space: SearchSpace
    post_policy: Policy
    trials: int
    seed: int = 0
    seconds_per_run: float | None = None


@dataclass(frozen=True)
class JobResult:
    """What came of a job: ``score`` (higher is better), its cost, and more as plain data.

    A job that failed has the score ``-inf`` and says why in ``error``.
    """

    score: float
    units: Units = field(default_factory=Units)
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class Job(Protocol):
    """One piece of work of a search: a frozen dataclass that any process can be handed."""

    def describe(self) -> dict[str, Any]:
        """Its content as plain data: two jobs of the same content are the same job."""

    def run(self, task: Task, folder: Path) -> JobResult:
        """Do it. ``folder`` is the search's own: for what other jobs (or a resumed one) need."""


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
        """The next jobs, which may run side by side; none when the search is over."""

    @abstractmethod
    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """The outcomes of all jobs of the last ``ask``, in their order."""

    @abstractmethod
    def result(self) -> Policy | AugmenterSpec:
        """The policy found so far, without the tail; at any time, also before the end.

        A race may be won by a method that lives inside training: then it is that.
        """

    def share(self) -> float | None:
        """How much of the search is done, from 0 to 1; None: as much as of its trials."""
        return None

    def caveat(self) -> str:
        """What a reader of the result must know first; nothing if all went as it should."""
        return ""

    def history(self) -> dict[str, Any]:
        """What happened, as plain data for the record and the report."""
        return {}
