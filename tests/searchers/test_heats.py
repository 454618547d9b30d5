"""The race: heats fit the budget, better arms advance, controls are listed, time is kept."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from automorph.data import limited, load_data, split
from automorph.errors import UsageError
from automorph.operations import named_space
from automorph.policies import load_policy
from automorph.searchers import JobResult, SearchContext, TrainJob, load_method, search
from automorph.searchers.budget import read_budget
from automorph.searchers.builtin import METHODS
from automorph.searchers.successive_halving import heats
from automorph.training import Recipe, Units, make_task

torch.set_num_threads(1)
ARMS = "heats(searches=random,arms=none;trivialaugment;randaugment(n=1,m=5);uncertainty(c=2))"


@pytest.fixture(scope="module")
def task():
    digits = limited(split(load_data("digits")), 60)
    recipe = Recipe(epochs=4, batch_size=32, lr=0.05, precision="fp32")
    return make_task(digits, model="cnn:4", recipe=recipe)


@pytest.fixture
def setting(task):
    space, post_policy = named_space("randaugment"), load_policy("flip-crop")
    return SearchContext(task=task, space=space, post_policy=post_policy, trials=20)


def jobs_of(asked):
    return [(job.policy.name, job.stop_epoch, job.seed) for job in asked]


def test_the_better_half_goes_on_with_the_same_seeds(setting):
    setting = replace(setting, trials=10)
    race = load_method("heats(arms=none;trivialaugment;crop;flip,share=0)").build(setting)
    score = {"none": 0.5, "trivialaugment": 0.9, "crop": 0.8, "flip": 0.1}
    seen = []
    while asked := race.ask():
        seen.append(jobs_of(asked))
        plain = Units(48, 48)
        race.tell([JobResult(score[job.policy.name], plain) for job in asked])

    assert {name for name, _, _ in seen[0]} == set(score)
    assert {name for name, _, _ in seen[-1]} == {"trivialaugment", "crop"}
    for heat in seen:
        seeds = [{s for n, _, s in heat if n == name} for name, _, _ in heat]
        assert all(one == seeds[0] for one in seeds)
    assert race.result().name == "trivialaugment"


@given(st.integers(1, 60), st.integers(1, 20), st.floats(0.5, 200), st.floats(1, 3))
def test_heats_cost_no_more_than_they_may(epochs, arms, trainings, online):
    costs = [1.0] * arms + [online]
    plan = heats(epochs, costs, trainings)
    total, done, seeds = 0.0, 0, 0
    for heat in plan:
        total += heat.treatments * heat.seeds * (heat.epochs - done) / epochs
        if heat.epochs == done:
            total += heat.treatments * (heat.seeds - seeds)
        done, seeds = heat.epochs, heat.seeds

    assert plan[-1].epochs == epochs
    assert [h.treatments for h in plan] == sorted((h.treatments for h in plan), reverse=True)
    # Two arms are always trained; apart from that, the plan for the starting arms fits.
    taking = costs[: plan[0].treatments]
    assert total * (sum(taking) / len(taking)) <= max(trainings, 2 * online) * 1.01 or total <= 2


def test_a_race_has_its_controls_in_the_table_and_keeps_its_budget(task):
    result = search(task, ARMS, trials=20, seeds=2, controls="all")

    assert set(result.parts) <= {
        "found", "none", "tail", "random", "randaugment", "trivialaugment", "longer",
    }  # fmt: skip
    assert {"found", "none", "random", "longer"} <= set(result.parts)
    assert result.cost <= 20 * 1.1
    assert result["longer"].units["forward"] == 4 * result["none"].units["forward"]
    assert "plain trainings" in result.verdict.text
    assert [one["epochs"] for one in result.history["heats"]][-1] == 4
    assert result.trace[-1]["trainings"] == pytest.approx(result.cost)


@pytest.mark.slow
def test_a_budget_of_time_is_kept(task):
    began = time.monotonic()
    result = search(task, ARMS, budget="40s", seeds=2)

    assert time.monotonic() - began < 44
    assert result.plan.trainings > 10


def test_a_budget_that_is_too_short_is_refused_before_anything_is_kept(task, tmp_path):
    with pytest.raises(UsageError, match="needs about"):
        search(task, ARMS, budget="0.5s", folder=tmp_path)
    assert not (tmp_path / "trials.journal").exists()


@pytest.mark.parametrize("text", ["soon", "", "10", "-5m", "0s", "5m later", 0, float("nan")])
def test_bad_budgets(text):
    with pytest.raises(UsageError, match="budget"):
        read_budget(text)


def test_a_child_goes_on_where_its_parent_stopped_also_without_its_files(task, tmp_path):
    policy = load_policy("trivialaugment")
    whole = TrainJob(policy=policy, seed=1).run(task, tmp_path)
    first = TrainJob(policy=policy, seed=1, stop_epoch=2)
    rest = TrainJob(policy=policy, seed=1, stop_epoch=4, parent=first)
    half, end = first.run(task, tmp_path / "a"), rest.run(task, tmp_path / "a")
    elsewhere = rest.run(task, tmp_path / "b")

    assert end.score == elsewhere.score == whole.score
    assert half.units + end.units == whole.units == half.units + elsewhere.units


@pytest.mark.parametrize("name", METHODS)
def test_every_search_is_built_by_its_name(name, setting):
    asked = load_method(name).build(setting).ask()

    assert bool(asked) == (name != "instant")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raec", "race"),
        ("heats(share=2)", "share"),
        ("race(speed=1)", "speed"),
        ("random(", "read"),
    ],
)
def test_bad_methods(text, words, setting):
    with pytest.raises(UsageError, match=words):
        load_method(text).build(setting)


def test_a_race_without_a_heat_says_so_and_takes_the_best_score(setting):
    race = load_method("heats(searches=randaugment;random)").build(setting)
    assert "before the first heat" in race.caveat()
    race.searches[0].best, race.searches[1].best = 0.4, 0.6
    assert race.result() == race.searches[1].method.result()
    race.scores.append({})
    assert race.caveat() == ""


def test_tanda_is_dear_beside_short_trainings(setting):
    entry = load_method("tanda").entry
    short, long = (setting.task.with_recipe(epochs=n) for n in (1, 400))
    assert entry.price(1, short) > 100 * entry.price(1, long) / 2
    assert entry.trials(entry.price(3, long), long) == 3
