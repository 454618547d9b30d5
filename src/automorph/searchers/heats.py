"""Heats: all searches run under one budget, and what they propose competes with other methods.

Earlier versions called this method ``race``, and their run folders keep it under that name.
First the searches propose policies, each for a share of the budget. Then their results compete
with policies and in-training methods that need no search, in heats of successive halving
(see `searchers.successive_halving`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from automorph.augmenters import as_treatment
from automorph.errors import UsageError
from automorph.experiments import (
    ExternalTask,
    Job,
    JobResult,
    Treatment,
    check_external,
    plain_treatment,
)
from automorph.policies import Policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.searchers.budget import ONLINE_COST
from automorph.searchers.builtin import METHODS, load_method
from automorph.searchers.child_training import TrainJob, trainings
from automorph.searchers.final_table import trivialaugment
from automorph.searchers.heats_entries import default_searches, default_treatments
from automorph.searchers.own_training import check_method
from automorph.searchers.successive_halving import Heat, heats
from automorph.training import AugmenterSpec, Units, as_augmenter, check_frozen

LAST = 3
"""Epochs at the end of a heat over which validation accuracies are averaged."""


@dataclass
class Search:
    """A proposing search and what it has cost."""

    name: str
    method: Searcher
    allowed: float
    asked: int = 0
    spent: float = 0.0
    units: Units = field(default_factory=Units)
    best: float = -math.inf
    over: bool = False
    """True if it asks for nothing more, or has used its budget."""


class Heats(Searcher):
    """Runs all methods under one budget of ``trials`` plain trainings.

    ``share`` of it goes to searches that propose policies; ``searches`` and ``arms`` are names,
    separated by semicolons, that replace the default ones.
    """

    def __init__(
        self, setting: SearchContext, *, searches: str = "", arms: str = "", share: float = 0.4
    ) -> None:
        if not 0 <= share < 1:
            raise UsageError(
                f"heats got share={share}; expected a fraction of at least 0 and below 1"
            )
        self.setting = setting
        self.epochs = setting.epochs
        self.left_out: list[str] = []
        self.resumable = not isinstance(setting.task, ExternalTask) or setting.task.resumable
        names = _split(searches) if searches else default_searches(setting.task)
        self.searches = self._searches(names, share * setting.trials)
        self.treatments: list[Treatment] = (
            [as_treatment(name) for name in _split(arms)]
            if arms
            else default_treatments(setting.space, setting.task)
        )
        for treatment in self.treatments:
            if isinstance(setting.task, ExternalTask):
                check_external(setting.task, treatment)
            else:
                check_frozen(setting.task, as_augmenter(treatment), treatment.name)
        self.names: list[str] = ["no search"] * len(self.treatments)
        self.spent = Units()
        self.heats: list[Heat] | None = None
        self.heat = 0
        self.left: list[int] = []
        """Indices of the treatments that are still in, best first."""
        self.scores: list[dict[str, Any]] = []
        self.asked: list[tuple[Any, int]] = []

    def ask(self) -> Sequence[Job]:
        """Return the jobs of all searches; then, heat by heat, those of all treatments left."""
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
            self._start_heats()
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
        """Pass the results to the searches; after a heat, cut the worse half."""
        for outcome in outcomes:
            self.spent += outcome.units
        if self.heats is None:
            self._report(outcomes)
        else:
            self._cut(outcomes)

    def result(self) -> Policy | AugmenterSpec:
        """Return the leading treatment; before any heat, the result of the best search."""
        if self.left:
            return self.treatments[self.left[0]]
        tried = [search for search in self.searches if math.isfinite(search.best)]
        if tried:
            return max(tried, key=lambda search: search.best).method.result()
        return trivialaugment(self.setting.space)

    def caveat(self) -> str:
        """Warn if the budget ended before any heat: nothing was compared."""
        if self.scores:
            return ""
        return (
            "The budget ran out before the first heat, so the policies that the searches "
            "proposed were not compared: increase the budget."
        )

    def share(self) -> float:
        """Return the share of the budget that is spent."""
        return trainings(self.spent, self.setting.task) / self.setting.trials

    def history(self) -> dict[str, Any]:
        """Return who proposed what, and the heats with their scores."""
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
        """Return the searches that the budget affords, in order, and divide the rest equally."""
        specs = [load_method(name) for name in names]
        for named in specs:
            check_method(named, self.setting.task)
        if any(named.key == "heats" for named in specs):
            raise UsageError(
                "got heats inside heats; expected other searches: remove it from searches="
            )
        left, taking = budget, []
        for named in specs:
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

    def _report(self, outcomes: Sequence[JobResult]) -> None:
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
            # Another generation of this cost must fit, with some slack.
            search.over = search.spent > 1.2 * search.allowed

    def _cost(self, outcome: JobResult) -> float:
        """Return the cost in plain trainings; those that version 0.1 timed are replayed so."""
        if self.setting.seconds_per_run:
            return outcome.seconds / self.setting.seconds_per_run
        return trainings(outcome.units, self.setting.task)

    def _start_heats(self) -> None:
        """Line up the treatments: results of searches first, as the last ones may not start."""
        results = [(s.method.result(), s.name) for s in self.searches if s.over]
        every = [*results, *zip(self.treatments, self.names, strict=True)]
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
        costs = [1.0 if _is_plain(one) else ONLINE_COST for one in self.treatments]
        self.heats = heats(self.epochs, costs, max(1.0, self.setting.trials - spent),
            restarts=not self.resumable,
        )  # fmt: skip
        self.left = list(range(len(self.treatments)))

    def _child(self, index: int, seed: int, heat: int) -> TrainJob:
        """Return the training of a treatment up to the end of a heat, continuing the one before."""
        assert self.heats is not None
        earlier = self.resumable and heat > 0 and seed < self.heats[heat - 1].seeds
        if earlier and self.heats[heat - 1].epochs == self.heats[heat].epochs:
            return self._child(index, seed, heat - 1)  # It is finished already.
        stop_epoch = self.heats[heat].epochs
        return TrainJob(
            policy=self.treatments[index],
            post_policy=self.setting.post_policy,
            seed=self.setting.seed + seed,
            # A whole training that starts anew is the one that a search may have asked for.
            stop_epoch=stop_epoch if self.resumable or stop_epoch < self.epochs else None,
            parent=self._child(index, seed, heat - 1) if earlier else None,
        )

    def _cut(self, outcomes: Sequence[JobResult]) -> None:
        assert self.heats is not None
        heat = self.heats[self.heat]
        by_index: dict[int, list[float]] = {}
        losses: dict[int, list[float]] = {}
        for (index, _), outcome in zip(self.asked, outcomes, strict=True):
            by_index.setdefault(index, []).append(_heat_score(outcome))
            losses.setdefault(index, []).append(_loss_of(outcome))
        means = {index: fmean(scores) for index, scores in by_index.items()}
        # Losses decide between equal scores of the user's own training, where it reports them.
        self.left = sorted(means, key=lambda index: (-means[index], fmean(losses[index])))
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
        treatment = self.treatments[index]
        nothing = isinstance(treatment, Policy) and not len(treatment.space)
        return "the post-policy alone" if nothing else treatment.name


def _is_plain(treatment: Treatment) -> bool:
    """Return whether a training costs what a plain one does."""
    return isinstance(treatment, Policy) or hasattr(treatment, "recipe_changes")


def _heat_score(outcome: JobResult) -> float:
    """Return the score of a treatment in a heat, averaged: single epochs are noisy."""
    curve = outcome.facts.get("curve") or [outcome.score]
    return fmean(curve[-LAST:]) if math.isfinite(outcome.score) else -math.inf


def _loss_of(outcome: JobResult) -> float:
    """Return the mean validation loss that the user's own training reported, else 0."""
    loss = outcome.facts.get("loss") if "metric" in outcome.facts else None
    return 0.0 if loss is None else float(loss)


def _split(text: str) -> list[str]:
    return [part.strip() for part in METHODS.split(text, ";") if part.strip()]
