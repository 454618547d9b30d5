"""Planted slices are found, and data without slices raise no alarm."""

import numpy as np
import pytest

from automorph.errors import DataError, UsageError
from automorph.robustness.discovery import discover, separating
from automorph.robustness.gmm import clusters, fit, principal, silhouette

CLASSES = ("cat", "dog")
METHODS = ("domino", "george")


def planted(n=1600, seed=0, wrong=0.5):
    """Two classes; a cluster of dogs (15 % of them) is wrong with probability ``wrong``."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    slice_ = (labels == 1) & (rng.random(n) < 0.15)
    features = rng.normal(size=(n, 10))
    features[:, 0] += 6 * labels
    features[slice_, 1:3] += 4
    right = rng.random(n) < np.where(slice_, 1 - wrong, 0.96)
    return features, labels, np.where(right, labels, 1 - labels), slice_


@pytest.mark.parametrize("method", METHODS)
def test_a_planted_slice_is_found(method):
    features, labels, predictions, slice_ = planted()
    found = discover(features, labels, predictions, CLASSES, method=method)
    best = found[0]

    assert best.class_name == "dog"
    assert best.alarm
    assert best.accuracy < 0.75 < 0.9 < best.rest
    assert slice_[list(best.telling)].mean() > 0.9
    inside = slice_[list(best.rows)]
    assert inside.mean() > 0.7


def test_metadata_describes_a_slice():
    features, labels, predictions, slice_ = planted()
    rng = np.random.default_rng(5)
    columns = {
        "noise": rng.choice(["x", "y"], len(labels)),
        "night": np.where(slice_ ^ (rng.random(len(labels)) < 0.05), "yes", "no"),
    }
    best = discover(features, labels, predictions, CLASSES, metadata=columns)[0]

    assert best.separating[0][:2] == ("night", "yes")
    assert all(column != "noise" for column, *_ in best.separating)


def alarms_without_a_gap(method, repeats):
    rng = np.random.default_rng(3)
    raised = 0
    for seed in range(repeats):
        features, labels, _, _ = planted(800, seed)
        right = rng.random(800) < np.array([0.9, 0.7])[labels]
        predictions = np.where(right, labels, 1 - labels)
        found = discover(
            features, labels, predictions, CLASSES, method=method, permutations=300, seed=seed
        )
        raised += any(slice_.alarm for slice_ in found)
    return raised / repeats


@pytest.mark.parametrize("method", METHODS)
def test_no_alarm_without_a_gap(method):
    assert alarms_without_a_gap(method, 40) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 40)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_alarms_without_a_gap_are_no_more_often_than_stated(method):
    assert alarms_without_a_gap(method, 200) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_finds_the_same(method):
    data = planted()[:3]
    found = discover(*data, CLASSES, method=method, seed=4)

    assert found
    assert discover(*data, CLASSES, method=method, seed=4) == found


def test_a_perfect_model_has_no_slices():
    features, labels, _, _ = planted(400)
    assert discover(features, labels, labels, CLASSES) == ()


@pytest.mark.parametrize("method", METHODS)
def test_a_class_of_one_example_is_no_place_to_look_in(method):
    features, labels, predictions, _ = planted()
    labels[0] = 2
    found = discover(features, labels, predictions, (*CLASSES, "cow"), method=method)

    assert found
    assert all(slice_.class_name != "cow" for slice_ in found)
    assert all(np.isfinite([slice_.p, slice_.accuracy, slice_.rest]).all() for slice_ in found)


def test_what_cannot_be_searched():
    features, labels, predictions, _ = planted(400)
    with pytest.raises(UsageError, match="george"):
        discover(features, labels, predictions, CLASSES, method="magic")
    with pytest.raises(DataError, match="at least 100"):
        discover(features[:50], labels[:50], predictions[:50], CLASSES)
    features[3, 3] = np.nan
    with pytest.raises(DataError, match="NaN"):
        discover(features, labels, predictions, CLASSES)


def test_nothing_separates_random_columns():
    rng = np.random.default_rng(0)
    inside = rng.random(500) < 0.2
    assert separating(inside, {"a": rng.choice(["x", "y", "z"], 500)}) == ()


def test_the_number_of_clusters_is_found():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 100)
    x = rng.normal(size=(300, 4)) + 7 * np.eye(4)[truth]
    place = clusters(x, rng).assign(x)

    assert len(np.unique(place)) == 3
    assert silhouette(x, place) > 0.5
    for cluster in range(3):
        assert (np.bincount(place[truth == cluster]).max() / 100) > 0.97


def test_the_likelihood_of_a_mixture_rises_to_the_truth():
    rng = np.random.default_rng(0)
    place = rng.random(2000) < 0.3
    x = np.where(
        place[:, None], rng.normal([3, 0], [0.5, 2], (2000, 2)), rng.normal(size=(2000, 2))
    )
    model = fit(x, rng.uniform(0.9, 1.1, (2000, 2)) + np.stack([place, ~place], axis=1))

    assert np.sort(model.weights) == pytest.approx([0.3, 0.7], abs=0.05)
    assert model.means[model.weights.argmin()] == pytest.approx([3, 0], abs=0.2)


def test_principal_components():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 8)) * np.array([9, 5, 1, 1, 1, 1, 0, 0])
    found = principal(x, 4)

    assert found.shape == (300, 4)
    assert np.cov(found.T) == pytest.approx(np.eye(4) * 300 / 299, abs=1e-6)
    assert abs(np.corrcoef(found[:, 0], x[:, 0])[0, 1]) > 0.99
