"""A time budget becomes counts that are stored at once; no clock decides anything after that."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from small_task import small_task

from automorph.errors import UsageError
from automorph.experiments import FinishedJob
from automorph.policies import policy_to_dict
from automorph.searchers import budget as budgets
from automorph.searchers import load_method, planning, search
from automorph.searchers.budget import Plan, plan_by_time
from automorph.searchers.study_log import StudyLog

RACE = "heats(searches=random;randaugment,arms=none;trivialaugment;uncertainty(c=2))"
BUDGET = {"random": "60s", "randaugment(by=tpe)": "60s", RACE: "80s"}


@pytest.fixture
def machine(monkeypatch):
    """Let a measured training take ``pace`` seconds, and clocks run at ``speed``."""
    monotonic, counter = time.monotonic, time.perf_counter

    def set_(pace: float, speed: float) -> None:
        monkeypatch.setattr(planning, "_seconds_per_run", lambda *arguments: pace)
        monkeypatch.setattr(time, "monotonic", lambda: speed * monotonic())
        monkeypatch.setattr(time, "perf_counter", lambda: speed * counter())

    return set_


def result_of(found):
    """What a search decides, without the times."""
    rows = [replace(row, seconds=None) for row in found.rows]
    history = json.dumps(found.history, sort_keys=True)
    return policy_to_dict(found.policy), rows, found.parts, found.units, history


def counts_of(plan):
    return replace(plan, trainings=None)  # Measured to the microsecond.


def jobs_in(folder):
    _, records = StudyLog("search", folder=folder).read()
    return [FinishedJob.read(record).key for record in records]


@pytest.mark.parametrize("method", BUDGET)
def test_a_budget_of_time_is_repeated_exactly_at_any_speed(method, machine, tmp_path):
    task, options = small_task(), {"method": method, "seeds": 2, "controls": "all"}
    machine(pace=2.0, speed=1.0)
    first = search(task, budget=BUDGET[method], folder=tmp_path / "first", **options)
    plan = counts_of(first.plan)
    assert plan.trials is not None
    assert not first.stopped

    # Interrupted, and resumed on a machine that is a thousand times as slow.
    def until_a_trial(progress):
        kept = json.loads((tmp_path / "second" / "run.json").read_text())
        assert counts_of(Plan.from_dict(kept["search"]["plan"])) == plan
        if progress.last is not None:
            raise KeyboardInterrupt

    machine(pace=2.0, speed=1.0)
    with pytest.raises(KeyboardInterrupt):
        search(
            task, budget=BUDGET[method], folder=tmp_path / "second", progress=until_a_trial,
            **options,
        )  # fmt: skip
    assert 0 < len(jobs_in(tmp_path / "second")) < len(jobs_in(tmp_path / "first"))
    machine(pace=300.0, speed=1000.0)
    second = search(task, budget=BUDGET[method], folder=tmp_path / "second", **options)
    assert counts_of(second.plan) == plan
    assert result_of(second) == result_of(first)
    assert jobs_in(tmp_path / "second") == jobs_in(tmp_path / "first")

    # The recorded numbers, typed on a third machine.
    machine(pace=0.1, speed=0.01)
    options |= {"seeds": plan.seeds, "epoch_multiplier": first.epoch_multiplier}
    third = search(task, trials=plan.trials, folder=tmp_path / "third", **options)
    assert result_of(third) == result_of(first)
    assert jobs_in(tmp_path / "third") == jobs_in(tmp_path / "first")


def test_passes_of_a_plan_are_those_of_its_trials(machine):
    machine(pace=2.0, speed=1.0)
    task = small_task()
    found = search(task, "random", budget="60s", seeds=2)
    plain = len(task.data.train) * task.recipe.epochs
    assert found.plan.passes == found.plan.trials * plain == found.units.passes
    assert found.cost == found.plan.trials


def test_a_search_is_not_written_to_again_by_a_call_without_a_folder(machine, tmp_path):
    machine(pace=2.0, speed=1.0)
    search(small_task(), "random", trials=1, seeds=1, folder=tmp_path)
    kept = json.loads((tmp_path / "run.json").read_text())
    assert kept["search"]["plan"]["trials"] is None
    (tmp_path / "run.json").unlink()
    search(small_task(), "random", trials=1, seeds=1, folder=tmp_path)
    assert not (tmp_path / "run.json").exists()


def test_plans_share_the_time():
    plan = plan_by_time(1200, seconds_per_run=28, jobs=2, clock=20, seeds=5)
    assert (plan.seeds, plan.epoch_multiplier) == (5, 2)
    assert plan.trainings > 10
    final = budgets.final_trainings(5, 2)
    assert 20 + (plan.trainings + final) * 28 / 2 == pytest.approx(0.9 * 1200)


def test_plans_know_how_many_jobs_a_search_proposes_together():
    options = {"seconds_per_run": 30.0, "jobs": 32, "clock": 0.0, "seeds": 5}
    wide, narrow = (plan_by_time(1200, **options, at_once=n) for n in (None, 4))
    assert wide.trainings == pytest.approx(8 * narrow.trainings)
    # The longest training of the table bounds its time.
    spent = max(budgets.final_trainings(5, 4) / 32, 4) * 30
    assert narrow.trainings == pytest.approx((1080 - spent) * 4 / 30)


def test_the_length_of_the_control_may_be_fixed(machine):
    plan = plan_by_time(1200, seconds_per_run=10, jobs=2, clock=0, seeds=5, epoch_multiplier=2)
    assert plan.epoch_multiplier == 2
    machine(pace=2.0, speed=1.0)
    found = search(small_task(), "random", trials=3, seeds=1, epoch_multiplier=2)
    assert found["longer"].units["forward"] == 2 * found["none"].units["forward"]
    with pytest.raises(UsageError, match="epoch_multiplier=1; expected 2 or more"):
        search(small_task(), "random", trials=3, epoch_multiplier=1)


def test_plans_of_version_1_are_read():
    stored = {
        "trainings": 12.5, "seeds": 3, "longer": 2, "pace": 1.5,
        "search_until": 20.0, "until": 50.0,
    }  # fmt: skip
    plan = Plan.from_dict(stored)
    assert (plan.trainings, plan.seeds, plan.epoch_multiplier, plan.trials) == (12.5, 3, 2, None)
    assert Plan.from_dict(plan.to_dict()) == plan


def test_a_race_that_version_1_timed_is_replayed_by_its_times(tmp_path, machine):
    """Its decisions depend on seconds; the stored ones bring it to the same state."""
    machine(pace=2.0, speed=1.0)
    race = load_method(RACE)
    from automorph.operations import named_space
    from automorph.policies import load_policy
    from automorph.searchers import JobResult, SearchContext
    from automorph.training import Units

    setting = SearchContext(
        task=small_task(), space=named_space("randaugment"), post_policy=load_policy("none"),
        trials=20, seconds_per_run=2.0,
    )  # fmt: skip
    timed, counted = race.build(setting), race.build(replace(setting, seconds_per_run=None))
    for one in (timed, counted):
        jobs = one.ask()
        one.tell([JobResult(0.5, Units(120, 120), seconds=20.0) for _ in jobs])
    assert all(search.over for search in timed.searches)
    assert not any(search.over for search in counted.searches)
