"""Search methods by name, as users type them: ``fast-autoaugment(folds=5)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from automorph._moved import warn
from automorph.policies import load_space
from automorph.registry import Entry, Registry, plain

if TYPE_CHECKING:
    from automorph.experiments import ExternalTask
    from automorph.searchers.base import SearchContext, Searcher
    from automorph.training import Task

EXPLAINED = "explained"
"""The space that `automorph.explain` narrows."""


@dataclass(frozen=True)
class SearchEntry(Entry["Searcher"]):
    """A search method and what it costs.

    ``cost`` is the approximate cost of a trial in plain trainings, ``forward`` its further cost in
    forward passes, which does not depend on the length of a training, and ``fixed`` the trainings
    before the first trial; they turn a budget into a number of trials, with ``at_once``, how many
    jobs it proposes together (None: as many as there are workers). In a race, a method gets at
    least ``min_trials`` trials or does not start, and at most ``max_trials``. If it
    ``samples_with_optuna``, its proposals depend on the version of Optuna. A method that needs
    ``trainings_only`` can search with training code of the user's own. One that
    ``takes_unlabelled`` learns from examples without labels, too. One that ``moves_weights``
    changes policies while a network is trained, or follows its gradients, which frozen features do
    not have. ``usual_trials`` are those of a search with neither trials nor a budget of time.
    ``space`` and ``post_policy`` are the names of the defaults on images.
    """

    given: int = field(default=1, kw_only=True)
    cost: float = 1.0
    forward: int = 0
    fixed: float = 0.0
    at_once: int | None = None
    min_trials: int = 4
    max_trials: int = 24
    usual_trials: int = 40
    samples_with_optuna: bool = False
    trainings_only: bool = False
    takes_unlabelled: bool = False
    moves_weights: bool = False
    space: str = "randaugment"
    post_policy: str = "flip-crop"

    def trials(self, trainings: float, task: Task | ExternalTask) -> int:
        """Return how many trials this many plain trainings pay for; at least one."""
        return max(1, int((trainings - self.fixed) / self._each(task) + 1e-9))

    def price(self, trials: int, task: Task | ExternalTask) -> float:
        """Return the cost of this many trials, in plain trainings of the task."""
        return self.fixed + trials * self._each(task)

    def _each(self, task: Task | ExternalTask) -> float:
        # Deferred: looking up and completing names must not import torch.
        from automorph.searchers.child_training import trainings
        from automorph.training import Units

        return self.cost + trainings(Units(forward=self.forward), task)


METHODS = Registry(
    "search method",
    SearchEntry(
        "race",
        "automorph.searchers.race:Race",
        "A dozen different policies train a little, and the better ones go on; costs at most 8 "
        "trainings.",
        trainings_only=True,
        at_once=8,
        usual_trials=8,
        post_policy="none",
    ),
    SearchEntry(
        "heats",
        "automorph.searchers.heats:Heats",
        "All methods in competition under one budget; shows which method suits your data.",
        samples_with_optuna=True,
        trainings_only=True,
        at_once=8,
        takes_unlabelled=True,
    ),
    SearchEntry(
        "random",
        "automorph.searchers.random_search:RandomSearch",
        "Random search: draws policies from the space and keeps the best; the control for other "
        "methods.",
        trainings_only=True,
        at_once=8,
    ),
    SearchEntry(
        "randaugment",
        "automorph.searchers.randaugment:RandAugmentSearch",
        "RandAugment's two numbers (Cubuk et al. 2019), found by grid or Bayesian search.",
        samples_with_optuna=True,
        trainings_only=True,
        at_once=4,
    ),
    SearchEntry(
        "autoaugment",
        "automorph.searchers.autoaugment:AutoAugment",
        "AutoAugment (Cubuk et al. 2018): an LSTM controller rewarded by the accuracy of child "
        "models.",
        min_trials=10,
        max_trials=1000,
        trainings_only=True,
        at_once=4,
        space="autoaugment",
    ),
    SearchEntry(
        "fast-autoaugment",
        "automorph.searchers.fast_autoaugment:FastAutoAugment",
        "Fast AutoAugment (Lim et al. 2019): density matching on held-out data, no retraining.",
        cost=0.03,
        fixed=1.5,
        min_trials=40,
        max_trials=400,
        samples_with_optuna=True,
        at_once=5,
        space="fast-autoaugment",
    ),
    SearchEntry(
        "text-autoaugment",
        "automorph.searchers.text_autoaugment:TextAutoAugment",
        "Text AutoAugment (Ren et al. 2021): TPE over sub-policies, one training per trial.",
        samples_with_optuna=True,
        trainings_only=True,
        at_once=4,
    ),
    SearchEntry(
        "pba",
        "automorph.searchers.pba:PopulationBased",
        "Population based augmentation (Ho et al. 2019): a schedule of policies over the epochs.",
        trainings_only=True,
        moves_weights=True,
        space="pba",
    ),
    SearchEntry(
        "dada",
        "automorph.searchers.dada:Differentiable",
        "Gradient search (DADA, Li et al. 2020): learns a policy from gradients of the "
        "validation loss.",
        cost=1.7,
        min_trials=1,
        max_trials=4,
        at_once=4,
        moves_weights=True,
        space="fast-autoaugment",
    ),
    SearchEntry(
        "instant",
        "automorph.searchers.closed_form:Instant",
        "The instant policy: derived from closed-form diagnostics of the data, without training.",
        cost=0.01,
        min_trials=1,
        max_trials=1,
        at_once=1,
    ),
    SearchEntry(
        "tanda",
        "automorph.searchers.tanda:Tanda",
        "TANDA (Ratner et al. 2017): trains a generator of sequences against a discriminator; "
        "needs no labels.",
        # 500 steps: 64 examples there and back, 160 sequences of five at every prefix.
        forward=600_000,
        min_trials=1,
        max_trials=4,
        takes_unlabelled=True,
    ),
    example="randaugment(by=grid)",
    listing="methods",
    also=". To include in-training methods, pass them to heats with arms=, or to compare with "
    "--policy",
)


FORMER_RACE = {"searches", "arms", "share"}
"""Options of the method that earlier versions called race, and that is called heats now."""


@dataclass(frozen=True)
class SearchSpec:
    """A search method with its options read and checked; `build` makes it for a context.

    ``own`` builds a search that is not in the registry.
    """

    key: str
    options: dict[str, Any] = field(default_factory=dict)
    own: Callable[..., Searcher] | None = None
    former: str = ""
    """The name that a run of an earlier version knows it by."""

    @property
    def name(self) -> str:
        """The text that a user types for it."""
        inside = ",".join(f"{name}={value}" for name, value in self.options.items())
        key = self.former or self.key
        return f"{key}({inside})" if inside else key

    @property
    def entry(self) -> SearchEntry:
        """The search's registry entry."""
        return METHODS[self.key] if self.own is None else SearchEntry(self.key, self.own)

    def build(self, setting: SearchContext) -> Searcher:
        """Build the searcher, before its first `ask`."""
        return self.entry(setting, **self.options)


