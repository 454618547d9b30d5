"""The metrics of masks are those of torchmetrics and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from torchmetrics.functional.classification import multiclass_f1_score, multiclass_jaccard_index

from automorph.errors import DataError, UsageError
from automorph.metrics import check_metric, load_metric, resampled

NAMES = ("background", "cytoplasm", "nucleus", "rest of it")


def drawn(seed, *, classes=4, ignored=0.0, n=7):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, (n, 9, 11), np.uint8)
    wrong = random.integers(0, classes, labels.shape, np.uint8)
    answers = np.where(random.random(labels.shape) < 0.6, labels, wrong)
    labels[random.random(labels.shape) < ignored] = 255
    return labels, answers


def value(name, labels, answers):
    return load_metric(name, NAMES, "masks").value(labels, answers)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [2, 3, 4])  # Below 4, some occur in neither.
@pytest.mark.parametrize("ignored", [0.0, 0.3])
def test_values_equal_torchmetrics(seed, classes, ignored):
    labels, answers = drawn(seed, classes=classes, ignored=ignored)
    truth, found = torch.from_numpy(labels).long(), torch.from_numpy(answers).long()
    known = {"num_classes": 4, "ignore_index": 255}
    wanted = multiclass_jaccard_index(found, truth, **known)
    assert value("mean-iou", labels, answers) == pytest.approx(wanted.item(), abs=1e-6)
    wanted = multiclass_f1_score(found, truth, average="macro", **known)
    assert value("dice", labels, answers) == pytest.approx(wanted.item(), abs=1e-6)
    each = multiclass_jaccard_index(found, truth, average="none", **known)
    for name, one in list(zip(NAMES, each, strict=True))[:classes]:
        assert value(f"iou:{name}", labels, answers) == pytest.approx(one.item(), abs=1e-6)


def test_values_equal_scikit_learn():
    labels, answers = drawn(0, ignored=0.2)
    known = labels != 255
    flat = labels[known], answers[known]
    assert value("pixel-accuracy", labels, answers) == sklearn_metrics.accuracy_score(*flat)
    wanted = sklearn_metrics.f1_score(*flat, labels=[2], average=None)[0]
    assert value("dice:nucleus", labels, answers) == pytest.approx(wanted)
    scorer = load_metric("mean-iou", NAMES, "masks")
    counts = scorer.counted(labels, answers).sum(axis=0).reshape(4, 4)
    np.testing.assert_array_equal(counts, sklearn_metrics.confusion_matrix(*flat))


def test_a_class_that_is_only_predicted_counts_as_zero():
    labels = np.zeros((1, 2, 2), np.uint8)
    answers = np.array([[[0, 0], [0, 2]]], np.uint8)
    assert value("mean-iou", labels, answers) == pytest.approx((3 / 4 + 0) / 2)


def test_examples_have_weights():
    labels, answers = drawn(1)
    scorer = load_metric("mean-iou", NAMES, "masks")
    twice = [np.concatenate([one, one[:3]]) for one in (labels, answers)]
    weights = np.array([2.0] * 3 + [1.0] * 4)
    assert scorer.value(labels, answers, weights=weights) == pytest.approx(scorer.value(*twice))


def test_undefined_metrics_say_why():
    labels, answers = drawn(0, classes=2)
    assert load_metric("iou:nucleus", NAMES, "masks").undefined(labels) == (
        "no pixel is of the class 'nucleus'"
    )
    with pytest.raises(DataError, match="IoU of nucleus is undefined"):
        value("iou:nucleus", labels, answers)
    with pytest.raises(DataError, match="all pixels are ignored"):
        value("mean-iou", np.full_like(labels, 255), answers)


def test_names_are_found_and_refused():
    assert load_metric("iou:Rest of it", NAMES, "masks").name == "iou:rest of it"
    assert load_metric("mIoU", NAMES, "masks").title == "mean IoU"
    with pytest.raises(UsageError, match=r"unknown class 'nucleos'.*'nucleus'"):
        load_metric("iou:nucleos", NAMES, "masks")
    with pytest.raises(UsageError, match="unknown metric of masks 'auroc'"):
        load_metric("auroc", NAMES, "masks")
    check_metric("mean-iou")


def test_resamples_are_of_images_and_the_same_for_all_networks():
    labels, answers = drawn(2, n=20)
    other = drawn(3, n=20)[1]
    scorer = load_metric("mean-iou", NAMES, "masks")
    values = resampled(scorer, labels, [answers, other, answers], resamples=40)
    assert values.shape == (3, 40)
    np.testing.assert_array_equal(values[0], values[2])
    assert values[0].mean() == pytest.approx(scorer.value(labels, answers), abs=0.02)
    assert 0 < values[0].std() < 0.05
