"""The public calls: online methods by name, wherever a policy may stand."""

from __future__ import annotations

import inspect

import pytest

import automorph
from automorph import training
from automorph.errors import PolicyError
from automorph.online import as_arm

NAME = "uncertainty(c=2,rule=top) + crop"


def test_a_name_is_the_method(task, same):
    by_name = automorph.train(task, NAME, seed=1, parts=("validation",))
    by_hand = training.train(task, as_arm(NAME), seed=1, parts=("validation",))

    assert same(by_name, by_hand)
    assert by_name.units.forward == 3 * by_name.units.backward


@pytest.mark.parametrize("plain", [None, "crop", automorph.load_policy("crop")], ids=str)
def test_what_is_no_method_is_taken_as_before(task, same, plain):
    one = task.with_recipe(epochs=1)

    assert same(automorph.train(one, augmenter=plain), training.train(one, plain))


def test_names_and_policies_are_compared(task):
    arms = ["none", automorph.load_policy("crop"), NAME]
    result = automorph.compare(task.with_recipe(epochs=1), arms, seeds=1)

    assert [row.policy for row in result.rows] == ["none", "crop", as_arm(NAME).name]


def test_a_method_is_a_baseline_as_it_is_typed(task):
    one = task.with_recipe(epochs=1)
    result = automorph.compare(one, ["views(m=2)", "none"], seeds=1, baseline="views(m=2)")

    assert result.baseline == as_arm("views(m=2)").name != "views(m=2)"


def test_a_wrong_name_is_told(task):
    with pytest.raises(PolicyError, match="x"):
        automorph.train(task, "uncertainty(x=1)")


def test_the_signature_is_that_of_the_room():
    assert inspect.signature(automorph.train) == inspect.signature(training.train)
