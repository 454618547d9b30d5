"""The trials of a search, and how scores vary with the use of each operation."""

from __future__ import annotations

import numpy as np
import pytest
from small_task import small_task

from automorph.experiments import JobResult
from automorph.operations import named_space
from automorph.policies import Mixture, Step, SubPolicy, Uniform, load_policy, usage
from automorph.searchers import search
from automorph.searchers.child_training import TrainJob
from automorph.searchers.trial_analysis import FEW, Tried

SPACE = named_space("randaugment")


def only(*operations: str) -> Mixture:
    """A policy whose sub-policies have one operation each."""
    steps = tuple(SubPolicy((Step(name, 1.0, 0.5),)) for name in operations)
    return Mixture(label=" ".join(operations), operations=SPACE, subpolicies=steps)


def trials(policies, score) -> Tried:
    jobs = [TrainJob(policy=policy) for policy in policies]
    return Tried(jobs, [JobResult(score(job.policy)) for job in jobs])


def test_an_operation_that_helps_is_told_first():
    policies = [only("Rotate", "Color"), only("Solarize", "Color")] * FEW
    noise = iter(np.random.default_rng(0).normal(0, 0.002, len(policies)))
    found = trials(policies, lambda p: 0.5 + 0.1 * ("Rotate" in p.name) + next(noise)).effects()
    assert [one.operation for one in found] == ["Rotate", "Solarize"], "Color is in all alike"
    assert found[0].mean == pytest.approx(0.1, abs=0.005)
    assert found[0].low < 0.1 < found[0].high
    assert found[1].mean == pytest.approx(-found[0].mean)
    assert {one.trials for one in found} == {2 * FEW}


def test_scores_of_other_lengths_are_left_out():
    jobs = [TrainJob(policy=only("Rotate", "Color"), epochs=9, seed=n) for n in range(FEW)]
    jobs += [TrainJob(policy=only("Solarize"), epochs=1, seed=n) for n in range(FEW - 1)]
    found = Tried(jobs, [JobResult(0.9 if job.epochs == 9 else 0.1) for job in jobs])
    assert found.effects() == ()


def test_few_trials_tell_nothing():
    few = trials([only("Rotate"), only("Solarize")], lambda p: 0.5)
    assert few.course() is None
    assert few.effects() == ()


def test_the_course_is_the_mean_of_the_last_policies():
    policies = [only("Rotate")] * 8 + [only("Solarize")] * 8
    course = trials(policies, lambda p: 0.5).course()
    assert (course.across, course.over, course.places[-1]) == ("trial", 2, 16)
    rotate = [1.0] * 8 + [0.5] + [0.0] * 7
    assert course.operations["Rotate"] == pytest.approx(rotate)
    assert course.operations["Solarize"] == pytest.approx([1 - one for one in rotate])


def test_operations_held_at_values_count_as_one():
    rotate = SPACE["Rotate"]
    held = SPACE.with_operations(rotate.at(3), rotate.at(9))
    policy = Uniform(operations=held, length=1, low=1.0)
    course = trials([policy] * FEW, lambda p: 0.5).course()
    wanted = sum(one.share for one in usage(policy) if one.operation.startswith("Rotate"))
    assert course.operations["Rotate"][-1] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("method", "across"),
    [("random(count=2)", "trial"), ("dada(epochs=3)", "epoch"), ("tanda(steps=30)", "step")],
)
def test_a_search_tells_its_course(method, across):
    task = small_task()
    data = task.data.replace(test=task.data.validation)
    task = type(task)(**{**vars(task), "data": data})
    number = FEW if across == "trial" else 1
    found = search(task, method, trials=number, seeds=1, post_policy=load_policy("none"))
    assert found.course.across == across
    for shares in found.course.operations.values():
        assert len(shares) == len(found.course.places) > 1
        assert all(0 <= share <= 1 for share in shares)
    assert found.predictions[found.policy.name].shape == (1, len(data.test))
