"""The kit for searchers accepts a small one, and catches searchers with one fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pytest
from kits import failing, states_three_parts

from automorph.operations import Stream
from automorph.policies import Mixture, Step, identity_form, load_policy
from automorph.searchers import JobResult, Searcher
from automorph.testing import check_searcher, searcher_checks


@dataclass(frozen=True)
class Guess:
    """A job that scores a policy without training."""

    policy: Any
    seed: int = 0

    def describe(self):
        return {"policy": identity_form(self.policy), "seed": self.seed}

    def run(self, task, folder):
        return JobResult(self.policy.subpolicies[0][0].magnitude)


class Climb(Searcher):
    """Each proposal is near the best so far: a good searcher, for others to break."""

    def __init__(self, context):
        self.context = context
        self.told = []

    def policy(self, magnitude):
        name = self.context.space.names[1]
        steps = (Step(name, 1.0, float(np.clip(magnitude, 0, 1))),)
        return Mixture(label="climb", operations=self.context.space, subpolicies=(steps,))

    @property
    def best(self):
        return max(self.told, default=0.5)

    def draw(self):
        stream = Stream(seed=self.context.seed, index=[len(self.told)])
        return stream.uniform("climb", 1).item()

    def ask(self):
        if len(self.told) >= self.context.trials:
            return []
        return [Guess(self.policy(max(self.best, 0) + self.draw() / 4))]

    def tell(self, outcomes):
        self.told += [outcome.score for outcome in outcomes]

    def result(self):
        return self.policy(self.best)


class Endless(Climb):
    def ask(self):
        return [Guess(self.policy(self.draw()))]


class EmptyHanded(Climb):
    def result(self):
        return self.policy(max(self.told))


class Nothing(Climb):
    def result(self):
        return None


class Unsaved(Climb):
    def result(self):
        class Own(Mixture):
            pass

        found = super().result()
        return Own(label="own", operations=found.operations, subpolicies=found.subpolicies)


class GlobalDraws(Climb):
    def draw(self):
        return np.random.random()


class SharedState(Climb):
    made = count()

    def draw(self):
        return next(self.made) / 100


class OtherResult(Climb):
    def result(self):
        return self.policy(np.random.random())


class NeedsFacts(Climb):
    def tell(self, outcomes):
        assert all(outcome.facts is not None and outcome.score > -1 for outcome in outcomes)
        super().tell(outcomes)


class TriesAgain(Climb):
    def tell(self, outcomes):
        self.told += [outcome.score for outcome in outcomes if np.isfinite(outcome.score)]


def proposing(job):
    """A climber that proposes other jobs."""

    class Proposing(Climb):
        def ask(self):
            return [job(one.policy) for one in super().ask()]

    Proposing.__qualname__ = job.__qualname__
    return Proposing


class WithArrays(Guess):
    def describe(self):
        return {"magnitude": np.array([self.policy.subpolicies[0][0].magnitude])}


class WithTuples(Guess):
    def describe(self):
        return {**super().describe(), "size": (1, 2)}


class Vague(Guess):
    def describe(self):
        return {"job": "guess"}


class Noisy(Guess):
    def run(self, task, folder):
        return JobResult(np.random.random())


@dataclass(frozen=True)
class Closed(Guess):
    key: Any = field(default_factory=lambda: lambda: 0)


class Failing(Guess):
    def run(self, task, folder):
        return JobResult(float("-inf"), error="the loss is not a number")


class Falling(Climb):
    def share(self):
        return 1 - len(self.told) / 10


class Silent(Climb):
    def caveat(self):
        return None


class Infinite(Climb):
    def history(self):
        return {"best": float("-inf")}


BROKEN = {
    "it_ends": (Endless,),
    "its_jobs_succeed": (proposing(Failing),),
    "its_result_is_valid_at_any_time": (EmptyHanded, Nothing, Unsaved),
    "replay_repeats_it": (GlobalDraws, SharedState, OtherResult),
    "failed_jobs_are_survived": (NeedsFacts, TriesAgain),
    "jobs_are_plain_data": (proposing(WithArrays), proposing(WithTuples), proposing(Closed)),
    "equal_descriptions_mean_equal_jobs": (proposing(Vague), proposing(Noisy)),
    "its_progress_is_plain_data": (Falling, Silent, Infinite),
}
CASES = [
    pytest.param(name, subject, id=f"{name}-{subject.__qualname__}")
    for name, subjects in BROKEN.items()
    for subject in subjects
]


def test_a_good_searcher_passes():
    check_searcher(Climb)


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in searcher_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    found = failing(searcher_checks(), subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]


def test_jobs_are_run_once_for_all_checks():
    runs = []

    class Counted(Guess):
        def run(self, task, folder):
            runs.append(self.describe())
            assert "test" not in task.data.parts
            return super().run(task, folder)

    build = proposing(Counted)
    skip = ("jobs_are_plain_data", "failed_jobs_are_survived", "equal_descriptions_mean_equal_jobs")
    check_searcher(build, skip=skip)
    assert len(runs) == 3


def test_a_first_guess_may_be_a_policy_by_name():
    class Guessing(Climb):
        def result(self):
            return load_policy("trivialaugment") if not self.told else super().result()

    check_searcher(Guessing)
