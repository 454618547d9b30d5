"""The public API accepts training methods by name wherever it accepts a policy."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sklearn.datasets import load_digits

import automorph
from automorph import training
from automorph.augmenters import as_treatment
from automorph.errors import PolicyError, UsageError
from automorph.training import as_task

NAME = "uncertainty(c=2,rule=top) + crop"


def test_a_name_is_the_method(task, same):
    by_name = automorph.train(task, NAME, seed=1, parts=("validation",))
    by_hand = training.train(task, as_treatment(NAME), seed=1, parts=("validation",))

    assert same(by_name, by_hand)
    assert by_name.units.forward == 3 * by_name.units.backward


@pytest.mark.parametrize("plain", [None, "crop", automorph.load_policy("crop")], ids=str)
def test_what_is_no_method_is_taken_as_before(task, same, plain):
    one = task.with_recipe(epochs=1)

    assert same(automorph.train(one, augmenter=plain), training.train(one, plain))


def test_data_are_trained_on_as_they_are(same):
    """Arrays, names and task options work as in `compare` and `search`."""
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) * 15).astype(np.uint8)
    options = {"model": "cnn:4", "limit": 60, "recipe": {"epochs": 1}}
    by_data = automorph.train((images, labels), "crop", seed=3, **options)
    by_hand = training.train(as_task((images, labels), **options), "crop", seed=3)

    assert same(by_data, by_hand)
    assert len(by_data.curves) == 1
    with pytest.raises(UsageError, match="a Task is complete: limit cannot be used with it"):
        automorph.train(as_task("digits", **options), "crop", limit=50)


def test_names_and_policies_are_compared(task):
    arms = ["none", automorph.load_policy("crop"), NAME]
    result = automorph.compare(task.with_recipe(epochs=1), arms, seeds=1)

    assert [row.policy for row in result.rows] == ["none", "crop", as_treatment(NAME).name]


def test_a_method_is_a_baseline_as_it_is_typed(task):
    one = task.with_recipe(epochs=1)
    result = automorph.compare(one, ["views(m=2)", "none"], seeds=1, baseline="views(m=2)")

    assert result.baseline == as_treatment("views(m=2)").name != "views(m=2)"


def test_a_wrong_name_is_told(task):
    with pytest.raises(PolicyError, match="x"):
        automorph.train(task, "uncertainty(x=1)")


def test_the_signature_is_that_of_the_room():
    assert inspect.signature(automorph.train) == inspect.signature(training.train)
