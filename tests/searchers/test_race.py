"""The race: its cost, whom it keeps, what it cannot tell, and that it is a function of outcomes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_task import small_task

from automorph.data import Dataset, Split, limited, load_data, split
from automorph.errors import UsageError
from automorph.experiments import external_task
from automorph.operations import named_space
from automorph.policies import load_policy
from automorph.searchers import JobResult, SearchContext, TrainJob, load_method, search
from automorph.searchers.portfolio import portfolio_of
from automorph.searchers.race_plan import CONTENDERS, plan_race
from automorph.searchers.row_scores import row_facts, rows_of
from automorph.training import Recipe, Units, as_task, make_task, packed_floats, train

torch.set_num_threads(1)
SPACE = named_space("randaugment")
RECIPE = Recipe(
    epochs=8, batch_size=16, lr=0.05, precision="fp32", schedule="stable", cooldown=0.25
)


@pytest.fixture(scope="module")
def task():
    digits = limited(split(load_data("digits")), 80)
    few = {name: digits.parts[name].take(np.arange(100)) for name in ("validation", "test")}
    return make_task(digits.replace(**few), model="cnn:4", recipe=RECIPE)


@pytest.fixture
def setting(task):
    none = load_policy("none")
    return SearchContext(task=task, space=SPACE, post_policy=none, trials=8)


class Truth:
    """Outcomes without trainings: each candidate has a mean score, rows share their noise."""

    def __init__(self, task, gains, *, wrong=60, noise=0.02, usual=0.0):
        self.task, self.gains, self.wrong, self.noise, self.usual = task, gains, wrong, noise, usual
        self.failing = set()

    def __call__(self, job: TrainJob) -> JobResult:
        done = 0 if job.parent is None else job.parent.stop_epoch
        rows = len(self.task.data.train) * ((job.stop_epoch or 8) - done)
        units = Units(rows, rows)
        if (job.policy.name, job.seed) in self.failing:
            return JobResult(-math.inf, units, error="diverged")
        gain = self.gains.get(job.policy.name, self.usual)
        common = np.random.default_rng(job.seed).normal(0.8, 0.2, 200)
        own = np.random.default_rng([job.seed, *job.policy.name.encode()]).normal(
            0, self.noise, 200
        )
        scores = packed_floats((common + own - gain)[:, None].astype(np.float32))
        facts = {
            "brier": scores, "scaled": scores, "wrong": self.wrong, "examples": 200, "loss": 1.0,
        }  # fmt: skip
        return JobResult(0.5 + gain, units, facts=facts)


def raced(race, truth):
    """Run a race; return its rungs as (name, split, epoch)."""
    rungs, told = [], []
    while jobs := race.ask():
        rungs.append([(job.policy.name, job.seed, job.stop_epoch) for job in jobs])
        told.append([truth(job) for job in jobs])
        race.tell(told[-1])
    return rungs, told


@given(st.integers(1, 200), st.integers(1, 18), st.floats(2, 30), st.booleans(), st.floats(0, 0.4))
def test_a_plan_costs_no_more_than_it_may(epochs, candidates, trainings, restarts, held_out):
    plan = plan_race(epochs, candidates, trainings, restarts=restarts, held_out=held_out)
    done: dict[tuple[int, int], int] = {}
    cost = 0.0
    for rung in plan.rungs:
        for candidate in range(rung.candidates):
            for one in range(rung.splits):
                before = done.get((candidate, one), 0)
                if rung.epochs > before:
                    fresh = rung.epochs if restarts else rung.epochs - before
                    cost += fresh / epochs * (1 - held_out * (one > 0))
                done[candidate, one] = rung.epochs
    assert plan.cost == pytest.approx(cost)
    assert plan.rungs[-1].epochs == epochs
    counts = [rung.candidates for rung in plan.rungs]
    assert counts == sorted(counts, reverse=True)
    assert cost <= trainings + 1e-9 or plan.rungs[0].candidates <= 2
    if epochs >= 16 and trainings >= 8 and not restarts and held_out > 0.15:
        assert plan.rungs[0].candidates == candidates
        assert plan.rungs[-1].splits >= 2


def test_the_best_is_found_at_the_cost_of_eight_trainings(setting):
    race = load_method("race").build(setting)
    rungs, _ = raced(race, Truth(setting.task, {"crop": 0.3, "flip-crop": 0.28}, noise=0.2))

    assert race.result().name == "crop"
    assert race.cost <= 8
    assert [{epoch for _, _, epoch in rung} for rung in rungs] == [{1}, {2}, {4}, {8}]
    # No augmentation goes on to half of a training; seeds and splits are shared.
    assert "none" in {name for name, _, _ in rungs[2]}
    assert len({name for name, _, _ in rungs[2]}) == CONTENDERS
    assert {seed for _, seed, _ in rungs[2]} == {0, 1}
    first, second = race.standing()[:2]
    assert (first.treatment.name, first.error) == ("crop", 0.0)
    assert second.error > 0
    assert race.caveat() == ""
    assert race.share() == 1


def test_the_second_split_holds_other_examples_back(setting):
    race = load_method("race").build(setting)
    truth = Truth(setting.task, {"crop": 0.3})
    for _ in range(2):
        race.tell([truth(job) for job in race.ask()])
    folds = {job.seed: job.fold for job in race.ask()}
    assert folds == {0: None, 1: 1}


def test_a_leader_that_is_alone_after_half_a_training_is_taken(setting):
    race = load_method("race").build(setting)
    rungs, _ = raced(race, Truth(setting.task, {"crop": 0.5}))
    assert len(rungs) == 3
    assert race.result().name == "crop"


def test_without_a_gain_beyond_noise_nothing_is_chosen_and_said(setting):
    for gain in (-0.05, 0.0):
        race = load_method("race").build(setting)
        raced(race, Truth(setting.task, {"none": 0}, usual=gain, noise=0.3))
        assert race.result().name == "none" or "beyond noise" in race.caveat()
    race = load_method("race").build(setting)
    raced(race, Truth(setting.task, {"none": 0}, usual=-0.1, noise=0.3))
    assert race.result().name == "none"


def test_a_saturated_validation_part_is_said_and_does_not_overturn(setting):
    race = load_method("race").build(setting)
    raced(race, Truth(setting.task, {"crop": 0.3}, wrong=4))
    assert "saturated" in race.caveat()
    assert race.history()["heats"][-1]["epochs"] == 4, "longer training saturates it more"

    race = load_method("race").build(setting)
    before = Truth(setting.task, {"crop": 0.3, "flip-crop": 0.3}, noise=0.2)
    for _ in range(3):
        race.tell([before(job) for job in race.ask()])
    leader, other = (race.treatments[index].name for index in race.left)
    after = Truth(setting.task, {leader: 0.2, other: 0.4}, wrong=3)
    race.tell([after(job) for job in race.ask()])
    assert race.result().name == leader
    assert "saturated" in race.caveat()


@pytest.mark.parametrize(
    ("wrong", "rules", "chosen"), [(60, 2, "crop"), (4, 2, "none"), (4, 1, "crop")]
)
def test_a_saturated_validation_part_must_be_surer(setting, wrong, rules, chosen):
    race = load_method("race").build(replace(setting, rules=rules))
    raced(
        race, Truth(setting.task, {"crop": 0.04, "none": 0.0}, usual=-0.1, wrong=wrong, noise=0.2)
    )
    gain, error = race.gains[race.left[0]]
    assert 1 < gain / error < 2
    assert race.result().name == chosen
    assert "beyond noise" in race.caveat()


def test_a_race_keeps_the_rules_that_it_began_with(tmp_path):
    options = {"method": "race", "seeds": 1, "seed": 3, "engine": "local"}
    search(small_task(), folder=tmp_path, **options)
    journal = tmp_path / "trials.journal"
    noted = [line for line in journal.read_text().splitlines() if '"rules"' in line]
    assert len(noted) == 1

    # As an earlier version left it: without the note.
    kept = [line for line in journal.read_text().splitlines() if '"rules"' not in line]
    journal.write_text("\n".join(kept) + "\n")
    search(small_task(), folder=tmp_path, **options)
    assert '"rules"' not in journal.read_text()


def test_failed_trainings_are_out_and_failed_splits_do_not_count(setting):
    truth = Truth(setting.task, {"crop": 0.3, "flip-crop": 0.25}, noise=0.3)
    truth.failing = {("crop", 1)}
    race = load_method("race").build(setting)
    raced(race, truth)
    assert race.result().name == "flip-crop"

    names = {one.name for one in race.treatments}
    truth.failing = {(name, 1) for name in names}
    race = load_method("race").build(setting)
    raced(race, truth)
    assert race.result().name in ("crop", "flip-crop")
    assert "on one of the splits failed" in race.caveat()

    truth.failing = {(name, seed) for name in names for seed in (0, 1)}
    race = load_method("race").build(setting)
    rungs, _ = raced(race, truth)
    assert len(rungs) == 1
    assert race.standing() == []


def test_it_is_a_function_of_its_settings_and_outcomes(setting):
    race = load_method("race").build(setting)
    truth = Truth(setting.task, {"crop": 0.3, "flip-crop": 0.29}, noise=0.3)
    _, told = raced(race, truth)
    again = load_method("race").build(setting)
    for outcomes in told:
        asked = again.ask()
        assert [job.describe() for job in asked] == [job.describe() for job in again.ask()]
        again.tell(outcomes)
    assert not again.ask()
    assert again.history() == race.history()
    assert again.result() == race.result()


def test_a_search_costs_at_most_eight_trainings_on_any_number_of_workers(tmp_path):
    name, task = "race(candidates=none;crop;trivialaugment;flip)", small_task(epochs=4)
    alone = search(task, name, seeds=1, folder=tmp_path)
    passes = alone.units.backward / (len(task.data.train) * 4)

    assert alone.cost == pytest.approx(passes)
    assert alone.cost <= 8
    assert alone.history["heats"][0]["against"] == "none"
    again = search(task, name, seeds=1, folder=tmp_path)
    assert again.trained == 0
    assert again.history == alone.history
    together = search(task, name, seeds=1, engine="processes", jobs=2)
    assert together.history == alone.history
    assert together.found == alone.found


def sided(seed, n):
    """Bright on the left or on the right: a mirror turns one class into the other."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    images = rng.integers(0, 120, (n, 8, 8, 1), dtype=np.uint8)
    images[labels == 0, :, :3] += 70
    images[labels == 1, :, 5:] += 70
    return Split(images, labels.astype(np.int64))


