"""The adaptive rule: steered by unseen data, not taken in by what is destroyed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from automorph.online import Uncertainty
from automorph.online.adaptive import HALF, Adaptive, weights
from automorph.policies import Uniform
from automorph.space import SearchSpace, operation
from automorph.training import Epoch, Recipe, make_task, train

CPU = torch.device("cpu")
LOSSES = np.array([[0.01, 0.3, 3.0]])
FREE = np.ones((1, 3))


def test_an_endless_temperature_is_the_proportional_rule():
    assert weights(LOSSES, FREE, math.inf) == pytest.approx(LOSSES)


@pytest.mark.parametrize(("temperature", "best"), [(1e-3, 0), (0.3, 1), (30.0, 2)])
def test_the_temperature_is_the_loss_that_is_preferred(temperature, best):
    assert weights(LOSSES, FREE, temperature).argmax() == best


def test_ratios_are_those_of_the_formula():
    w = weights(LOSSES, FREE, 0.7)[0]

    expected = LOSSES[0] * np.exp(-LOSSES[0] / 0.7)
    assert w / w.sum() == pytest.approx(expected / expected.sum())


def test_examples_without_hope_still_have_a_choice():
    w = weights(np.array([[500.0, 501.0], [0.0, 0.0]]), np.ones((2, 2)), 0.1)

    assert w[0, 0] > 1e3 * w[0, 1] > 0
    assert w[1, 0] == w[1, 1] > 0


def seen(adaptive, cell, *, right, n=500):
    """Note n candidates in which a cell fired (-1: none), of which a share was recognised."""
    hits = (np.arange(n) < right * n).reshape(-1, 1)
    adaptive.weights(np.ones((n, 1)), hits, np.full((n, 1), cell))


@pytest.mark.parametrize(
    ("right", "guard"), [(0.9, 1.0), (0.6, 1.0), (0.1, 0.0), (0.0, 0.0), (0.3, 0.5)]
)
def test_the_guard_falls_where_less_than_half_is_recognised(right, guard):
    adaptive = Adaptive(2, classes=10)
    for _ in range(9):
        seen(adaptive, -1, right=0.9)
    seen(adaptive, 0, right=right)
    assert (adaptive.guard() == 1).all()  # It changes between epochs only.
    adaptive.end_epoch(0.5, CPU)

    usual = (4050 + 500 * right) / 5000 - 0.1
    if 0 < guard < 1:
        guard = (right - 0.1) / (HALF * usual)
    assert adaptive.guard()[0] == pytest.approx(guard, abs=0.08)
    assert adaptive.guard()[1] == 1
    trusted = adaptive.trust(np.array([[0, -1], [1, -1], [-1, -1], [0, 1]]))
    assert trusted == pytest.approx([adaptive.guard()[0], 1, 1, adaptive.guard()[0]])


def test_a_model_that_knows_nothing_suspects_nothing():
    adaptive = Adaptive(2, classes=10)
    seen(adaptive, -1, right=0.12)
    seen(adaptive, 0, right=0.0)
    adaptive.end_epoch(0.5, CPU)

    assert (adaptive.guard() == 1).all()


def test_few_sightings_are_no_evidence():
    adaptive = Adaptive(2, classes=10)
    seen(adaptive, -1, right=0.9, n=1000)
    seen(adaptive, 0, right=0.0, n=2)
    adaptive.end_epoch(0.5, CPU)

    assert adaptive.guard()[0] == 1


def test_suspicion_ends_when_the_model_has_learned():
    adaptive = Adaptive(2, classes=10)
    guards = []
    for right in (0.1, 0.1, 0.8, 0.8):
        seen(adaptive, -1, right=0.9, n=4000)
        seen(adaptive, 0, right=right)
        adaptive.end_epoch(0.5, CPU)
        guards.append(adaptive.guard()[0])

    assert guards[1] < 0.1
    assert guards[3] == 1


def test_the_temperature_follows_the_loss_on_unseen_data():
    adaptive = Adaptive(2, classes=10)
    temperatures = []
    for unseen in (2.0, 0.5, 0.5, 0.5):
        adaptive.end_epoch(unseen, CPU)
        temperatures.append(adaptive.temperature)

    assert temperatures == pytest.approx([2.0, 1.0, 0.5**0.5, 0.5**0.75])


def test_without_unseen_data_the_mean_of_the_candidates_steers():
    adaptive = Adaptive(2, classes=10)
    adaptive.weights(np.array([[1.0, 3.0]]), np.ones((1, 2), bool), np.full((2, 1), -1))
    adaptive.end_epoch(None, CPU)

    assert adaptive.temperature == pytest.approx(2.0)


def test_memory_comes_back():
    one, two = Adaptive(2, classes=10), Adaptive(2, classes=10)
    seen(one, -1, right=0.9)
    seen(one, 1, right=0.2)
    one.end_epoch(0.7, CPU)
    two.load_state_dict(one.state_dict())

    assert two.temperature == one.temperature
    assert (two.guard() == one.guard()).all()


@operation(name="Destroy")
def destroy(image, _value):
    """Leaves nothing of an image."""
    return np.full_like(image, 7)


class Blind(nn.Module):
    """Recognises every image but the destroyed ones, those less the further from its mean."""

    def forward(self, x):
        flat = x.flatten(1)
        gone = flat.std(dim=1) < 1e-4
        hard = 0.05 * (flat[:, ::7].sum(dim=1).abs() % 3) + 0.2
        logits = torch.zeros(len(x), 10)
        logits[:, 3] = torch.where(gone, -2.0, 4.0 - hard)
        return logits


def test_destroyed_candidates_are_not_taken_for_informative_ones(raw_batch):
    space = SearchSpace("with a destroyer", (destroy,)).with_operations(
        *Uniform(operations=_spare(), length=1).space
    )
    draws = Uniform(operations=space, length=1)
    raw = raw_batch(100)
    labels = np.tile(np.eye(10, dtype=np.float32)[3], (100, 1))
    shares = {}
    for rule in ("top", "proportional", "adaptive"):
        augmenter = Uncertainty(draws=draws, rule=rule).build()
        for epoch in range(4):
            augmenter(replace(raw, labels=labels, epoch=epoch), Blind())
            facts = augmenter.end_epoch(Epoch(epoch + 1, 0.1, 1.0, 0.5, validation_loss=0.8))
        shares[rule] = facts["operations"]["Destroy"]

    plain = 1 / len(space)
    assert shares["top"] > 0.6  # 1 - (1 - 1/5)^4 of the examples have a destroyed candidate.
    assert shares["proportional"] > 2 * plain
    assert shares["adaptive"] < plain / 2


def _spare():
    from automorph.space import named_space

    whole = named_space("randaugment")
    return SearchSpace(
        "spare", tuple(whole[n] for n in ("Rotate", "ShearX", "ShearY", "Sharpness"))
    )


def test_a_real_training_is_steered(small_digits):
    recipe = Recipe(epochs=3, batch_size=25, lr=0.05, precision="fp32")
    task = make_task(small_digits, model="cnn:4", recipe=recipe)
    method = Uncertainty(draws=Uniform(operations=_spare(), length=2), rule="adaptive")
    curves = train(task, method, seed=1).curves

    temperatures = [record.augmenter["temperature"] for record in curves]
    assert temperatures[0] == pytest.approx(curves[0].validation_loss)
    expected = math.sqrt(temperatures[0] * curves[1].validation_loss)
    assert temperatures[1] == pytest.approx(expected)
