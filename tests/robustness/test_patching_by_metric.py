"""Patches that another metric than accuracy chooses, by its value in the worst subgroup."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from marked_images import marked_data

from automorph.errors import UsageError
from automorph.experiments import paired_difference, summarise
from automorph.metrics import load_metric
from automorph.report import patch_page
from automorph.robustness import patch, train_robust
from automorph.robustness.group_metric import SubgroupValues, by_subgroup, check_choosing
from automorph.robustness.groups import grouper_of
from automorph.robustness.patch_metrics import ObjectiveMetric, PatchedMetric
from automorph.robustness.patch_result import judge
from automorph.training import as_task

torch.set_num_threads(1)
RECIPE = {"epochs": 2, "batch_size": 64, "lr": 0.05, "warmup_epochs": 0.5}
ALSO = ["log-loss", "sensitivity:lying@specificity=0.8"]


def task_of(metric, also=()):
    return as_task(marked_data(), model="cnn:4", recipe=RECIPE, metric=metric, also=also)


def test_a_subgroup_without_a_value_is_left_out():
    labels = np.array([0, 1, 1, 0, 0])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4], [0.8, 0.2]])
    where = np.array([0, 0, 1, 1, 2])
    found = by_subgroup(load_metric("auroc", ("a", "b")), labels, probabilities, where, "xyz")
    assert found.subgroups == {"x": 1.0, "y": 1.0}
    assert (found.worst, found.mean, found.whole) == (1.0, 1.0, 1.0)
    loss = by_subgroup(load_metric("log-loss", ("a", "b")), labels, probabilities, where, "xyz")
    assert loss.worst == max(loss.subgroups.values())
    assert len(loss.subgroups) == 3


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("sensitivity:lying@specificity=0.8", "one without a threshold"),
        ("calibration-error", "small subgroups do not bias"),
    ],
)
def test_what_cannot_choose_is_refused_with_what_to_do(metric, words, tmp_path):
    with pytest.raises(UsageError, match=words) as error:
        patch(task_of(metric), folder=tmp_path)
    assert "and show this one with --also" in str(error.value)


def test_dfr_holds_examples_out_for_accuracy_only():
    with pytest.raises(UsageError, match=r"got the objective dfr with the metric 'auroc'"):
        train_robust(task_of("auroc"), "dfr")


def test_a_metric_with_a_value_in_one_subgroup_is_refused_and_left_out_ones_are_noted():
    task = task_of("recall:lying")
    assert check_choosing(task, grouper_of(task.data)) == ()
    data, seen = task.data, task.data.validation
    kept = (seen.subgroups == 0) | (seen.labels != task.data.classes.index("lying"))
    one = as_task(data.replace(validation=seen.take(kept)), model="cnn:4", recipe=RECIPE,
                  metric="recall:lying")  # fmt: skip
    with pytest.raises(UsageError, match="has a value in 1 of 2 subgroups of the validation part"):
        check_choosing(one, grouper_of(data))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return patch(
        task_of("auroc", ALSO), translator="none", objective="auto", baselines=("erm", "balanced"),
        seeds=2, folder=tmp_path_factory.mktemp("patched"), maps=False, engine="local",
    )  # fmt: skip


def test_the_metric_chooses_and_all_are_shown(found):
    by, *also = found.metrics
    assert (found.metric, by.metric.name) == ("AUROC", "AUROC")
    assert [one.metric.name for one in also] == [
        "log-loss", "sensitivity of lying at specificity 0.8"
    ]  # fmt: skip
    assert set(by.after.subgroups) == {"plain", "marked"}
    assert by.after.worst == min(by.after.subgroups.values())
    for row in found.treatments:
        assert all(0 <= value <= 1 for value in row.selected.values)
    assert by["balanced"].difference is None
    assert by["erm"].difference.mean == pytest.approx(
        np.mean(np.subtract(by["erm"].worst.values, by["balanced"].worst.values))
    )
    kept = by[found.objective].worst.values[found.seeds.index(found.seed)]
    assert by.after.worst == pytest.approx(kept, abs=1e-6)
    assert found.verdict.text.startswith("In the worst subgroup, AUROC goes from")


def test_page_card_and_json_show_the_metrics(found):
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["metrics"][0]["name"] == content["metric"] == "AUROC"
    page = patch_page({"data": "marked", **content, "subgroups": ["plain", "marked"]})
    assert "By metric" in [section.title for section in page.sections]
    assert page.answers[0].question == "What is its AUROC in the worst subgroup?"
    card = found.card.read_text()
    assert "| log-loss in the worst subgroup (lower is better) |" in card
    assert "the best AUROC in the worst subgroup of the validation part" in card


def test_without_a_metric_nothing_is_added_whatever_the_shares_of_the_classes(tmp_path):
    """Groups of one class are balanced already: unequal classes need no other metric."""
    data = marked_data()
    many = np.flatnonzero((data.train.labels == 0) | (np.arange(len(data.train)) % 8 == 0))
    data = data.replace(train=data.train.take(many))
    result = patch(
        data, model="cnn:4", recipe={**RECIPE, "epochs": 1}, translator="none",
        objective="balanced", baselines=(), seeds=1, folder=tmp_path, maps=False, engine="local",
    )  # fmt: skip
    assert result.metric == "accuracy"
    assert "metrics" not in result.to_dict()


def metric_of(name, before, after, base, own):
    scorer = load_metric(name, ("a", "b"))
    from automorph.experiments import metric_for

    def side(value):
        return SubgroupValues(value, value, value, {"x": value, "y": value})

    def row(objective, values, others=None):
        one = summarise(values)
        gap = None if others is None else paired_difference(values, others)
        return ObjectiveMetric(objective, one, one, one, gap)

    rows = (row("erm", [before, before + 0.01]), row("balanced", base), row("camel", own, base))
    return PatchedMetric(metric_for(scorer), side(before), side(after), rows)


@pytest.mark.parametrize(
    ("after", "own", "kind", "words"),
    [
        (0.2, [0.20, 0.22], "better", "so what is added to balanced sampling pays"),
        (0.7, [0.70, 0.72], "worse", "More examples of the subgroup 'x' would help most"),
    ],
)
def test_the_verdict_knows_the_direction(after, own, kind, words):
    """A lower log-loss is a gain."""
    by = metric_of("log-loss", 0.6, after, [0.40, 0.41], own)
    audit = SimpleNamespace(only=None)
    verdict = judge((), "camel", audit, audit, (0, 1), by)
    assert verdict.kind == kind
    assert words in verdict.text
    assert "log-loss (lower is better) goes from 0.6 to" in verdict.text
