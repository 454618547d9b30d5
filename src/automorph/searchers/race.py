"""The race: which method suits this task? All run under one budget; the slower ones are cut.

First the searches propose policies, each for a share of the budget. Then what they found and what
needs no search, online methods among it, meet in heats (see `searchers.successive_halving`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from automorph.augmenters import Adversarial, Uncertainty, as_treatment
from automorph.errors import UsageError
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, Uniform, load_policy
from automorph.searchers.base import Job, JobResult, SearchContext, Searcher
from automorph.searchers.budget import ONLINE_COST
from automorph.searchers.builtin import METHODS, load_method
from automorph.searchers.child_training import TrainJob, Treatment, plain_treatment, trainings
from automorph.searchers.final_table import trivialaugment
from automorph.searchers.successive_halving import Heat, heats
from automorph.text import find_wordnet
from automorph.training import AugmenterSpec, Units

SEARCHES = (
    "instant",
    "randaugment",
    "fast-autoaugment(folds=2)",
    "dada",
    "pba",
    "tanda",
    "autoaugment",
)
"""Those that propose, the most frugal first: a small budget leaves the last ones out."""
LAST = 3
"""Epochs at the end of a heat over which validation accuracies are averaged."""


@dataclass
class Search:
    """A search that proposes, and what it has cost."""

    name: str
    method: Searcher
    allowed: float
    asked: int = 0
    spent: float = 0.0
    units: Units = field(default_factory=Units)
    best: float = -math.inf
    over: bool = False
    """Whether it asks for nothing more, or may not."""


class Race(Searcher):
    """All methods under one budget of ``trials`` plain trainings.

    ``share`` of it is for searches that propose policies; ``searches`` and ``arms`` are names,
    separated by semicolons, in place of the usual ones.
    """

    def __init__(
        self, setting: SearchContext, *, searches: str = "", arms: str = "", share: float = 0.4
    ) -> None:
        if not 0 <= share < 1:
            raise UsageError(f"race got share={share}; expected a share from 0 to below 1")
        self.setting = setting
        self.epochs = setting.task.recipe.epochs
        self.left_out: list[str] = []
        names = _split(searches) if searches else list(SEARCHES)
        self.searches = self._searches(names, share * setting.trials)
        self.treatments: list[Treatment] = (
            [as_treatment(name) for name in _split(arms)]
            if arms
            else default_treatments(setting.space)
        )
        self.names: list[str] = ["no search"] * len(self.treatments)
        self.spent = Units()
        self.heats: list[Heat] | None = None
        self.heat = 0
        self.left: list[int] = []
        """Numbers of the arms that are still in, best first."""
        self.scores: list[dict[str, Any]] = []
        self.asked: list[tuple[Any, int]] = []

    def ask(self) -> Sequence[Job]:
        """The questions of all searches together; then, heat by heat, those of all arms left."""
        self.asked = []
        jobs: list[Job] = []
        for search in self.searches:
            own = [] if search.over else search.method.ask()
            search.over = search.over or not own
            self.asked += [(search, 0)] * len(own)
            jobs += own
        if jobs:
            return jobs
        if self.heats is None:
            self._line_up()
        assert self.heats is not None
        if self.heat == len(self.heats):
            return []
        heat = self.heats[self.heat]
        for index in self.left[: heat.treatments]:
            for seed in range(heat.seeds):
                self.asked.append((index, seed))
                jobs.append(self._child(index, seed, self.heat))
        return jobs

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Pass on what the searches asked for; cut the slower half of the arms."""
        for outcome in outcomes:
            self.spent += outcome.units
        if self.heats is None:
            self._told(outcomes)
        else:
            self._cut(outcomes)

    def result(self) -> Policy | AugmenterSpec:
        """The arm in front; before any heat what the search with the best score found, if any."""
        if self.left:
            return self.treatments[self.left[0]]
        tried = [search for search in self.searches if math.isfinite(search.best)]
        if tried:
            return max(tried, key=lambda search: search.best).method.result()
        return trivialaugment(self.setting.space)

    def caveat(self) -> str:
        """Before any heat nothing was compared."""
        if self.scores:
            return ""
        return (
            "The budget ended before any heat, so what the searches proposed was not compared: "
            "give it more time."
        )

    def share(self) -> float:
        """The share of the budget that is spent."""
        return trainings(self.spent, self.setting.task) / self.setting.trials

    def history(self) -> dict[str, Any]:
        """Who proposed what, and the heats with their scores."""
        return {
            "searches": [
                {
                    "name": search.name,
                    "trials": search.asked,
                    "trainings": trainings(search.units, self.setting.task),
                    "best": search.best if math.isfinite(search.best) else None,
                    "found": search.method.result().name if search.over else None,
                    **search.method.history(),
                }
                for search in self.searches
            ],
            "left_out": self.left_out,
            "heats": self.scores,
        }

    def _searches(self, names: Sequence[str], budget: float) -> list[Search]:
        """Those that can be paid for, in their order; what remains is shared out equally."""
        known = [load_method(name) for name in names]
        if any(named.key == "race" for named in known):
            raise UsageError("a race cannot stand in a race; expected other searches")
        left, taking = budget, []
        for named in known:
            if (price := named.entry.price(named.entry.min_trials, self.setting.task)) <= left:
                left -= price
                taking.append(named)
            else:
                self.left_out.append(named.name)
        searches = []
        for named in taking:
            entry = named.entry
            task = self.setting.task
            allowed = entry.price(entry.min_trials, task) + left / len(taking)
            trials = min(entry.trials(allowed, task), entry.max_trials)
            method = named.build(replace(self.setting, trials=trials))
            searches.append(Search(named.name, method, entry.price(trials, task)))
        return searches

    def _told(self, outcomes: Sequence[JobResult]) -> None:
        for search in self.searches:
            own = [
                outcome
                for outcome, (asker, _) in zip(outcomes, self.asked, strict=True)
                if asker is search
            ]
            if not own:
                continue
            search.method.tell(own)
            search.asked += len(own)
            search.spent += sum(self._cost(outcome) for outcome in own)
            search.units += sum((outcome.units for outcome in own), Units())
            search.best = max(search.best, *(outcome.score for outcome in own))
            # Another generation like this one must fit, give or take.
            search.over = search.spent > 1.2 * search.allowed

    def _cost(self, outcome: JobResult) -> float:
        """In plain trainings; by the clock where the budget is one of time."""
        if self.setting.seconds_per_run:
            return outcome.seconds / self.setting.seconds_per_run
        return trainings(outcome.units, self.setting.task)

    def _line_up(self) -> None:
        """Arms for the heats: what was found first, as the last ones may not start."""
        found = [(s.method.result(), s.name) for s in self.searches if s.over]
        every = [*found, *zip(self.treatments, self.names, strict=True)]
        single = {
            json.dumps(plain_treatment(one), sort_keys=True): (one, name)
            for one, name in every[::-1]
        }
        kept = list(single.values())[::-1]
        self.treatments, self.names = [one for one, _ in kept], [name for _, name in kept]
        if self.setting.seconds_per_run:
            spent = sum(search.spent for search in self.searches)
        else:
            spent = trainings(self.spent, self.setting.task)
        costs = [1.0 if isinstance(one, Policy) else ONLINE_COST for one in self.treatments]
        self.heats = heats(self.epochs, costs, max(1.0, self.setting.trials - spent))
        self.left = list(range(len(self.treatments)))

    def _child(self, index: int, seed: int, heat: int) -> TrainJob:
        """The training of an arm up to the end of a heat, going on from the one before."""
        assert self.heats is not None
        earlier = heat > 0 and seed < self.heats[heat - 1].seeds
        if earlier and self.heats[heat - 1].epochs == self.heats[heat].epochs:
            return self._child(index, seed, heat - 1)  # It was done.
        return TrainJob(
            policy=self.treatments[index],
            post_policy=self.setting.post_policy,
            seed=self.setting.seed + seed,
            stop_epoch=self.heats[heat].epochs,
            parent=self._child(index, seed, heat - 1) if earlier else None,
        )

    def _cut(self, outcomes: Sequence[JobResult]) -> None:
        assert self.heats is not None
        heat = self.heats[self.heat]
        by_index: dict[int, list[float]] = {}
        for (index, _), outcome in zip(self.asked, outcomes, strict=True):
            by_index.setdefault(index, []).append(_standing(outcome))
        means = {index: fmean(scores) for index, scores in by_index.items()}
        self.left = sorted(means, key=lambda index: -means[index])
        self.scores.append(
            {
                "epochs": heat.epochs,
                "seeds": heat.seeds,
                "arms": [
                    {
                        "name": self._called(index),
                        "by": self.names[index],
                        "score": means[index] if math.isfinite(means[index]) else None,
                    }
                    for index in self.left
                ],
            }
        )
        self.heat += 1

    def _called(self, index: int) -> str:
        known = self.treatments[index]
        nothing = isinstance(known, Policy) and not len(known.space)
        return "the tail alone" if nothing else known.name


def default_treatments(space: SearchSpace) -> list[Treatment]:
    """What needs no search: the tail alone, the random policies, methods inside training."""
    drawn = Uniform(operations=space, length=2, probability=0.5)
    return [
        load_policy("none"),
        *([load_policy("eda")] if space.domain == "text" and find_wordnet() else []),
        trivialaugment(space),
        Uniform(operations=space, length=1, low=1 / 6, high=1 / 6),
        Uniform(operations=space, length=2, low=0.3, high=0.3),
        drawn,
        RandomPolicy(operations=space),
        Uncertainty(draws=drawn, rule="adaptive"),
        Uncertainty(draws=drawn, rule="proportional"),
        Adversarial(operations=space, count=2),
    ]


def _standing(outcome: JobResult) -> float:
    """The score of an arm in a heat: single epochs at high learning rates jump about."""
    curve = outcome.facts.get("curve") or [outcome.score]
    return fmean(curve[-LAST:]) if math.isfinite(outcome.score) else -math.inf


def _split(text: str) -> list[str]:
    return [part.strip() for part in METHODS.split(text, ";") if part.strip()]