def test_a_flip_that_turns_a_class_into_another_is_not_chosen(tmp_path):
    parts = {"train": sided(0, 160), "validation": sided(1, 100), "test": sided(2, 20)}
    data = Dataset("sides", ("left", "right"), **parts)
    task = make_task(data.without_test(), model="cnn:4", recipe=RECIPE)
    none = load_policy("none")
    setting = SearchContext(task=task, space=SPACE, post_policy=none, trials=8)
    race = load_method("race(candidates=flip-crop;flip;none;crop)").build(setting)
    raced(race, lambda job: job.run(task, tmp_path))
    assert "flip" not in race.result().name
    worst = race.history()["heats"][0]["arms"][-1]
    assert "flip" in worst["name"]


def test_shuffled_labels_need_no_augmentation(tmp_path):
    digits = limited(split(load_data("digits")), 120).without_test()
    rng = np.random.default_rng(0)
    parts = {
        name: replace(part, labels=rng.permutation(part.labels))
        for name, part in digits.parts.items()
    }
    task = make_task(digits.replace(**parts), model="cnn:4", recipe=RECIPE)
    none = load_policy("none")
    setting = SearchContext(task=task, space=SPACE, post_policy=none, trials=8)
    names = "none;crop;trivialaugment;crop + randaugment(n=3,m=15);flip-crop + mixup"
    race = load_method(f"race(candidates={names})").build(setting)
    raced(race, lambda job: job.run(task, tmp_path))
    assert race.result().name == "none" or "beyond noise" in race.caveat()


