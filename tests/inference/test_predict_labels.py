"""Networks of several labels: trained, resumed, compared, searched, predicted and exported."""

import csv

import numpy as np
import pytest

from automorph import compare
from automorph.data import from_arrays, open_test, split
from automorph.errors import DamagedError, UsageError
from automorph.inference import export_model, predict
from automorph.metrics import load_metric
from automorph.searchers import search
from automorph.training import as_augmenter, as_task, find_machine, train
from automorph.training.loader import Loader

NAMES = ("top", "bottom", "left")
RECIPE = {"epochs": 3, "batch_size": 32}


def drawn(n=300, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, (n, 3))
    images = random.integers(0, 60, (n, 8, 8), np.uint8)
    for image, (top, bottom, left) in zip(images, labels, strict=True):
        image[:2] += np.uint8(150 * top)
        image[-2:] += np.uint8(150 * bottom)
        image[3:5, :3] += np.uint8(150 * left)
    return images, labels


@pytest.fixture(scope="module")
def data():
    images, labels = drawn()
    return split(from_arrays(images, labels, classes=NAMES, target="labels"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    result = train(
        data, "mixup", model="cnn:4", recipe=RECIPE, folder=folder, progress=False,
        also=["macro-f1", "recall:left"],
    )  # fmt: skip
    return folder, result


def test_thresholds_are_fixed_on_the_validation_part_and_kept(run, data):
    folder, result = run
    assert set(result.thresholds) == set(NAMES)
    chance = 1 / (1 + np.exp(-result.logits["validation"].astype(np.float64)))
    expected = load_metric("mAP", NAMES, "labels").fix(data.validation.annotations, chance)
    assert result.thresholds == pytest.approx(expected)
    assert result.predictions["test"].shape == (len(open_test(data)), 3)
    again = train(
        data, "mixup", model="cnn:4", recipe=RECIPE, folder=folder, progress=False,
        also=["macro-f1", "recall:left"],
    )  # fmt: skip
    assert again.thresholds == result.thresholds
    assert again.metrics == result.metrics
    np.testing.assert_array_equal(again.predictions["test"], result.predictions["test"])


def test_predictions_of_the_test_part_are_those_of_the_training(run, data):
    folder, result = run
    found = predict(folder, data, part="test")
    np.testing.assert_array_equal(found.predictions, result.predictions["test"])
    figures, metrics = found.figures, result.metrics["test"]
    assert figures["mAP"] == pytest.approx(metrics["mean-average-precision"])
    assert figures["macro F1"] == pytest.approx(metrics["macro-f1"])
    assert any("the training fixed on its validation part" in note for note in found.notes)


def test_new_examples_are_predicted_by_the_same_thresholds(run, tmp_path):
    folder, result = run
    images, _ = drawn(40, seed=1)
    found = predict(folder, images)
    at = [result.thresholds[name] for name in NAMES]
    np.testing.assert_array_equal(found.predictions, found.probabilities >= at)
    assert found.summary == ""
    file = found.save(tmp_path / "out.csv")
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    words = [name for name, has in zip(NAMES, found.predictions[0], strict=True) if has]
    assert rows[0]["label"] == "|".join(words)
    assert set(rows[0]) == {"example", "label", *(f"probability_{name}" for name in NAMES)}


def test_views_are_not_averaged(run):
    with pytest.raises(UsageError, match="expected one of classes"):
        predict(run[0], drawn(4)[0], tta=2)


def test_damaged_thresholds_are_refused(run, monkeypatch):
    from automorph.training import label_thresholds

    monkeypatch.setattr(
        label_thresholds, "read_facts", lambda file: {"classes": ["a", "b"], "thresholds": [0.5]}
    )
    with pytest.raises(DamagedError, match="a number for each of its 2 labels"):
        label_thresholds.thresholds_in(run[0] / "model.safetensors")


def test_an_exported_network_returns_the_same_probabilities(run):
    written = export_model(run[0], "torch-export")
    assert written.difference < 1e-5


def test_the_same_seed_gives_the_same_batches_for_any_number_of_threads(data):
    task = as_task(data, model="cnn:4", recipe=RECIPE)
    batches = [
        [
            (batch.inputs.numpy(), batch.labels.numpy())
            for batch in Loader(
                task, as_augmenter("cutmix"), 0, find_machine("cpu"), "fp32", workers, True
            ).epoch(0, None, last_epoch=1)
        ]
        for workers in (0, 2)
    ]
    for one, other in zip(*batches, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_comparison_of_one_seed_has_intervals_over_examples(data):
    found = compare(
        data, ["none", "flip"], model="cnn:4", recipe=RECIPE, seeds=1, engine="local",
        also=["f1:left"],
    )  # fmt: skip
    assert found.metric.name == "mAP"
    gap = found["flip"].difference
    assert gap.low <= gap.mean <= gap.high
    assert set(found["none"].also) == {"F1 of left"}


def test_methods_that_need_classes_are_refused_by_name(data):
    with pytest.raises(UsageError, match="training method for classes"):
        compare(data, ["none", "augmix-jsd"], model="cnn:4", recipe=RECIPE, seeds=1)


def test_a_search_judges_by_the_metric_of_labels(data):
    found = search(data, "random", model="cnn:4", recipe=RECIPE, trials=2, seeds=1,
                   epoch_multiplier=2)  # fmt: skip
    assert found.metric.name == "mAP"
    assert all(0 <= one["score"] <= 1 for one in found.trace)


def test_frozen_heads_minimise_the_same_loss(data):
    import torch

    from automorph.targets import SeveralLabels
    from automorph.training.linear_head import Features, fit_head

    images, labels = drawn()
    rows = torch.from_numpy(images.reshape(len(images), -1).astype(np.float32) / 255)
    targets = torch.from_numpy(labels.astype(np.float32))
    head = fit_head(Features(rows, targets, torch.ones(len(rows))), SeveralLabels(3))
    assert ((head(rows) > 0) == (targets > 0.5)).float().mean() > 0.95
