"""The final table adds seeds look by look, by the validation part alone, and resumes exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from small_task import small_task

from automorph.errors import UsageError
from automorph.experiments import FullTraining, JobResult, Looks
from automorph.operations import named_space
from automorph.policies import load_policy
from automorph.searchers import search
from automorph.searchers.defaults import table_of
from automorph.searchers.final_seeds import train_seeds
from automorph.searchers.final_table import controls_of, table

torch.set_num_threads(1)
SPACE, CROP = named_space("randaugment"), load_policy("flip-crop")
PICK = load_policy("randaugment(n=1,m=5)")
LOOKS = Looks(2, 5)
RANDOM = controls_of(PICK, SPACE, CROP, 4)["random"].label


@dataclass
class Trained:
    """Stands in for a runner: trains by a table of means, and counts what it was asked for."""

    means: dict[str, float]
    noise: float = 0.004
    test_noise: int = 0

    def __post_init__(self):
        self.asked = []

    def final(self, jobs, executor, *, before, planned):
        assert 0 <= before < planned
        self.asked.append([*jobs])
        return {key: self.result(key[0], job) for key, job in jobs.items()}

    def result(self, part, job: FullTraining):
        mean = self.means[part]
        if mean is None:
            return JobResult(-math.inf, error="it failed")
        drawn = np.random.default_rng([job.seed, *map(ord, part)]).normal(0, self.noise)
        tests = np.random.default_rng([self.test_noise, job.seed, *map(ord, part)])
        curves = {"epoch": [1], "loss": [0.1]}
        facts = {"test_accuracy": mean + tests.normal(0, 0.01), "curves": curves, "busy": 0.0}
        return JobResult(mean + drawn, facts=facts)


def run(means, looks=LOOKS, which="usual", **options):
    controls = controls_of(PICK, SPACE, CROP, 4, which)
    runner = Trained(dict.fromkeys(controls, 0.78) | means, **options)
    return controls, runner, train_seeds(runner, None, controls, looks)


def test_the_product_has_few_controls_and_benchmarks_have_all():
    assert [*controls_of(PICK, SPACE, CROP, 4, "usual")] == [
        "found", "none", "tail", "trivialaugment",
    ]  # fmt: skip
    assert [*controls_of(PICK, SPACE, CROP, 4)] == [
        "found", "none", "tail", "random", "randaugment", "trivialaugment", "longer",
    ]  # fmt: skip


def test_equal_rows_appear_once():
    nothing = load_policy("none")
    assert [*controls_of(nothing, SPACE, nothing, 4, "usual")] == ["found", "trivialaugment"]
    assert [*controls_of(load_policy("trivialaugment"), SPACE, CROP, 4, "usual")] == [
        "found", "none", "tail",
    ]  # fmt: skip


def test_the_post_policy_of_the_user_is_kept():
    controls = controls_of(PICK, SPACE, load_policy("crop"), 4, "usual")
    assert [one.label for one in controls.values()] == [
        "randaugment(n=1,m=5) + crop", "none", "crop", "trivialaugment + crop",
    ]  # fmt: skip


def test_it_stops_when_the_pick_is_told_from_its_alternatives():
    _, _, made = run({"found": 0.9, "none": 0.7, "trivialaugment": 0.8, "tail": 0.89})
    assert made.clear
    assert set(made.counts.values()) == {3}
    assert len(made.outcomes) == 12
    # Also when it is worse.
    _, _, worse = run({"found": 0.6, "none": 0.7, "trivialaugment": 0.8})
    assert worse.clear


def test_it_goes_on_to_the_cap_while_one_alternative_is_near():
    _, runner, made = run({"found": 0.8, "none": 0.6, "trivialaugment": 0.801})
    assert not made.clear
    assert made.counts["found"] == made.counts["none"] == 5
    assert [len({seed for _, seed in asked}) for asked in runner.asked] == [2, 1, 1, 1]


def test_an_arm_that_is_far_behind_gets_two_seeds():
    means = {"found": 0.8, "none": 0.79, "trivialaugment": 0.801, "random": 0.3, "longer": 0.8}
    controls, _, made = run(means, which="all")
    assert made.counts["random"] == 2
    assert made.counts["none"] == made.counts["longer"] == 5
    shown = table(controls, made.counts, made.outcomes, looks=Looks(2, 5))
    assert [row.policy for row in shown.rows] == [one.label for one in controls.values()]
    row = next(row for row in shown.rows if row.policy == RANDOM)
    assert row.note == "2 seeds, stopped: far behind"
    assert row.difference.mean == pytest.approx(-0.49, abs=0.05)
    assert (row.difference.low, row.difference.p) == (None, None)
    assert len(row.accuracy.values) == 2
    assert row.to_dict()["note"] == row.note
    assert "note" not in shown.rows[0].to_dict()


def test_alternatives_go_on_even_if_they_are_far_behind():
    _, _, made = run({"found": 0.8, "none": 0.3, "trivialaugment": 0.801})
    assert made.counts["none"] == 5


def test_failed_trainings_make_nothing_clear():
    controls, _, made = run({"found": 0.9, "none": None, "trivialaugment": 0.5})
    assert not made.clear
    assert made.counts["found"] == 5
    shown = table(controls, made.counts, made.outcomes, looks=Looks(2, 5))
    assert "it failed" in shown.rows[1].error


def test_a_fixed_number_of_seeds_is_kept_to():
    _, runner, made = run({"found": 0.9, "none": 0.1, "trivialaugment": 0.1}, Looks(4, 4))
    assert set(made.counts.values()) == {4}
    assert len(runner.asked) == 1


def test_the_test_part_decides_nothing():
    """Whatever it says, the same trainings run, and only the measured values differ."""
    means = {"found": 0.8, "none": 0.79, "trivialaugment": 0.801, "random": 0.3}
    first, other = (run(means, which="all", test_noise=noise)[1:] for noise in (0, 1))
    assert first[0].asked == other[0].asked
    assert first[1].counts == other[1].counts
    assert first[1].outcomes != other[1].outcomes


def test_intervals_of_the_table_allow_for_the_looks():
    controls, _, made = run({"found": 0.9, "none": 0.7, "trivialaugment": 0.8})
    looks = Looks(2, 5)
    wide = table(controls, made.counts, made.outcomes, looks=looks).rows[0].difference
    fixed = table(controls, made.counts, made.outcomes).rows[0].difference
    assert wide.mean == fixed.mean
    assert wide.low < fixed.low
    assert wide.p > fixed.p


def test_the_defaults_of_the_table():
    assert table_of(None, None) == ("usual", Looks(2, 5))
    assert table_of(None, "3", longer=2) == ("all", Looks(3, 3))
    assert table_of("usual", 3, longer=2) == ("usual", Looks(3, 3))
    with pytest.raises(UsageError, match="expected 'usual' or 'all'"):
        table_of("every", None)


def test_a_search_that_is_stopped_between_looks_resumes_to_the_same_table(tmp_path):
    task, options = small_task(), {"method": "random", "trials": 2}
    straight = search(task, folder=tmp_path / "straight", **options)
    assert straight.looks == Looks(2, 5)
    assert len(straight.seeds) in range(2, 6)
    for stop in (3, 6, 9):

        def until(progress, stop=stop):
            if progress.phase == "final" and progress.done and progress.share * 20 >= stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            search(task, folder=tmp_path / "halting", progress=until, **options)
    resumed = search(task, folder=tmp_path / "halting", **options)
    assert [row.accuracy.values for row in resumed.rows] == [
        row.accuracy.values for row in straight.rows
    ]
    assert [row.difference for row in resumed.rows] == [row.difference for row in straight.rows]
    assert resumed.seeds == straight.seeds
    again = search(task, folder=tmp_path / "straight", **options)
    assert again.trained == 0


def test_a_folder_of_the_former_defaults_keeps_them(tmp_path):
    task, options = small_task(), {"method": "random", "trials": 2, "folder": tmp_path}
    before = search(task, controls="all", seeds=5, **options)
    with pytest.warns(UserWarning, match="was begun with all controls and 5 seeds"):
        now = search(task, **options)
    assert now.trained == 0
    assert now.rows == before.rows
    assert "longer" in now.parts


def test_a_folder_of_this_table_is_refused_with_other_seeds(tmp_path):
    task, options = small_task(), {"method": "random", "trials": 2, "folder": tmp_path}
    search(task, seeds=2, **options)
    with pytest.raises(UsageError, match=r"contains a different search .*seeds"):
        search(task, **options)


def test_a_search_without_a_post_policy_is_compared_with_the_usual_one():
    nothing, strong = load_policy("none"), load_policy("flip-crop + trivialaugment")
    controls = controls_of(PICK, SPACE, nothing, 4, usual=CROP)
    assert [one.label for one in controls.values()] == [
        "randaugment(n=1,m=5)", "none", "flip-crop", f"flip-crop + random(space={SPACE.name})",
        "flip-crop + randaugment(n=2,m=9)", "flip-crop + trivialaugment",
        "flip-crop, 4 times as long",
    ]  # fmt: skip
    assert [*controls_of(strong, SPACE, nothing, 4, "usual", usual=CROP)] == [
        "found", "none", "tail",
    ]  # fmt: skip
