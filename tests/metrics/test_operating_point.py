"""The threshold of a training: fixed on its validation part, kept and used elsewhere."""

import csv
import json

import numpy as np
import pytest
import torch

from automorph import audit
from automorph.data import from_arrays, load_data, split
from automorph.errors import DamagedError, UsageError
from automorph.experiments import compare
from automorph.inference import predict
from automorph.metrics import OperatingPoint, is_point, load_metric
from automorph.training import as_task, load_trained, operating_point_of, train

torch.set_num_threads(1)
NAME = "sensitivity:3@specificity=0.8"
RECIPE = {"epochs": 2, "precision": "fp32"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    task = as_task("digits", model="cnn:4", recipe=RECIPE, limit=300, metric=NAME, also=["auroc"])
    return task, train(task, "none", folder=folder, progress=False), folder


def test_the_threshold_is_that_of_the_validation_part(run):
    task, result, folder = run
    scorer = load_metric(NAME, task.data.classes)
    seen = task.data.validation
    found = predict(folder, task.data, part="validation")
    assert result.thresholds[NAME] == scorer.threshold(seen.labels, found.probabilities)
    assert operating_point_of(folder) == OperatingPoint(NAME, "3", result.thresholds[NAME])
    assert load_trained(folder).classes == task.data.classes


def test_a_finished_run_gives_the_same_metrics(run):
    task, result, folder = run
    again = train(task, "none", folder=folder, progress=False)
    assert (again.metrics, again.thresholds) == (result.metrics, result.thresholds)
    assert set(result.metrics["test"]) == {NAME, "auroc"}


def test_predictions_have_a_column_of_decisions_that_gives_the_figure_of_train(run, tmp_path):
    task, result, folder = run
    found = predict(folder, task.data, part="test")
    assert any("threshold fixed on the validation part" in note for note in found.notes)
    called = found.decisions == 3
    assert (called == (found.probabilities[:, 3] >= result.thresholds[NAME])).all()
    assert called[found.labels == 3].mean() == pytest.approx(result.metrics["test"][NAME])
    with found.save(tmp_path / "p.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["decision"] == "3" for row in rows] == called.tolist()


def test_an_audit_of_other_data_uses_the_threshold_of_the_training(run):
    task, result, folder = run
    test = predict(folder, task.data, part="test")
    part = task.data.test
    # Examples from elsewhere, on which another threshold would be chosen.
    kept = np.flatnonzero((part.labels == 3) | (test.probabilities[:, 3] < 0.12))
    data = from_arrays(part.data[kept], part.labels[kept], subgroups=np.arange(len(kept)) % 2)
    found = audit(data, checkpoint=folder, metrics=["auroc"])
    first, second, third = found.metrics
    assert (first.name, second.name, third.name) == (NAME, "specificity:3", "auroc")
    assert first.low <= first.value <= first.high
    assert any(f"{result.thresholds[NAME]:.4g}" in note for note in found.notes)
    assert "metrics" in found.to_dict()


def test_a_threshold_is_not_chosen_on_audited_examples(run):
    task, _, folder = run
    part = task.data.test
    data = from_arrays(part.data, part.labels, subgroups=np.arange(len(part)) % 2)
    with pytest.raises(UsageError, match="needs a threshold that the training fixed"):
        audit(data, checkpoint=folder, metrics=["recall:3@precision=0.5"])


@pytest.mark.parametrize(
    "value",
    [3, {}, {"metric": NAME, "label": "x", "threshold": 0.5},
     {"metric": NAME, "label": "a", "threshold": float("nan")}],
)  # fmt: skip
def test_points_that_no_training_writes_are_refused(value):
    assert not is_point(value, ["a", "b"])


def test_a_damaged_point_is_told(run, tmp_path):
    from automorph.training import read_checkpoint, write_checkpoint

    tensors, facts = read_checkpoint(run[2] / "model.safetensors")
    facts["operating_point"] = {"metric": NAME, "label": "3", "threshold": "low"}
    write_checkpoint(tmp_path / "model.safetensors", tensors, facts)
    with pytest.raises(DamagedError, match="operating_point"):
        operating_point_of(tmp_path)


def test_one_seed_has_intervals_over_examples(tmp_path):
    found = compare(
        "digits", ["none", "flip-crop"], seeds=1, model="cnn:4", recipe=RECIPE, limit=200,
        metric="log-loss", also=["recall:3"], folder=tmp_path, engine="local",
    )  # fmt: skip
    gap = found["flip-crop"].difference
    assert gap.low <= gap.mean <= gap.high
    assert gap.p is None
    assert found.metric.name == "log-loss"
    assert not found.metric.higher_is_better
    best = min(found.rows, key=lambda row: row.validation.mean)
    assert found.winner == best.policy
    assert found["flip-crop"].also["recall of 3"].difference.low is not None
    assert any("bootstrap over the test examples" in remark for remark in found.remarks)
    assert json.dumps(found.to_dict())


def test_imbalanced_data_are_judged_by_balanced_accuracy_and_say_so():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [160, 40])
    images = random.integers(0, 255, (200, 8, 8, 1), np.uint8)
    task = as_task((images, labels), model="cnn:4", recipe=RECIPE)
    assert task.metric == "balanced-accuracy"
    assert any("the metric is balanced accuracy" in note for note in task.data.notes)
    asked = as_task((images, labels), model="cnn:4", recipe=RECIPE, metric="accuracy")
    assert not asked.asks_metrics


def test_a_metric_without_a_value_on_a_part_is_refused_before_training():
    data = split(load_data("digits", limit=200))
    seen = data.validation
    data = data.replace(validation=seen.take(seen.labels != 3))
    with pytest.raises(UsageError, match="recall of 3 has no value on the validation part"):
        as_task(data, model="cnn:4", recipe=RECIPE, metric="recall:3")
    task = as_task(data, model="cnn:4", recipe=RECIPE, metric="balanced-accuracy")
    assert any("mean over the other 9 of 10 classes" in note for note in task.data.notes)
