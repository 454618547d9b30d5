"""A search with folds: anew in every fold, sealed, and tested on what it has not seen."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from automorph.data import Folds, limited, load_data, with_folds
from automorph.errors import UsageError
from automorph.experiments import ACCURACY, Advice, Row, paired_difference, summarise
from automorph.searchers import search
from automorph.searchers.nested import PICKED
from automorph.searchers.nested_verdict import Picks, nested_verdict
from automorph.training import Recipe, make_task

torch.set_num_threads(1)
RECIPE = Recipe(epochs=1, batch_size=20, lr=0.05, precision="fp32")
DATA = with_folds(limited(load_data("digits"), 60), 3, repeats=1)
SEARCH = {"method": "random", "trials": 2, "post_policy": "crop"}


def task_of(data=DATA):
    return make_task(data, model="cnn:4", recipe=RECIPE)


def content_of(result):
    rows = [(row.policy, row.accuracy.values, row.validation.values) for row in result.rows]
    predictions = {name: one.tolist() for name, one in result.predictions.items()}
    return rows, predictions, result.picks, result.verdict, result.policy, result.cost


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return SimpleNamespace(folder=folder, result=search(task_of(), **SEARCH, folder=folder))


def test_every_example_tests_what_a_search_without_it_has_picked(whole):
    result = whole.result
    assert result.parts == ("found", "none", "tail", "trivialaugment")
    assert [row.policy for row in result.rows] == [
        PICKED, "none", "crop", "trivialaugment + crop",
    ]  # fmt: skip
    assert (len(result.picks), result.seeds, result.trials) == (3, (0, 1, 2), 8)
    assert result.predictions[PICKED].shape == (1, 60)
    assert result.cost == pytest.approx(8)
    mine, theirs = (result[part].accuracy.values for part in ("found", "none"))
    corrected = paired_difference(mine, theirs, overlap=1)
    assert result["found"].difference.low == corrected.low
    assert result.comparison.metric.part == "out-of-fold"
    assert result.to_dict()["picks"] == list(result.picks)
    assert sorted(one.name for one in whole.folder.iterdir() if one.is_dir()) == [
        "all", "fold-0", "fold-1", "fold-2",
    ]  # fmt: skip
    # The kept policy is tested in no fold, and its search has no test part.
    assert not (whole.folder / "all" / "jobs.jsonl").exists()


def test_progress_is_that_of_all_searches(whole):
    shown = []
    again = search(task_of(), **SEARCH, folder=whole.folder, progress=shown.append)
    assert again.trained == 0
    assert content_of(again) == content_of(whole.result)
    assert [one.nested.number for one in shown] == [1, 2, 3, 4]
    assert {(one.nested.searches, one.nested.trainings) for one in shown} == {(4, 20)}
    assert [one.share for one in shown] == pytest.approx([0, 0.3, 0.6, 0.9])


def test_an_interrupted_search_continues_to_the_same_result(whole, tmp_path):
    done = []

    def stop(progress):
        done.append(progress.last)
        if sum(one is not None for one in done) == 8:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        search(task_of(), **SEARCH, folder=tmp_path, progress=stop)
    result = search(task_of(), **SEARCH, folder=tmp_path)
    assert content_of(result) == content_of(whole.result)
    assert 0 < result.trained <= 20 - 8


def test_more_repeats_add_searches_to_those_that_are_there(whole):
    data = with_folds(limited(load_data("digits"), 60), 3, repeats=2)
    result = search(task_of(data), **SEARCH, folder=whole.folder)
    assert result.picks[:3] == whole.result.picks
    assert result["none"].accuracy.values[:3] == whole.result["none"].accuracy.values
    assert result.trained <= 3 * 6
    assert result.policy == whole.result.policy


def test_the_search_of_a_fold_has_not_seen_it(whole, tmp_path):
    """Other pixels and labels in a fold change the tests of its pick, and nothing before."""
    rows = DATA.folds.rows(0)["test"]
    train = DATA.train
    labels, images = train.labels.copy(), train.data.copy()
    labels[rows], images[rows] = (labels[rows] + 1) % 10, 255 - images[rows]
    changed = DATA.replace(train=replace(train, labels=labels, data=images), folds=DATA.folds)
    search(task_of(changed), **SEARCH, folder=tmp_path)

    def losses(folder, name):
        lines = (folder / name / "trials.journal").read_text().splitlines()
        trials = (json.loads(line).get("user_attrs", {}) for line in lines)
        return [one["facts"]["loss"] for one in trials if "facts" in one]

    assert len(losses(tmp_path, "fold-0")) == 2
    assert losses(tmp_path, "fold-0") == losses(whole.folder, "fold-0")
    assert losses(tmp_path, "fold-1") != losses(whole.folder, "fold-1")


def test_a_folder_is_of_searches_with_folds_or_without(whole, tmp_path):
    with pytest.raises(UsageError, match="holds a search with folds"):
        search(task_of(DATA.replace(folds=None)), **SEARCH, folder=whole.folder)
    (tmp_path / "trials.journal").touch()
    with pytest.raises(UsageError, match="holds a search without folds"):
        search(task_of(), **SEARCH, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seeds": 3}, "seed of its own"),
        ({"controls": "all"}, "all controls with 3 folds"),
        ({"epoch_multiplier": 2}, "all controls with 3 folds"),
    ],
)
def test_what_folds_do_not_have_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        search(task_of(), **SEARCH, **options)


def verdict(gain, *, validation=0.02, few=None, same=2, cells=9):
    """The verdict where the picks gain ``gain`` in every fold, with some noise."""
    folds = Folds(3, np.zeros((cells // 3, 30), np.int64))
    noise = np.random.default_rng(0).normal(0, 0.01, cells)
    plain = np.full(cells, 0.7)

    def row(name, gains, chosen):
        gap = paired_difference(plain + gains, plain, overlap=folds.overlap)
        return Row(name, summarise(plain + gains), summarise(plain + chosen),
                   None if name == "none" else replace(gap, p_adjusted=gap.p))  # fmt: skip

    rows = {
        "found": row(PICKED, gain + noise, validation),
        "none": row("none", 0 * noise, 0),
        "tail": row("crop", noise / 2, 0.01),
    }
    picks = Picks("flip", ("flip",) * same + ("crop",) * (cells - same), same)
    return nested_verdict(
        rows, folds, picks, cost=80.5, confidence=0.95, metric=ACCURACY, constant=False, few=few
    )


def test_a_gain_beyond_chance_recommends_the_policy_of_all_examples():
    found, advice = verdict(0.05)
    assert (found.kind, advice.action, advice.policy) == ("better", "use", "found")
    assert found.text.startswith("Use flip. On examples that neither the search nor the training ")
    assert "3 folds x 3 repeats, corrected for overlapping training sets), beyond" in found.text
    assert "picked flip, and so did 2 of the 9 searches in the folds." in found.text
    assert found.text.endswith("The 10 searches cost 80.5 plain trainings.")


def test_without_a_gain_what_needs_no_search_is_recommended():
    found, advice = verdict(0.0)
    assert (found.kind, advice.policy) == ("unclear", "tail")
    assert found.text.startswith("Use crop: searching is not shown to gain over none.")
    assert "within chance" in found.text
    better, advice = verdict(0.05, validation=0.005)
    assert (better.kind, advice.policy) == ("better", "tail")
    assert "Use crop, which needs no search" in better.text


def test_too_few_examples_recommend_what_usually_helps_unless_it_is_worse():
    few = Advice("too few", "crop", "Too few examples to tell: 30 do. What usually helps is crop.")
    found, advice = verdict(0.0, few=few, same=0)
    assert (advice.action, advice.policy) == ("too few", "tail")
    assert "picked flip, and none of the 9 searches in the folds did." in found.text
    assert "All 10 searches picked flip." in verdict(0.0, few=few, same=9)[0].text
    worse, advice = verdict(0.0, few=replace(few, policy=PICKED), validation=-0.1)
    assert (advice.action, advice.policy) == ("keep", "none")
    assert worse.text.startswith("Too few examples to tell: 30 do. Keep none: on the validation ")
