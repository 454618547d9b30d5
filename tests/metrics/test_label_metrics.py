"""The metrics of several labels against scikit-learn and torchmetrics."""

import numpy as np
import pytest
import torch
from sklearn import metrics

from automorph.errors import DataError, UsageError
from automorph.metrics import best_threshold, check_metric, load_metric, resampled

NAMES = ("open", "short", "spur", "copper")
RANDOM = np.random.default_rng(0)
LABELS = (RANDOM.random((300, 4)) < [0.5, 0.3, 0.1, 0.05]).astype(np.uint8)
CHANCE = np.clip(0.3 * LABELS + 0.7 * RANDOM.random((300, 4)), 0, 1).round(2)  # With ties.
AT = np.array([0.4, 0.5, 0.6, 0.3])
CALLED = (CHANCE >= AT).astype(int)
WEIGHTS = RANDOM.random(300)


def scorer(name):
    return load_metric(name, NAMES, "labels")


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_values_are_those_of_scikit_learn(weights):
    of = {"sample_weight": weights}
    expected = {
        "mAP": metrics.average_precision_score(LABELS, CHANCE, average="macro", **of),
        "auroc": metrics.roc_auc_score(LABELS, CHANCE, average="macro", **of),
        "macro-f1": metrics.f1_score(LABELS, CALLED, average="macro", **of),
        "micro-f1": metrics.f1_score(LABELS, CALLED, average="micro", **of),
        "exact-match": metrics.accuracy_score(LABELS, CALLED, **of),
        "hamming-loss": metrics.hamming_loss(LABELS, CALLED, **of),
        "average-precision:spur": metrics.average_precision_score(LABELS[:, 2], CHANCE[:, 2], **of),
        "auroc:spur": metrics.roc_auc_score(LABELS[:, 2], CHANCE[:, 2], **of),
        "f1:short": metrics.f1_score(LABELS[:, 1], CALLED[:, 1], **of),
        "recall:short": metrics.recall_score(LABELS[:, 1], CALLED[:, 1], **of),
        "precision:short": metrics.precision_score(LABELS[:, 1], CALLED[:, 1], **of),
    }
    for name, value in expected.items():
        found = scorer(name).value(LABELS, CHANCE, threshold=AT, weights=weights)
        assert found == pytest.approx(value), name


def test_values_are_those_of_torchmetrics():
    torchmetrics = pytest.importorskip("torchmetrics")
    chance, labels = torch.from_numpy(CHANCE), torch.from_numpy(LABELS).long()
    options = {"num_labels": 4, "average": "macro"}
    for name, other in {
        "mAP": torchmetrics.classification.MultilabelAveragePrecision(**options),
        "auroc": torchmetrics.classification.MultilabelAUROC(**options),
    }.items():
        assert scorer(name).value(LABELS, CHANCE) == pytest.approx(float(other(chance, labels)))


def test_labels_that_no_example_has_are_left_out_of_means():
    labels = LABELS.copy()
    labels[:, 3] = 0
    for name, function in {"mAP": "average_precision_score", "auroc": "roc_auc_score"}.items():
        found = scorer(name).value(labels, CHANCE)
        assert found == pytest.approx(getattr(metrics, function)(labels[:, :3], CHANCE[:, :3]))
    assert scorer("macro-f1").value(labels, CHANCE, threshold=AT) == pytest.approx(
        metrics.f1_score(labels[:, :3], CALLED[:, :3], average="macro")
    )
    assert "no example of 'copper': mAP there is the mean over the other 3 of 4 labels" in scorer(
        "mAP"
    ).remark(labels)
    with pytest.raises(DataError, match="no example has the label 'copper'"):
        scorer("recall:copper").value(labels, CHANCE)


def test_labels_that_all_examples_have_count_in_precision_and_not_in_auroc():
    labels = LABELS.copy()
    labels[:, 0] = 1
    assert scorer("auroc").value(labels, CHANCE) == pytest.approx(
        metrics.roc_auc_score(labels[:, 1:], CHANCE[:, 1:])
    )
    assert not scorer("mAP").remark(labels)
    with pytest.raises(DataError, match="all examples have the label 'open'"):
        scorer("auroc:open").value(labels, CHANCE)


def test_a_mean_without_any_label_is_refused():
    with pytest.raises(DataError, match="no label"):
        scorer("mAP").value(np.zeros((5, 4), np.uint8), CHANCE[:5])


def test_thresholds_have_the_highest_f1():
    for k in range(4):
        found = best_threshold(LABELS[:, k], CHANCE[:, k])
        best = max(
            metrics.f1_score(LABELS[:, k], CHANCE[:, k] >= at) for at in np.unique(CHANCE[:, k])
        )
        assert metrics.f1_score(LABELS[:, k], CHANCE[:, k] >= found) == pytest.approx(best)
    assert best_threshold(np.zeros(4), np.full(4, 0.1)) == 0.5


def test_thresholds_are_kept_by_label():
    one = scorer("macro-f1")
    thresholds = one.fix(LABELS, CHANCE)
    assert set(thresholds) == set(NAMES)
    np.testing.assert_array_equal(one.fixed(thresholds), list(thresholds.values()))
    assert one.fixed({}) is None


def test_resamples_keep_the_label_of_a_metric():
    values = resampled(
        scorer("recall:copper"), LABELS, [CHANCE, 1 - CHANCE], thresholds=[AT, AT], resamples=20
    )
    assert values.shape == (2, 20)
    assert np.isfinite(values).all()
    assert np.isfinite(resampled(scorer("mAP"), LABELS, [CHANCE], resamples=5)).all()


def test_unknown_metrics_and_labels_are_refused():
    with pytest.raises(UsageError, match="Did you mean 'short'"):
        scorer("f1:shrt")
    with pytest.raises(UsageError, match="is that of one"):
        scorer("recall")
    with pytest.raises(UsageError, match="unknown metric 'brier'"):
        scorer("brier")
    check_metric("mAP")
    check_metric("f1:a label (with brackets)")