def load_method(text: str | SearchSpec | Callable[..., Searcher], **options: Any) -> SearchSpec:
    """Return the search that a text names; ``options`` override those in its brackets.

    A callable that builds a `Searcher` from a `SearchContext` (its class, for example) is accepted
    too. Raises `UsageError` for an unknown name or option.

    >>> load_method("Random").name
    'random'
    """
    if isinstance(text, SearchSpec):
        return text
    if not isinstance(text, str):
        return SearchSpec(f"{text.__module__}.{text.__qualname__}", options, text)
    call = METHODS.parse(text)
    if plain(call.name) == "race" and {*call.options, *options} & FORMER_RACE:
        warn("race(searches=, arms=, share=)", "heats(searches=, arms=, share=)", "search")
        entry, checked = METHODS.read(replace(call, name="heats"), **options)
        return SearchSpec(entry.name, checked, former="race")
    entry, checked = METHODS.read(call, **options)
    return SearchSpec(entry.name, checked)


def list_searches() -> dict[str, str]:
    """Return the search methods by name, each with one line of description."""
    return METHODS.about()


def check_space(name: str) -> None:
    """Raise unless it names a space, which may be in a file, or is to be explained."""
    first, _, rest = name.partition(":")
    if first != EXPLAINED:
        load_space(name)
    elif rest:
        load_space(rest)