def test_scores_of_single_examples_are_those_of_the_network(task):
    data = task.data.without_test()
    result = train(replace(task, data=data), "none", parts=("validation",), progress=False)
    facts = row_facts(task, result)
    exp = np.exp(result.logits["validation"].astype(float))
    labels = data.validation.labels
    shares = exp / exp.sum(axis=1, keepdims=True)
    brier = [
        sum((share - (k == label)) ** 2 for k, share in enumerate(row))
        for row, label in zip(shares, labels, strict=True)
    ]
    assert rows_of(facts, "brier") == pytest.approx(brier, abs=1e-6)
    assert facts["wrong"] == round((1 - result.accuracy["validation"]) * len(labels))
    assert facts["examples"] == len(labels)


def test_at_a_constant_rate_the_average_of_the_weights_is_scored(task, tmp_path):
    none = load_policy("none")
    early = TrainJob(policy=none, stop_epoch=1, row_scores=True).run(task, tmp_path)
    half = TrainJob(policy=none, stop_epoch=4, row_scores=True).run(task, tmp_path)
    plain = TrainJob(policy=none, stop_epoch=4).run(task, tmp_path)
    raw = {}
    for epochs in (1, 4):
        data = task.data.without_test()
        stopped = train(
            replace(task, data=data), "none", parts=("validation",), progress=False,
            stop_epoch=epochs,
        )  # fmt: skip
        raw[epochs] = rows_of(row_facts(task, stopped), "brier")
    assert rows_of(early.facts, "brier") == pytest.approx(raw[1])
    assert np.abs(rows_of(half.facts, "brier") - raw[4]).max() > 1e-4
    assert half.score == plain.score


