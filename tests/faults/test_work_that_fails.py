"""Failing trials and operations report the reason, and the others continue."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from failing_jobs import Job, hanging, raising, wrong_shape, wrong_type

from automorph.data import limited, load_data, split
from automorph.engine import user_functions
from automorph.errors import AutomorphError
from automorph.experiments import compare
from automorph.experiments.local_executors import Local, Processes
from automorph.operations import SearchSpace
from automorph.policies import Uniform
from automorph.training import Recipe, make_task

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def task():
    data = limited(split(load_data("digits"), seed=0), 40)
    recipe = Recipe(epochs=2, batch_size=32, lr=0.05, precision="fp32")
    return make_task(data, model="cnn:2", recipe=recipe)


def test_lost_workers_cost_the_job_that_kills_and_no_other(task, tmp_path):
    ways = ["well", "killed", "well", "killed once", "hungry", "nan", "well"]
    jobs = [Job(number, way) for number, way in enumerate(ways)]
    with Processes(task, tmp_path, jobs=2) as engine:
        found = dict(engine.run(jobs))

    assert [math.isfinite(found[number].score) for number in range(7)] == [
        True, False, True, True, False, False, True,
    ]  # fmt: skip
    assert "died 3 times" in found[1].error
    assert "memory" in found[4].error or "allocate" in found[4].error
    assert "loss is nan" in found[5].error


@pytest.mark.slow
def test_two_killers_in_a_row_end_the_search(task, tmp_path):
    jobs = [Job(0), Job(1, "killed"), Job(2, "killed"), Job(3)]
    with (
        Processes(task, tmp_path, jobs=1) as engine,
        pytest.raises(AutomorphError, match="worker processes keep dying"),
    ):
        dict(engine.run(jobs))


def test_memory_exhausted_in_one_trial_fails_that_trial(task, tmp_path):
    jobs = [Job(0), Job(1, "hungry"), Job(2)]
    found = dict(Local(task, tmp_path).run(jobs))

    assert [math.isfinite(found[number].score) for number in range(3)] == [True, False, True]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (raising, "raised KeyError: 'not there'; fix the function"),
        (hanging, "did not return"),
        (wrong_shape, r"returned uint8 \(7, 8, 1\); expected uint8 \(8, 8, 1\)"),
        (wrong_type, "returned float64"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_an_operation_that_goes_wrong_costs_its_own_row(
    operation, words, task, tmp_path, monkeypatch
):
    monkeypatch.setattr(user_functions, "PATIENCE", 0.5)
    wrong = Uniform(operations=SearchSpace("mine", (operation,)), length=1)
    result = compare(task, ["none", wrong, "flip"], seeds=1, folder=tmp_path)

    assert result["none"].accuracy is not None
    assert result["flip"].accuracy is not None
    assert result[wrong.name].accuracy is None
    assert words.replace("\\", "") in result[wrong.name].error
    mended = replace(operation, function=lambda image, value: image)
    again = compare(
        task,
        ["none", Uniform(operations=SearchSpace("mine", (mended,)), length=1), "flip"],
        seeds=1,
        folder=tmp_path,
    )
    assert again.trained == 1
    assert all(row.accuracy is not None for row in again.rows)


def test_a_loss_that_is_no_number_says_what_to_try(task, tmp_path):
    hot = replace(task, recipe=replace(task.recipe, lr=1e30))
    with pytest.raises(AutomorphError, match=r"diverged.*Try a rate of"):
        compare(hot, ["none"], seeds=1, folder=tmp_path)
