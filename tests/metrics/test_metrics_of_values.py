"""Metrics of values equal scikit-learn's, and have a value wherever it has none."""

import numpy as np
import pytest
from sklearn import metrics as sk

from automorph.errors import DataError, UsageError
from automorph.metrics import load_metric, resampled, spread

RANDOM = np.random.default_rng(0)
NAMES = ("x", "y")
VALUES = RANDOM.normal([5, 100], [1, 30], (200, 2))
PREDICTED = VALUES + RANDOM.normal(0, [0.5, 10], (200, 2))
WEIGHTS = RANDOM.uniform(0.5, 2, 200)
OURS = {
    "mae": sk.mean_absolute_error, "rmse": sk.root_mean_squared_error, "r2": sk.r2_score,
}  # fmt: skip


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("name", OURS)
def test_metrics_equal_those_of_scikit_learn(name, weights):
    whole = load_metric(name, NAMES, "values")
    assert whole.value(VALUES, PREDICTED, weights=weights) == pytest.approx(
        OURS[name](VALUES, PREDICTED, sample_weight=weights)
    )
    one = load_metric(f"{name}:y", NAMES, "values")
    assert one.value(VALUES, PREDICTED, weights=weights) == pytest.approx(
        OURS[name](VALUES[:, 1], PREDICTED[:, 1], sample_weight=weights)
    )
    assert not whole.share
    assert whole.higher_is_better == (name == "r2")
    assert one.title.endswith(" of y")


def test_kappa_of_grades_counts_a_grade_that_is_missing():
    grades = RANDOM.choice([0, 1, 4], 200)[:, None].astype(float)  # Nobody has 2 or 3.
    predicted = grades + RANDOM.normal(0, 1, grades.shape)
    rounded = np.clip(np.round(predicted), 0, 4).astype(int)
    expected = sk.cohen_kappa_score(
        grades[:, 0].astype(int), rounded[:, 0], labels=range(5), weights="quadratic"
    )
    kappa = load_metric("quadratic-kappa", ("grade",), "values")
    assert kappa.value(grades, predicted) == pytest.approx(expected)
    assert "has fractions, such as" in kappa.undefined(grades + 0.5)
    assert "it needs grades" in kappa.undefined(grades * 1000)
    with pytest.raises(DataError, match="quadratic kappa is undefined"):
        kappa.value(grades + 0.5, predicted)


@pytest.mark.parametrize("name", ["r2", "quadratic-kappa"])
@pytest.mark.parametrize("n", [1, 5])
def test_equal_values_score_1_if_exact_and_otherwise_0(name, n):
    scorer, values = load_metric(name, ("x",), "values"), np.full((n, 1), 3.0)
    assert scorer.value(values, values) == 1.0
    assert scorer.value(values, values + 1) == 0.0
    assert "all values of 'x' are 3; it needs different ones" in scorer.undefined(values)


def test_unknown_values_and_metrics_are_refused():
    with pytest.raises(UsageError, match="unknown value 'z'"):
        load_metric("mae:z", NAMES, "values")
    with pytest.raises(UsageError, match="unknown metric of values 'accuracy'"):
        load_metric("accuracy", NAMES, "values")


def test_the_bootstrap_of_values_covers_the_mean_difference():
    mae = load_metric("mae", NAMES, "values")
    better = VALUES + 0.5 * (PREDICTED - VALUES)
    found = resampled(mae, VALUES, [PREDICTED, better], resamples=200)
    ends = spread(found[1] - found[0])
    exact = mae.value(VALUES, better) - mae.value(VALUES, PREDICTED)
    assert ends.low < exact < ends.high < 0
