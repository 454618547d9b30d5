"""Recipes: the learning rate schedule, defaults, and invalid values."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from automorph.errors import UsageError
from automorph.training import Recipe, learning_rate, recipe_for


def rates(recipe, steps=10):
    return [learning_rate(recipe, step, steps) for step in range(recipe.epochs * steps)]


def test_the_rate_rises_in_a_line_then_falls_as_a_cosine_to_nearly_nothing():
    found = rates(Recipe(epochs=10, lr=0.4, warmup_epochs=2))

    assert found[:20] == pytest.approx([0.4 * (i + 1) / 20 for i in range(20)])
    assert found[20] == 0.4
    assert found[60] == pytest.approx(0.2)
    assert found[20:] == sorted(found[20:], reverse=True)
    assert 0 < found[-1] < 0.001


def test_a_constant_rate_is_constant_after_the_warm_up():
    found = rates(Recipe(epochs=3, lr=0.4, warmup_epochs=1, schedule="constant"))

    assert set(found[9:]) == {0.4}


@pytest.mark.parametrize(
    "model", ["cnn", "resnet9:16", "wrn-28-10", "timm:vit", "timm:x:pretrained"]
)
@pytest.mark.parametrize("n", [2, 400, 5000, 50_000, 10**7])
def test_defaults_exist_for_every_network_and_amount_of_data(model, n):
    recipe = recipe_for(model, n)

    assert 5 <= recipe.epochs <= 80
    assert recipe_for(model, n, lr=1.5, epochs=3) != recipe


@pytest.mark.parametrize("model", ["cnn", "text-cnn", "transformers:x"])
@pytest.mark.parametrize("changes", [{}, {"epochs": 4}, {"epochs": 30}], ids=str)
def test_the_rate_warms_up_for_a_fifth_of_the_epochs_and_two_at_most(model, changes):
    recipe = recipe_for(model, 2000, **changes)

    assert recipe.warmup_epochs == min(2, recipe.epochs / 5)


def test_a_recipe_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Recipe().lr = 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"optimizer": "adam"},
        {"schedule": "linear"},
        {"precision": "fp8"},
        {"select": "test"},
        {"epochs": 0},
        {"batch_size": 0},
        {"lr": -0.1},
        {"lr": float("nan")},
        {"warmup_epochs": -1},
        {"label_smoothing": 1.5},
        {"ema_decay": 2.0},
        {"clip_norm": -1.0},
        {"accumulate": 65},
        {"epochs": 2.5},
        {"epochs": "2"},
        {"lr": "0.1"},
        {"lr": None},
    ],
    ids=str,
)
def test_values_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Recipe(**wrong)
