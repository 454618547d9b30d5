"""Comparisons by cross-validation: pairs, intervals, choice, resuming, words of the verdict."""

import numpy as np
import pytest
from scipy import stats

import automorph
from automorph.data import load_data, with_folds
from automorph.errors import UsageError
from automorph.experiments import Cell, JobResult, paired_difference, summarise
from automorph.experiments.advice import advice_on_few
from automorph.experiments.cross_validated import nested_choice
from automorph.experiments.statistics import Difference, noticeable
from automorph.training import as_task, train

SETTING = {"limit": 120, "folds": 4, "model": "cnn:4", "recipe": {"epochs": 1}}


def test_the_interval_is_that_of_nadeau_and_bengio():
    a, b = np.random.default_rng(0).normal(0.8, 0.05, (2, 10))
    found = paired_difference(a, b, overlap=1 / 3)
    gap = a - b
    se = np.sqrt((1 / 10 + 1 / 3) * gap.var(ddof=1))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(gap.mean() / se), 9))
    assert found.high == pytest.approx(gap.mean() + stats.t.ppf(0.975, 9) * se)
    assert summarise(a, overlap=1 / 3).se == pytest.approx(np.sqrt(13 / 30 * a.var(ddof=1)))
    plain = paired_difference(a, b)
    assert found.high - found.low > 2 * (plain.high - plain.low)
    assert paired_difference([0.5] * 10, [0.4] * 10, overlap=1 / 3).p > 0.3  # No 2 ** -9.


def test_a_difference_that_is_noticed_is_larger_than_half_the_interval():
    assert noticeable(Difference(0.0), 10) is None
    assert noticeable(Difference(0.0, -0.1, 0.1), 10) == pytest.approx(0.1391, abs=1e-3)


def test_every_policy_trains_on_the_same_folds_and_a_killed_comparison_resumes(tmp_path):
    one = automorph.compare("digits", ["none", "crop"], folder=tmp_path, repeats=1, **SETTING)
    assert (one.seeds, one.trained) == ((0, 1, 2, 3), 8)
    assert one.predictions["none"].shape == (1, 120)
    assert one.metric.part == "out-of-fold"
    two = automorph.compare("digits", ["none", "crop"], folder=tmp_path, repeats=2, **SETTING)
    assert two.trained == 8  # The first repeat was there.
    assert two["none"].accuracy.values[:4] == one["none"].accuracy.values
    labels = load_data("digits", limit=120, hold_out=False).train.labels
    right = (two.predictions["crop"] == labels).mean()
    assert two["crop"].accuracy.mean == pytest.approx(right)
    assert two.to_dict()["folds"] == {"count": 4, "repeats": 2, "examples": 120}
    assert two.verdict.text.startswith("Too few examples to tell")
    assert "None" not in two.verdict.text
    with pytest.raises(UsageError, match="different comparison"):
        automorph.compare("digits", ["none"], folder=tmp_path, **{**SETTING, "folds": 5})


def test_a_training_of_its_own_is_that_of_its_fold():
    task = as_task("digits", repeats=1, **SETTING)
    assert task.in_fold(1).encoder != task.encoder  # Normalised by the training part of the fold.
    assert task.in_fold(1).in_fold(3).data.folds is None
    result = train(task, "none", seed=1, progress=False)
    assert len(result.predictions["test"]) == 30


def test_choosing_in_every_fold_sees_no_row_that_it_is_measured_on():
    folds = with_folds(load_data("digits", limit=60, hold_out=False), 3, repeats=1).folds
    test = {0: [0.5, 0.5, 0.5], 1: [0.9, 0.1, 0.9]}
    validation = {0: [0.6, 0.6, 0.6], 1: [0.5, 0.7, 0.5]}
    results = {
        Cell(place, cell): JobResult(
            validation[place][cell], facts={"test_accuracy": test[place][cell]}
        )
        for place in test
        for cell in range(3)
    }
    (words,) = nested_choice(["none", "crop"], results, "none", folds, 0.95)
    assert "differ from none by -13.3 points" in words  # (0 - 40 + 0) / 3


def test_the_advice_on_few_examples_depends_on_the_data():
    found = [advice_on_few(*kind, examples=9, shown=None) for kind in [("text", 1), ("image", 1)]]
    assert [one.policy for one in found] == ["eda", "crop + trivialaugment"]
    assert found[0].text == "Too few examples to tell. What usually helps on few texts is eda."
    assert automorph.load_policy(advice_on_few("image", 3, examples=9, shown=0.1).policy)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": 4, "seeds": 3}, "got both seeds and 4 folds x 2 repeats"),
        ({"repeats": 3}, "got 3 repeats without folds"),
        ({"folds": 4, "objective": print}, "got folds with an objective"),
    ],
)
def test_options_that_do_not_go_with_folds_are_refused(options, words):
    data = None if "objective" in options else "digits"
    with pytest.raises(UsageError, match=words):
        automorph.compare(data, ["none"], **options)


def test_patch_needs_a_test_part():
    """`search` takes folds now: tests/searchers/test_nested_search.py."""
    task = as_task("digits", **SETTING)
    with pytest.raises(UsageError, match="got 4 folds x 2 repeats for"):
        automorph.patch(task)
