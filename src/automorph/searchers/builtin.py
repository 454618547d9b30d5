"""The names of searches, as people type them: ``fast-autoaugment(folds=5)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from automorph.errors import UsageError
from automorph.operations import plain
from automorph.policies import build_named, read_options
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.child_training import trainings
from automorph.training import Task, Units


@dataclass(frozen=True)
class Entry:
    """A search there is: where its code is, what it does, and what it costs.

    ``cost`` is what a trial costs in plain trainings, about, ``passes`` what it costs besides in
    forward passes, however long a training is, and ``fixed`` the trainings before the first: from
    these a budget is turned into a number of trials. In a race it gets ``least`` trials or does not
    start, and never more than ``most``.
    """

    home: str
    about: str
    cost: float = 1.0
    passes: float = 0.0
    fixed: float = 0.0
    least: int = 4
    most: int = 24

    def trials(self, trainings: float, task: Task) -> int:
        """How many trials so many plain trainings of the task pay for; at least one."""
        return max(1, int((trainings - self.fixed) / self._each(task) + 1e-9))

    def price(self, trials: int, task: Task) -> float:
        """What so many trials cost, in plain trainings of the task."""
        return self.fixed + trials * self._each(task)

    def _each(self, task: Task) -> float:
        return self.cost + trainings(Units(forward=round(self.passes)), task)

    def builder(self) -> Callable[..., Searcher]:
        """What builds the search from a `SearchContext` and options."""
        module, _, name = self.home.partition(":")
        try:
            found: Callable[..., Searcher] = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise UsageError(f"there is no search in {self.home} here: {error}") from None
        return found


METHODS = {
    "race": Entry(
        "automorph.searchers.race:Race",
        "All methods against each other under one budget; the answer to: which method?",
    ),
    "random": Entry(
        "automorph.searchers.random_search:RandomSearch",
        "Random search: policies drawn from the space, the best kept: the control of a search.",
    ),
    "randaugment": Entry(
        "automorph.searchers.randaugment:RandAugmentSearch",
        "RandAugment's two numbers (Cubuk et al. 2019): by grid or Bayesian search.",
    ),
    "autoaugment": Entry(
        "automorph.searchers.autoaugment:AutoAugment",
        "AutoAugment (Cubuk et al. 2018): an LSTM controller that is rewarded by children.",
        least=10,
        most=1000,
    ),
    "fast-autoaugment": Entry(
        "automorph.searchers.fast_autoaugment:FastAutoAugment",
        "Fast AutoAugment (Lim et al. 2019): density matching on held-out data, no retraining.",
        cost=0.03,
        fixed=1.5,
        least=40,
        most=400,
    ),
    "text-autoaugment": Entry(
        "automorph.searchers.text_autoaugment:TextAutoAugment",
        "Text AutoAugment (Ren et al. 2021): TPE over sub-policies, one training a trial.",
    ),
    "pba": Entry(
        "automorph.searchers.pba:PopulationBased",
        "Population based augmentation (Ho et al. 2019): a schedule of policies over the epochs.",
    ),
    "dada": Entry(
        "automorph.searchers.dada:Differentiable",
        "Gradient search (DADA, Li et al. 2020): draws that point where validation loss falls.",
        cost=1.7,
        least=1,
        most=4,
    ),
    "instant": Entry(
        "automorph.searchers.closed_form:Instant",
        "The instant policy: from closed-form diagnostics of the data, without any training.",
        cost=0.01,
        least=1,
        most=1,
    ),
    "tanda": Entry(
        "automorph.searchers.tanda:Tanda",
        "TANDA (Ratner et al. 2017): an adversary judges sequences; needs no labels.",
        # 500 steps: 64 examples there and back, 160 sequences of five at every prefix.
        passes=600_000,
        least=1,
        most=4,
    ),
}


@dataclass(frozen=True)
class SearchSpec:
    """A search by name, with its options read and checked; `build` makes it for a setting.

    ``own`` is what builds a search that is not in the list.
    """

    key: str
    options: dict[str, Any] = field(default_factory=dict)
    own: Callable[..., Searcher] | None = None

    @property
    def name(self) -> str:
        """What a user types to get it."""
        inside = ",".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.key}({inside})" if inside else self.key

    @property
    def entry(self) -> Entry:
        """What is known of it."""
        return METHODS[self.key] if self.own is None else Entry(self.key, "")

    def build(self, setting: SearchContext) -> Searcher:
        """The search itself, before its first question."""
        builder = self.entry.builder() if self.own is None else self.own
        return builder(setting, **self.options)


def load_method(text: str | SearchSpec | Callable[..., Searcher], **options: Any) -> SearchSpec:
    """The search that a text names; ``options`` come on top of those in its brackets.

    What builds one of the user's own from a `SearchContext` (its class, say) is taken as it is.

    >>> load_method("Random").name
    'random'
    """
    if isinstance(text, SearchSpec):
        return text
    if not isinstance(text, str):
        return SearchSpec(f"{text.__module__}.{text.__qualname__}", options, text)
    name, bracket, rest = text.strip().partition("(")
    known = {plain(key): key for key in METHODS}
    key = known.get(plain(name.strip()))
    if key is None:
        close = get_close_matches(plain(name), known, 1)
        hint = f" Did you mean {known[close[0]]!r}?" if close else ""
        raise UsageError(
            f"there is no search method {name!r}.{hint} Known: {', '.join(METHODS)}. Methods that "
            "live inside training (automorph list methods) stand in a race, or are given to "
            "automorph compare as a --policy"
        )
    if bracket and not rest.endswith(")"):
        raise UsageError(f"cannot read {text!r}; expected a name and options, as {key}(a=1,b=2)")
    arguments, inside = read_options(text, rest[:-1])
    builder = METHODS[key].builder()
    bound = build_named(key, _reader(builder), arguments, {**inside, **options})  # type: ignore[arg-type]
    return SearchSpec(key, bound)  # type: ignore[arg-type]


def list_searches() -> dict[str, str]:
    """The searches, each with a line about it."""
    return {name: entry.about for name, entry in METHODS.items()}


def _reader(builder: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """A function with the builder's options that gives them back, checked, as a dictionary."""
    signature = inspect.signature(builder)
    options = list(signature.parameters.values())[1:]
    signature = signature.replace(
        parameters=[
            option.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=_kind(option))
            for option in options
        ]
    )

    def read(*arguments: Any, **given: Any) -> dict[str, Any]:
        return dict(signature.bind(*arguments, **given).arguments)

    read.__signature__ = signature  # type: ignore[attr-defined]
    return read


def _kind(option: inspect.Parameter) -> str:
    """The kind of value that an option takes, by its default; None goes by its annotation."""
    if isinstance(option.default, (str, int, float)):
        return type(option.default).__name__
    return str(option.annotation)
