"""Values of 0 and 1, which a bootstrap does not move, have Wilson's interval or a wider one."""

import numpy as np
import pytest

from automorph.metrics import interval, load_metric
from automorph.robustness.metrics import wilson

CLASSES = ("benign", "malignant")
LABELS = np.repeat([0, 1], [400, 103])
NEVER = np.zeros(503)


@pytest.mark.parametrize(
    ("name", "right", "n"),
    [
        ("recall:malignant", 0, 103),
        ("specificity:malignant", 400, 400),
        ("recall:benign", 400, 400),
    ],
)
def test_a_class_that_is_never_called(name, right, n):
    found = interval(load_metric(name, CLASSES), LABELS, NEVER, resamples=20)
    low, high = wilson(right, n)
    assert (found.low, found.high) == (pytest.approx(float(low)), pytest.approx(float(high)))


def test_the_precision_of_a_class_that_is_never_called_is_unknown():
    found = interval(load_metric("precision:malignant", CLASSES), LABELS, NEVER, resamples=20)
    assert (found.low, found.high) == (0, 1)


def test_all_right():
    found = interval(load_metric("accuracy", CLASSES), LABELS, LABELS.astype(float), resamples=20)
    assert 0.99 < found.low < found.high == 1


def test_means_over_classes_and_inner_shares_keep_the_bootstrap():
    mean = interval(load_metric("balanced-accuracy", CLASSES), LABELS, NEVER, resamples=20)
    assert mean.low == mean.high == 0.5
    some = np.where(np.arange(503) % 7 == 0, 1 - LABELS, LABELS).astype(float)
    found = interval(load_metric("recall:malignant", CLASSES), LABELS, some, resamples=50)
    assert 0.6 < found.low < found.high < 1


def test_operating_points_and_labels():
    chance = np.column_stack([1 - 0.1 * LABELS, 0.1 * LABELS])
    at = load_metric("sensitivity:malignant@specificity=0.8", CLASSES)
    assert interval(at, LABELS, chance, threshold=0.5, resamples=20).high < 0.05
    assert interval(at, LABELS, chance, resamples=20).low > 0.95
    labels = np.column_stack([LABELS, 1 - LABELS]).astype(np.uint8)
    short = load_metric("recall:short", ("short", "open"), "labels")
    found = interval(short, labels, np.zeros((503, 2)), resamples=20)
    assert found.high == pytest.approx(float(wilson(0, 103)[1]))


def test_f1_follows_from_the_share_of_right_ones_among_those_concerned():
    f1 = load_metric("f1:malignant", CLASSES)
    found = interval(f1, LABELS, NEVER, resamples=20)
    share = float(wilson(0, 103)[1])
    assert (found.low, found.high) == (0, pytest.approx(2 * share / (1 + share)))
    half = np.where(np.arange(503) < 400, 1, 0)  # 400 false alarms, 103 missed.
    assert interval(f1, LABELS, half.astype(float), resamples=20).high < found.high
    right = interval(f1, LABELS, LABELS.astype(float), resamples=20)
    assert right.high == 1
    assert 0.96 < right.low < 1


@pytest.mark.parametrize("name", ["balanced-accuracy", "macro-f1", "auroc", "average-precision"])
def test_perfect_means_over_classes_are_as_sure_as_their_smallest_class(name):
    answers = np.column_stack([1.0 - LABELS, LABELS])
    found = interval(load_metric(name, CLASSES), LABELS, answers, resamples=20)
    low, high = wilson(103, 103)
    assert (found.low, found.high) == (pytest.approx(float(low)), pytest.approx(float(high)))


def test_perfect_means_over_labels():
    labels = np.column_stack([LABELS, np.arange(503) % 50 == 0, np.zeros(503)]).astype(np.uint8)
    for name in ("mean-average-precision", "auroc", "macro-f1"):
        metric = load_metric(name, ("short", "open", "never"), "labels")
        found = interval(metric, labels, labels.astype(float), resamples=20)
        assert found.low == pytest.approx(float(wilson(11, 11)[0]))
        assert found.high == 1
