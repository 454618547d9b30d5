"""Which examples a policy gets right, and which are never right."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.cli.examples import SHOWN, by_class, notable_examples
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
