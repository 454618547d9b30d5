"""The race: a portfolio of policies trains a little, the better ones go on, the last are checked.

Successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and
hyperparameter optimization", AISTATS 2016) on a few candidates (`searchers.portfolio`), whose
trainings share their seeds and validation examples (`searchers.race_evidence`). At half of a
training and at its end, the candidates left are trained on a second split too, because the last
decision is what most of the loss comes from (`searchers.race_plan`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from automorph.experiments import ExternalTask, Job, JobResult
from automorph.policies import Policy
from automorph.searchers.base import SearchContext, Searcher, Standing
from automorph.searchers.budget import ONLINE_COST
from automorph.searchers.builtin import METHODS
from automorph.searchers.child_training import TrainJob, trainings
from automorph.searchers.portfolio import MILD, named_candidates, portfolio_of
from automorph.searchers.prior import Gain, load_prior
from automorph.searchers.race_evidence import (
    Measured,
    Place,
    difference,
    is_saturated,
    measured_of,
    places_of,
    training_noise,
)
from automorph.searchers.race_plan import DECIDING, plan_race
from automorph.training import AugmenterSpec, Units

NONE = "none"
BEHIND = 2.0
"""Finalists so many standard errors behind the leader after half of a training do not go on."""
LEAST, SURE = 1.0, 2.0
"""A policy must be ``LEAST`` standard errors better than no augmentation to be chosen, and ``SURE``
to be chosen without a warning, or by a saturated validation part. The higher bound alone would give
small gains away. A saturated part has none to give, and other data may be harder than it is."""
MOST_HELD_OUT = 0.4

Key = tuple[int, int, int]
"""A training: candidate, split, and the epoch up to which it goes."""


class Race(Searcher):
    """Races a portfolio of policies at the cost of ``trials`` plain trainings, 8 by default.

    ``candidates`` are names, separated by semicolons, that replace the portfolio.
    """

    def __init__(self, setting: SearchContext, *, candidates: str = "") -> None:
        self.setting = setting
        task = setting.task
        names = [part.strip() for part in METHODS.split(candidates, ";") if part.strip()]
        portfolio = named_candidates(names, task) if names else portfolio_of(setting.space, task)
        self.treatments = portfolio.treatments
        self.own = isinstance(task, ExternalTask)
        self.resumable = not isinstance(task, ExternalTask) or task.resumable
        self.held_out = 0.0 if isinstance(task, ExternalTask) else _held_out(setting)
        costs = [1.0 if isinstance(one, Policy) else ONLINE_COST for one in self.treatments]
        mean = sum(costs) / len(costs)
        self.plan = plan_race(
            setting.epochs, len(self.treatments), setting.trials / mean,
            restarts=not self.resumable, held_out=self.held_out,
        )  # fmt: skip
        self.cost = self.plan.cost * mean
        count = self.plan.rungs[0].candidates
        self.left_out = [
            *portfolio.left_out,
            *(f"{one.name}: the budget does not pay for it" for one in self.treatments[count:]),
        ]
        self.left = list(range(count))
        """Candidates that are still in, the best first."""
        by_name = {one.name: number for number, one in enumerate(self.treatments)}
        self.none = by_name.get(NONE)
        self.prior = self._prior(by_name)
        self.known: dict[Key, JobResult] = {}
        self.asked: list[Key] = []
        self.rung = 0
        self.spent = Units()
        self.places: list[Place] = []
        self.gains: dict[int, tuple[float, float]] = {}
        """Gains over no augmentation with standard errors, where both were compared last."""
        self.least = LEAST
        self.heats: list[dict[str, Any]] = []
        self.warning = ""

    def ask(self) -> Sequence[Job]:
        """Return the trainings that the present rung lacks."""
        self.asked = self._missing()
        return [self._child(*key) for key in self.asked]

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Read the results of a rung; cut the candidates, until a rung lacks trainings."""
        for key, outcome in zip(self.asked, outcomes, strict=True):
            self.known[key] = outcome
            self.spent += outcome.units
        while not self.is_over and not self._missing():
            self._cut()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to decide."""
        return self.rung == len(self.plan.rungs)

    def result(self) -> Policy | AugmenterSpec:
        """Return the leader; no augmentation if the leader is not better beyond noise."""
        if not self.heats:
            fitting = [one for one in self.treatments if one.name == MILD]
            return fitting[0] if fitting else self.treatments[min(1, len(self.treatments) - 1)]
        leader = self.left[0]
        return self.treatments[leader if self.none is None or self._helps(leader) else self.none]

    def standing(self) -> list[Standing]:
        """Return the candidates of the last rung; gains in the mean Brier score of an example."""
        return [
            Standing(self.treatments[one.candidate], one.gain, one.error) for one in self.places
        ]

    def caveat(self) -> str:
        """Say that the validation part is saturated, or that nothing was better than nothing."""
        parts = [self.warning] if self.warning else []
        if self.heats and not self._helps(self.left[0], SURE):
            gain, error = self.gains[self.left[0]]
            chosen = "is" if self._helps(self.left[0]) else "is not"
            parts.append(
                f"On the validation part, {self.treatments[self.left[0]].name} is not better than "
                f"no augmentation beyond noise ({gain:+.3f} in the Brier score, standard error "
                f"{error:.3f}); it {chosen} chosen."
            )
        return " ".join(parts)

    def share(self) -> float:
        """Return the share of the race that is done; candidates may drop out before its end."""
        if self.is_over:
            return 1.0
        return min(1.0, trainings(self.spent, self.setting.task) / self.cost)

    def history(self) -> dict[str, Any]:
        """Return the rungs with their candidates, and what did not take part."""
        return {"searches": [], "left_out": self.left_out, "heats": self.heats}

    def _missing(self) -> list[Key]:
        if self.is_over:
            return []
        rung = self.plan.rungs[self.rung]
        return [
            key
            for candidate in self.left
            for split in range(rung.splits)
            if (key := (candidate, split, rung.epochs)) not in self.known
        ]

    def _child(self, candidate: int, split: int, epochs: int) -> TrainJob:
        """Return a training up to an epoch; it continues that of an earlier rung."""
        earlier = [
            rung.epochs for rung in self.plan.rungs if rung.epochs < epochs and split < rung.splits
        ]
        goes_on = self.resumable and earlier
        whole = epochs == self.setting.epochs
        other_split = split > 0 and not self.own
        return TrainJob(
            policy=self.treatments[candidate],
            post_policy=self.setting.post_policy,
            seed=self.setting.seed + split,
            # A whole training of the user's own that starts anew ends by itself.
            stop_epoch=None if whole and not self.resumable else epochs,
            parent=self._child(candidate, split, earlier[-1]) if goes_on else None,
            fold=self.setting.seed + split if other_split else None,
            held_out=self.held_out if other_split else TrainJob.held_out,
            row_scores=not self.own,
        )

    def _cut(self) -> None:
        """Compare the candidates of a rung, and keep those of the next one."""
        rung, decides = self.plan.rungs[self.rung], self.rung >= DECIDING
        outcomes = {
            one: [self.known[one, split, rung.epochs] for split in range(rung.splits)]
            for one in self.left
        }
        measured = measured_of(outcomes, scaled=decides)
        saturated = is_saturated(measured)
        if saturated and decides:
            measured = measured_of(outcomes, scaled=False)
        places = places_of(measured, self.none, self.prior if decides else None)
        self._record(rung.epochs, rung.splits, places, measured)
        self.rung += 1
        if not places:
            self.rung = len(self.plan.rungs)  # Every training failed.
            return
        self._warn(outcomes)
        # What a saturated part says last does not overturn what it said before.
        if not (saturated and self.rung > DECIDING + 1):
            self.places = places
            self._compare_with_none(measured)
            self.least = SURE if saturated and self.setting.rules > 1 else LEAST
            self.left = self._kept(places)
        if decides and saturated:
            self.warning = _saturated(measured)
        if decides and (saturated or len(self.left) == 1):
            self.rung = len(self.plan.rungs)

    def _warn(self, outcomes: dict[int, list[JobResult]]) -> None:
        """Note if all trainings of a split failed: the candidates are then compared on fewer."""
        for split in zip(*outcomes.values(), strict=True):
            if all(one.error for one in split):
                self.warning = (
                    "All trainings on one of the splits failed, so that candidates were compared "
                    f"on fewer: {split[0].error}"
                )

    def _kept(self, places: Sequence[Place]) -> list[int]:
        """Return who goes on, the best first; no augmentation does to half of a training."""
        order = [one.candidate for one in places]
        if self.is_over:
            return order
        most = self.plan.rungs[self.rung].candidates
        if self.rung > DECIDING:
            best = places[0].gain
            near = [one for one in places if not best - one.gain > BEHIND * one.error]
            return [one.candidate for one in near[:most]]
        kept = order[:most]
        if self.none in order and self.none not in kept:
            kept = [*kept[: most - 1], self.none]
        return kept

    def _compare_with_none(self, measured: dict[int, Measured]) -> None:
        if self.none is None or self.none not in measured or not measured[self.none].rows:
            return
        base, noise = measured[self.none], training_noise(measured)
        self.gains |= {number: difference(base, one, noise) for number, one in measured.items()}

    def _helps(self, candidate: int, errors: float | None = None) -> bool:
        """Whether a candidate is better than no augmentation by enough standard errors."""
        if candidate == self.none or candidate not in self.gains:
            return True
        gain, error = self.gains[candidate]
        return gain > (errors or self.least) * error

    def _record(
        self, epochs: int, splits: int, places: Sequence[Place], measured: dict[int, Measured]
    ) -> None:
        reference = self.none if self.none in measured else places[0].candidate if places else None
        self.heats.append(
            {
                "epochs": epochs,
                "seeds": splits,
                "against": None if reference is None else self.treatments[reference].name,
                "arms": [self._arm(one, measured[one.candidate]) for one in places],
            }
        )

    def _arm(self, place: Place, measured: Measured) -> dict[str, Any]:
        """Return a candidate of a rung as plain data, with its mean Brier score if it is known."""
        arm = {
            "name": self.treatments[place.candidate].name,
            "by": "portfolio",
            "score": measured.score,
        }
        if not measured.rows:
            return arm
        brier = float(np.concatenate(measured.rows).mean())
        return {**arm, "brier": brier, "gain": place.gain, "error": place.error}

    def _prior(self, by_name: dict[str, int]) -> dict[int, Gain]:
        task = self.setting.task
        if isinstance(task, ExternalTask):
            return {}
        gains = load_prior(task.data.domain, task.regime, without=self.setting.unseen)
        return {by_name[name]: gain for name, gain in gains.items() if name in by_name}


def _held_out(setting: SearchContext) -> float:
    """Return the share of the training part with as many examples as the validation part."""
    data = setting.data_task.data
    rows = 0 if data.validation is None else len(data.validation)
    return min(MOST_HELD_OUT, rows / len(data.train)) or MOST_HELD_OUT


def _saturated(measured: dict[int, Measured]) -> str:
    wrong = sorted(one.wrong for one in measured.values() if one.wrong is not None)[1]
    examples = next(iter(measured.values())).examples
    return (
        f"The validation part is saturated: two candidates have {wrong} or fewer of {examples} "
        "examples wrong, so it cannot tell good policies apart. Hold more examples back, or, if "
        "examples come in groups (speakers, patients, places), name the column with "
        "--keep-together."
    )