def test_rare_classes_weigh_more_if_the_metric_is_a_mean_over_classes(task):
    data = task.data.without_test()
    result = train(replace(task, data=data), "none", parts=("validation",), progress=False)
    plain, weighted = (
        rows_of(row_facts(replace(task, metric=metric), result), "brier")
        for metric in ("accuracy", "balanced-accuracy")
    )
    labels = data.validation.labels
    by_class = [plain[labels == k].mean() for k in np.unique(labels)]
    assert weighted.mean() == pytest.approx(np.mean(by_class), abs=1e-6)


def test_the_portfolio_draws_from_the_space_of_the_user(task):
    own = SPACE.without("Rotate", "ShearX")
    portfolio = portfolio_of(own, task)
    drawn = {name for one in portfolio.treatments for name in one.space.names}
    assert not drawn & {"Rotate", "ShearX"}
    assert any(
        line.startswith("turns + crop: the space lacks Rotate") for line in portfolio.left_out
    )
    assert not portfolio_of(SPACE, task).left_out


def test_training_code_of_the_users_own_gets_no_mixing():
    own = external_task(lambda policy, seed, budget: {"validation": 1.0}, epochs=4)
    portfolio = portfolio_of(SPACE, own)
    assert len(portfolio.left_out) == 2
    assert not any(one.mixes_labels for one in portfolio.treatments)


def test_training_code_of_the_users_own_is_raced_by_its_scores():
    def objective(policy, seed, budget):
        return {"validation": 0.9 if "crop" in policy.name else 0.5, "passes": budget.epochs}

    found = search(objective=objective, epochs=8, seeds=1)
    assert "crop" in found.found.name
    assert found.cost <= 8


def test_texts_have_a_portfolio_of_their_own():
    texts = [f"{word} {k}" for k in range(30) for word in ("a lovely film", "an awful film")]
    labels = [k % 2 for k in range(len(texts))]
    task = as_task((texts, labels), model="bag-of-words", recipe={"epochs": 2})
    names = [one.name for one in portfolio_of(named_space("texts-plain"), task).treatments]
    assert names[0] == "none"
    assert len(names) >= 9
    assert search(task, seeds=1, trials=4).cost <= 4


def test_quarter_turns_are_exact_and_equally_frequent():
    image = np.arange(25, dtype=np.uint8).reshape(5, 5, 1)
    turned = load_policy("turns").augment(np.stack([image] * 800), seed=0)
    eight = [np.rot90(one, k).tobytes() for one in (image, image[:, ::-1]) for k in range(4)]
    counts = [sum(one.tobytes() == each for one in turned) for each in eight]
    assert sum(counts) == 800
    assert min(counts) > 60


def test_the_options_of_the_former_race_go_to_heats():
    with pytest.warns(DeprecationWarning, match="heats"):
        named = load_method("race(searches=random,arms=none)")
    assert (named.key, named.name) == ("heats", "race(searches=random,arms=none)")
    with pytest.raises(UsageError, match="candidates"):
        load_method("race(speed=1)")
