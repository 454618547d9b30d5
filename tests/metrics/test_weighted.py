"""Metrics on all resamples at once equal those of scikit-learn on one resample after the other."""

import numpy as np
import pytest

from automorph.metrics import load_metric, resampled
from automorph.metrics.scorer import Scorer

RANDOM = np.random.default_rng(3)
LABELS = (RANDOM.random((60, 3)) < [0.5, 0.2, 0.05]).astype(np.uint8)
CHANCE = np.clip(0.3 * LABELS + 0.7 * RANDOM.random((60, 3)), 0, 1).round(1)  # With ties.
VALUES = np.round(RANDOM.normal(50, 20, (60, 3)))
PREDICTED = VALUES + RANDOM.normal(0, 5, (60, 3))


def one_by_one(monkeypatch, scorer, labels, answers, thresholds=None):
    with monkeypatch.context() as patch:
        patch.setattr(type(scorer), "of_weights", Scorer.of_weights)
        return resampled(scorer, labels, [answers], thresholds=thresholds, resamples=25)


@pytest.mark.parametrize(
    "name",
    ["mAP", "auroc", "macro-f1", "micro-f1", "exact-match", "hamming-loss", "average-precision:b",
     "auroc:b", "f1:b", "recall:c", "precision:c"],
)  # fmt: skip
def test_labels(name, monkeypatch):
    scorer, at = load_metric(name, ("a", "b", "c"), "labels"), [np.array([0.4, 0.5, 0.6])]
    found = resampled(scorer, LABELS, [CHANCE], thresholds=at, resamples=25)
    expected = one_by_one(monkeypatch, scorer, LABELS, CHANCE, at)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_label_that_is_on_no_example_or_on_all_of_a_resample(monkeypatch):
    labels = np.zeros((12, 3), np.uint8)
    labels[:6, 0] = labels[2:9, 1] = labels[1, 2] = 1
    labels[:, 1] |= 1 - labels[:, 0]
    for name in ("mAP", "auroc", "macro-f1"):
        scorer = load_metric(name, ("a", "b", "c"), "labels")
        expected = one_by_one(monkeypatch, scorer, labels, CHANCE[:12])
        found = resampled(scorer, labels, [CHANCE[:12]], resamples=25)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "mae:b", "quadratic-kappa"])
def test_values(name, monkeypatch):
    scorer = load_metric(name, ("a", "b", "c"), "values")
    found = resampled(scorer, VALUES, [PREDICTED], resamples=25)
    np.testing.assert_allclose(found, one_by_one(monkeypatch, scorer, VALUES, PREDICTED), rtol=1e-9)


def test_few_resamples_at_a_time_are_the_same(monkeypatch):
    scorer = load_metric("mAP", ("a", "b", "c"), "labels")
    found = resampled(scorer, LABELS, [CHANCE], resamples=7)
    monkeypatch.setattr("automorph.metrics.bootstrap._NUMBERS", 130)
    np.testing.assert_array_equal(resampled(scorer, LABELS, [CHANCE], resamples=7), found)


def test_values_that_are_all_the_same_in_a_resample():
    values = np.array([[3.1]] * 29 + [[4.0]])
    scorer = load_metric("r2", ("weight",), "values")
    found = resampled(scorer, values, [values], resamples=40)
    assert (found == 1).all()
    assert set(np.unique(resampled(scorer, values[:, [0]], [values + 0.5], resamples=40)) == 0) == {
        True,
        False,
    }
