"""Population based augmentation: explore, exploit, and the resulting schedule."""

from __future__ import annotations

import numpy as np
import pytest
from bandit import SPACE, conduct, setting
from small_task import small_task

from automorph.experiments import JobResult
from automorph.operations import Stream
from automorph.policies import Schedule, load_policy
from automorph.searchers.child_training import TrainJob, with_post_policy
from automorph.searchers.pba import PopulationBased, explore
from automorph.training import train


def population(members=8, epochs=6, **options) -> PopulationBased:
    return PopulationBased(setting(small_task(epochs), members), every=2, **options)


def test_exploring_moves_numbers_as_published():
    """P(unchanged) = 0.2 / R + 0.8 / 4 inside the range, and steps of 1 to 3 are equally likely."""
    table = np.tile([[5, 4]], (40_000, 1))
    uniform = Stream(index=np.arange(40_000)).uniform("test", 8).reshape(-1, 2, 4)
    moved = explore(table, uniform)
    assert moved.min() >= 0
    assert (moved.max(axis=0) == [10, 9]).all()
    for column, size in ((0, 11), (1, 10)):
        steps = moved[:, column] - table[0, column]
        assert (steps == 0).mean() == pytest.approx(0.2 / size + 0.2, abs=0.01)
        for step in (-3, -2, -1, 1, 2, 3):
            assert (steps == step).mean() == pytest.approx(0.2 / size + 0.1, abs=0.01)


def test_exploring_stays_in_range_at_the_ends():
    for value in ([0, 0], [10, 9]):
        uniform = Stream(index=np.arange(500)).uniform("test", 8).reshape(-1, 2, 4)
        moved = explore(np.tile([value], (500, 1)), uniform)
        assert (moved >= 0).all()
        assert (moved <= [10, 9]).all()


def test_the_worst_quarter_goes_on_from_the_best():
    search = population()
    first = search.ask()
    assert [job.stop_epoch for job in first] == [2] * 8
    assert [job.seed for job in first] == list(range(8))
    search.tell([JobResult(score) for score in (0.5, 0.9, 0.1, 0.6, 0.8, 0.2, 0.55, 0.7)])
    second = search.ask()
    for member, job in enumerate(second):
        kept = member not in (2, 5)
        assert job.seed == member
        assert job.stop_epoch == 4
        assert (job.parent == first[member]) == kept
        assert (job.policy == first[member].policy) == kept
    assert {second[2].parent, second[5].parent} <= {first[1], first[4]}


def test_members_that_failed_are_replaced_whatever_their_number():
    search = population()
    first = search.ask()
    search.tell([JobResult(0.3)] + [JobResult(float("-inf"))] * 7)
    assert all(job.parent == first[0] for job in search.ask())
    search.tell([JobResult(float("-inf"))] * 8)
    assert search.ask() == []
    assert search.result().name == "none"


def test_the_schedule_is_the_line_of_the_best():
    search = population(members=4)
    told = [[0.1, 0.2, 0.3, 0.4], [0.9, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.95]]
    policies, sources = [], []
    for scores in told:
        jobs = search.ask()
        policies.append([job.policy for job in jobs])
        sources.append([None if j.parent is None else j.parent.seed for j in jobs])
        search.tell([JobResult(score) for score in scores])
    member, line = 3, []
    for generation in (2, 1, 0):
        line.append(policies[generation][member])
        member = sources[generation][member]
    found = search.result()
    assert isinstance(found, Schedule)
    assert [found.at(2 * g) for g in range(3)] == line[::-1]
    assert found.epochs == 6


def test_a_result_in_the_middle_of_a_generation_holds_only_what_was_scored():
    search = population()
    assert search.ask()
    assert search.result().name == "none"
    search.tell([JobResult(0.5)] * 8)
    search.ask()
    assert search.result().epochs == 2


def test_a_member_is_one_training_under_the_schedule_that_is_found(tmp_path):
    """Training piece by piece from checkpoints gives the result of one uninterrupted training."""
    task = small_task(epochs=3)
    search = PopulationBased(setting(task, 1, seed=4), every=1, copies=1)
    for generation in range(3):
        search.tables[0] = np.array([[10 * generation // 2, 5]] * len(SPACE))
        jobs = search.ask()
        outcomes = [job.run(task, tmp_path) for job in jobs]
        assert not outcomes[0].error
        search.tell(outcomes)
    found = search.result()
    assert len(found.pieces) == 3
    whole = train(
        TrainJob(policy=found).task(task), with_post_policy(found, load_policy("none")), seed=4,
        parts=["validation"],
    )  # fmt: skip
    assert outcomes[0].score == whole.accuracy["validation"]
    assert outcomes[0].facts["loss"] == pytest.approx(whole.loss["validation"], abs=1e-6)
    assert outcomes[0].units.backward * 3 == whole.units.backward


def test_a_population_costs_as_many_trainings_as_it_has_members(tmp_path):
    task = small_task(epochs=2)
    search = PopulationBased(setting(task, 3))
    units = []
    while jobs := search.ask():
        outcomes = [job.run(task, tmp_path) for job in jobs]
        units += [outcome.units.backward for outcome in outcomes]
        search.tell(outcomes)
    assert sum(units) == 3 * 2 * len(task.data.train)
    assert search.share() == 1


def test_generations_are_as_many_as_published():
    lengths = []
    for epochs in (1, 10, 40, 200, 400):
        search = PopulationBased(setting(small_task(epochs), 1))
        lengths.append(search.every)
    assert lengths == [1, 1, 1, 3, 6]


def test_stories_end(tmp_path):
    task = small_task(epochs=5)
    search = PopulationBased(setting(task, 4), every=2)
    while jobs := search.ask():
        search.tell([JobResult(0.1 * number) for number, _ in enumerate(jobs)])
    assert search.epoch == 5
    assert conduct(search, task, tmp_path) == 0
