"""Which examples a policy gets right, and which are never right."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.cli.examples import by_class
from automorph.cli.notable import SHOWN, notable_examples
from automorph.data import from_arrays, split
from automorph.training import make_task


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (300, 4, 4, 1), np.uint8), np.arange(300) % 3
    data = split(from_arrays(images, labels, classes=("a", "b", "c")), test=0.5, seed=0)
    return make_task(data, model="cnn:4")


def test_accuracies_of_classes_are_means_over_the_seeds(task):
    labels = task.data.test.labels
    right, wrong = labels.copy(), (labels + 1) % 3
    found = by_class(task, {"x": np.stack([right, wrong]), "y": np.stack([right, right])})
    assert found == {"x": [0.5] * 3, "y": [1.0] * 3}


def test_the_notable_examples(task):
    labels = task.data.test.labels
    base, better = labels.copy(), labels.copy()
    base[:5] = (labels[:5] + 1) % 3
    better[5:8] = (labels[5:8] + 2) % 3
    base[8:10] = better[8:10] = (labels[8:10] + 1) % 3
    found = notable_examples(
        task, {"none": base[None], "flip": better[None]}, winner="flip", baseline="none"
    )
    won, lost, never = found.values()
    assert list(found) == [
        "Correct with flip, incorrect with none",
        "Correct with none, incorrect with flip",
        "Incorrect under every policy and seed: 2 of 150",
    ]
    images = task.data.test.data
    for part, rows in ((won, range(5)), (lost, range(5, 8)), (never, range(8, 10))):
        assert {one.tobytes() for one in part["examples"]} == {images[r].tobytes() for r in rows}
    words = {f"{'abc'[labels[r]]}, predicted {'abc'[(labels[r] + 1) % 3]}" for r in range(5)}
    assert set(won["words"]) == words


def test_a_network_alone_shows_what_it_gets_wrong(task):
    wrong = (task.data.test.labels + 1) % 3
    (name,) = notable_examples(task, {"flip": wrong[None]}, winner="flip", baseline="flip")
    assert name == "Incorrect: 150 of 150"
    shown = notable_examples(task, {"flip": wrong[None]}, winner="flip", baseline="flip")[name]
    assert len(shown["words"]) == len(shown["examples"]) == SHOWN


def test_nothing_wrong_and_nothing_known_are_nothing(task):
    right = task.data.test.labels[None]
    assert notable_examples(task, {"flip": right}, winner="flip", baseline="flip") == {}
    assert notable_examples(task, {}, winner="flip", baseline="none") == by_class(task, {}) == {}


def outputs(kind):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 4, 4, 1), np.uint8)
    labels = rng.integers(0, 2, (200, 2)) if kind == "labels" else rng.normal(50, 10, (200, 2))
    data = from_arrays(images, labels, classes=("open", "short"), target=kind)
    return make_task(split(data, test=0.5, seed=0), model="cnn:4")


def test_values_with_the_largest_and_the_most_different_errors():
    task = outputs("values")
    expected = task.data.test.expected
    none, flip = expected + 1, expected.copy()
    none[3], flip[7] = expected[3] + 50, expected[7] + 20
    found = notable_examples(
        task, {"none": none[None], "flip": flip[None]}, winner="flip", baseline="none"
    )
    assert list(found) == [
        "Better predicted with flip than with none",
        "Better predicted with none than with flip",
        "Largest errors under all policies",
    ]
    first = [one["words"][0] for one in found.values()]
    shown = ", ".join(
        f"{name} {x:.4g}" for name, x in zip(("open", "short"), expected[3], strict=True)
    )
    wrong = ", ".join(f"{name} {x:.4g}" for name, x in zip(("open", "short"), none[3], strict=True))
    assert first[0] == first[2] == f"{shown}; none: {wrong}; flip: {shown}"
    np.testing.assert_array_equal(
        found["Better predicted with none than with flip"]["examples"][0], task.data.test.data[7]
    )
    assert len(found["Better predicted with none than with flip"]["words"]) == 1


def test_labels_that_a_network_alone_gets_wrong():
    task = outputs("labels")
    expected = task.data.test.expected
    wrong = expected.copy()
    (row,) = np.flatnonzero((expected == [0, 1]).all(axis=1))[:1]
    wrong[row] = [0, 0]
    found = notable_examples(task, {"flip": wrong[None]}, winner="flip", baseline="flip")
    assert {title: one["words"] for title, one in found.items()} == {
        "Largest errors": ["short; predicted: no label"]
    }
