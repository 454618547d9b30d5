"""The adaptive rule: steered by unseen data, not taken in by what is destroyed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from automorph.online import Scoring, Uncertainty
from automorph.online.adaptive import GAIN, HALF, STEEPEST, Adaptive, weights
from automorph.policies import Uniform
from automorph.space import SearchSpace, operation
from automorph.training import Epoch, Recipe, make_task, train

CPU = torch.device("cpu")
LOSSES = np.array([[0.01, 0.3, 2.0]])
FREE = np.ones((1, 3))


def share(w):
    return (w / w.sum(axis=1, keepdims=True))[0]


@pytest.mark.parametrize("exponent", [1.0, 2.0, -1.5])
def test_weights_are_powers_of_the_loss(exponent):
    expected = LOSSES**exponent / (LOSSES**exponent).sum()

    assert share(weights(LOSSES, FREE, exponent)) == pytest.approx(expected[0])


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(0.0, [1 / 3] * 3), (40.0, [0, 0, 1]), (-40.0, [1, 0, 0])],
    ids=["random", "top", "lowest"],
)
def test_the_other_rules_are_its_ends_and_its_middle(exponent, expected):
    assert share(weights(LOSSES, FREE, exponent)) == pytest.approx(expected, abs=1e-9)


def test_more_wrong_than_knowing_nothing_is_not_harder():
    w = weights(np.array([[0.1, 2.4, 50.0]]), FREE, 3.0, most=np.log(10))

    assert w[0, 1] == w[0, 2] > w[0, 0]


@pytest.mark.parametrize("exponent", [-4.0, 0.0, 4.0])
def test_every_example_has_a_choice(exponent):
    w = weights(np.array([[500.0, 501.0], [0.0, 0.0]]), np.ones((2, 2)), exponent)

    assert np.isfinite(w).all()
    assert (w.sum(axis=1) > 0).all()
    assert w[1, 0] == w[1, 1]


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
    adaptive.end_epoch(0.5, 0.5, CPU)

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
    adaptive.end_epoch(0.5, 0.5, CPU)

    assert (adaptive.guard() == 1).all()


def test_few_sightings_are_no_evidence():
    adaptive = Adaptive(2, classes=10)
    seen(adaptive, -1, right=0.9, n=1000)
    seen(adaptive, 0, right=0.0, n=2)
    adaptive.end_epoch(0.5, 0.5, CPU)

    assert adaptive.guard()[0] == 1


def test_suspicion_ends_when_the_model_has_learned():
    adaptive = Adaptive(2, classes=10)
    guards = []
    for right in (0.1, 0.1, 0.8, 0.8):
        seen(adaptive, -1, right=0.9, n=4000)
        seen(adaptive, 0, right=right)
        adaptive.end_epoch(0.5, 0.5, CPU)
        guards.append(adaptive.guard()[0])

    assert guards[1] < 0.1
    assert guards[3] == 1


def test_views_easier_than_unseen_data_make_the_selection_harder():
    adaptive = Adaptive(2, classes=10)
    adaptive.unseen = 0.8
    exponents = []
    for chosen in (0.8, 0.4, 0.8, 1.6):
        adaptive.end_epoch(0.8, chosen, CPU)
        exponents.append(adaptive.exponent)

    step = GAIN * math.log(2)
    assert exponents == pytest.approx([1, 1 + step, 1 + step, 1])


def test_an_epoch_is_held_against_its_beginning_and_its_end():
    adaptive = Adaptive(2, classes=10)
    adaptive.end_epoch(1.0, math.sqrt(math.log(10)), CPU)
    assert adaptive.exponent == pytest.approx(1)
    adaptive.end_epoch(0.25, 0.5, CPU)
    assert adaptive.exponent == pytest.approx(1)


@pytest.mark.parametrize(("chosen", "end"), [(1e-6, STEEPEST), (1e6, -STEEPEST)])
def test_the_exponent_stays_within_bounds(chosen, end):
    adaptive = Adaptive(2, classes=10)
    for _ in range(5):
        adaptive.end_epoch(1.0, chosen, CPU)

    assert adaptive.exponent == end


def test_without_unseen_data_it_is_the_guarded_proportional_rule():
    adaptive = Adaptive(2, classes=10)
    adaptive.end_epoch(None, 0.5, CPU)

    assert adaptive.exponent == 1
    found = adaptive.weights(LOSSES[:, :2], np.ones((1, 2), bool), np.full((2, 1), -1))
    assert share(found) == pytest.approx(LOSSES[0, :2] / LOSSES[0, :2].sum())


def test_memory_comes_back():
    one = Adaptive(2, classes=10)
    seen(one, -1, right=0.9)
    seen(one, 1, right=0.2)
    one.end_epoch(0.7, 0.6, CPU)
    two = Adaptive.from_state_dict(one.state_dict())

    assert (two.exponent, two.unseen, two.classes) == (one.exponent, one.unseen, one.classes)
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


@pytest.mark.parametrize("scoring", [Scoring(), Scoring(size=0.5), Scoring(every=2)], ids=str)
def test_a_real_training_is_steered(small_digits, scoring):
    recipe = Recipe(epochs=3, batch_size=25, lr=0.05, precision="fp32")
    task = make_task(small_digits, model="cnn:4", recipe=recipe)
    method = Uncertainty(
        draws=Uniform(operations=_spare(), length=2), rule="adaptive", scoring=scoring
    )
    curves = train(task, method, seed=1).curves

    exponent, before = 1.0, math.log(10)
    for record in curves:
        chosen = record.augmenter["selected_loss"] if scoring == Scoring() else record.loss
        unseen = math.sqrt(before * record.validation_loss)
        exponent += GAIN * math.log(unseen / chosen)
        assert record.augmenter["exponent"] == pytest.approx(exponent)
        before = record.validation_loss
