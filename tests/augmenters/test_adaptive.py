"""The adaptive rule: steered by unseen data, not fooled by destroyed examples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from automorph.augmenters import Scoring, Uncertainty
from automorph.augmenters.adaptive import GAIN, HALF, HALFWAY, SHARE, Adaptive, log_loss, weights
from automorph.augmenters.base import composition
from automorph.operations import SearchSpace, operation
from automorph.policies import Uniform
from automorph.training import Epoch, PolicyAugmenter, Recipe, Units, make_task, train

CPU = torch.device("cpu")
LOSSES = np.array([[0.01, 0.3, 2.0]])
LOGS = np.log(LOSSES)
FREE = np.ones((1, 3))


def share(w):
    return (w / w.sum(axis=1, keepdims=True))[0]


@pytest.mark.parametrize("exponent", [1.0, 2.0, -1.5])
def test_weights_are_powers_of_the_loss(exponent):
    expected = LOSSES**exponent / (LOSSES**exponent).sum()

    assert share(weights(LOGS, FREE, exponent)) == pytest.approx(expected[0])


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(0.0, [1 / 3] * 3), (40.0, [0, 0, 1]), (-40.0, [1, 0, 0])],
    ids=["random", "top", "lowest"],
)
def test_the_other_rules_are_its_ends_and_its_middle(exponent, expected):
    assert share(weights(LOGS, FREE, exponent)) == pytest.approx(expected, abs=1e-9)


def test_more_wrong_than_knowing_nothing_is_not_harder():
    low, chance, wrong = log_loss(np.array([0.1, 2.4, 50.0]), classes=10)

    assert low < chance == wrong


@pytest.mark.parametrize("exponent", [-4.0, 0.0, 4.0])
def test_every_example_has_a_choice(exponent):
    logs = log_loss(np.array([[500.0, 501.0], [0.0, 0.0]]), classes=10)
    w = weights(logs, np.ones((2, 2)), exponent)

    assert np.isfinite(w).all()
    assert (w.sum(axis=1) > 0).all()
    assert w[1, 0] == w[1, 1]


def seen(adaptive, cell, *, right, n=500, loss=1.0):
    """Note n candidates in which a cell fired (-1: none), a share of which was recognised."""
    hits = (np.arange(n) < right * n).reshape(-1, 1)
    adaptive.weights(np.full((n, 1), loss), hits, np.full((n, 1), cell))


@pytest.mark.parametrize(
    ("right", "guard"), [(0.9, 1.0), (0.6, 1.0), (0.1, 0.0), (0.0, 0.0), (0.3, 0.5)]
)
def test_the_guard_falls_where_less_than_half_is_recognised(right, guard):
    adaptive = Adaptive(2, classes=10)
    for _ in range(9):
        seen(adaptive, -1, right=0.9)
    seen(adaptive, 0, right=right)
    assert (adaptive.guard() == 1).all()  # The state changes only between epochs.
    adaptive.end_epoch(0.5, 0.5, CPU)

    usual = (4050 + 500 * right) / 5000 - 0.1
    if 0 < guard < 1:
        guard = (right - 0.1) / (HALF * usual)
    assert adaptive.guard()[0] == pytest.approx(guard, abs=0.08)
    assert adaptive.guard()[1] == 1
    adaptive.strength = 0.0
    found = adaptive.foreseen(np.array([[0, -1], [1, -1], [-1, -1], [0, 1]]), 4)[0]
    assert found == pytest.approx([adaptive.guard()[0], 1, 1, adaptive.guard()[0]])


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


def test_views_that_are_too_easy_make_the_next_ones_harder():
    adaptive = Adaptive(2, classes=10)
    adaptive.strength, adaptive.unseen = 0.5, 0.8
    strengths = []
    for share in (1.0, 0.5, 1.0, 2.0):
        adaptive.end_epoch(0.8, share * SHARE * 0.8, CPU)
        strengths.append(adaptive.strength)

    step = GAIN * math.log(2)
    assert strengths == pytest.approx([0.5, 0.5 + step, 0.5 + step, 0.5])


def test_an_epoch_is_held_against_its_beginning_and_its_end():
    adaptive = Adaptive(2, classes=10)
    adaptive.strength, adaptive.unseen = 0.5, 1.0
    adaptive.end_epoch(0.25, SHARE * 0.5, CPU)

    assert adaptive.strength == pytest.approx(0.5)


def test_more_is_borne_while_the_learning_rate_is_high():
    adaptive = Adaptive(2, classes=10)
    adaptive.strength, adaptive.unseen = 0.5, 1.0
    for lr, share in ((0.05, 2.0), (0.1, 2.0), (0.05, 1.5), (0.0, 1.0)):
        adaptive.end_epoch(1.0, share * SHARE, CPU, lr=lr)

        assert adaptive.strength == pytest.approx(0.5)


@pytest.mark.parametrize(("trained", "end"), [(1.0, 0.0), (0.0, 1.0)], ids=["never", "by heart"])
def test_strength_stays_between_the_plain_example_and_the_proportional_rule(trained, end):
    adaptive = Adaptive(2, classes=10)
    assert adaptive.strength == 0
    for _ in range(5):
        adaptive.end_epoch(1.0, trained, CPU)

    assert adaptive.strength == end


def test_without_unseen_data_it_is_half_way_to_the_proportional_rule():
    adaptive = Adaptive(2, classes=10)
    adaptive.end_epoch(None, 0.5, CPU)

    found = adaptive.weights(LOSSES[:, :2], np.ones((1, 2), bool), np.full((2, 1), -1))
    roots = LOSSES[0, :2] ** HALFWAY
    assert share(found) == pytest.approx(roots / roots.sum())


def test_losses_are_foreseen_from_the_effects_of_operations():
    adaptive = Adaptive(3, classes=10)
    seen(adaptive, -1, right=0.9, n=1_000_000, loss=0.2)
    for cell, loss in enumerate((0.4, 0.1)):
        seen(adaptive, cell, right=0.9, n=10_000, loss=loss)
    adaptive.end_epoch(None, 0.5, CPU)
    adaptive.strength = 1.0
    sequences = np.array([[-1, -1], [0, -1], [1, -1], [0, 1], [0, 0], [2, -1]])

    found = share(adaptive.foreseen(sequences, 6))
    assert found / found[0] == pytest.approx([1, 2, 0.5, 1, 4, 1], rel=0.01)


def test_memory_comes_back():
    one = Adaptive(2, classes=10)
    seen(one, -1, right=0.9)
    seen(one, 1, right=0.2)
    one.end_epoch(0.7, 0.6, CPU, lr=0.1)
    two = Adaptive.from_state_dict(one.state_dict())

    facts = ("strength", "unseen", "peak", "classes")
    assert [getattr(two, f) for f in facts] == [getattr(one, f) for f in facts]
    assert (two.guard() == one.guard()).all()


@operation(name="Destroy")
def destroy(image, _value):
    """Destroy the image completely."""
    return np.full_like(image, 7)


class Blind(nn.Module):
    """Recognise all images but destroyed ones; confidence falls with the distance from the mean."""

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
            facts = augmenter.end_epoch(Epoch(epoch + 1, 0.1, 1.0, 0.5))
        shares[rule] = facts["operations"]["Destroy"]

    plain = 1 / len(space)
    assert shares["top"] > 0.6  # 1 - (1 - 1/5)^4 of the examples have a destroyed candidate.
    assert shares["proportional"] > 2 * plain
    assert shares["adaptive"] < plain / 2


def _spare():
    from automorph.operations import named_space

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

    strength, before = 0.0, math.log(10)
    for number, record in enumerate(curves, 1):
        unseen = math.sqrt(before * record.validation_loss)
        target = SHARE * (1 + record.lr / max(earlier.lr for earlier in curves[:number]))
        strength += GAIN * math.log(target * unseen / record.loss)
        strength = max(0.0, min(1.0, strength))
        assert record.augmenter["strength"] == pytest.approx(strength)
        before = record.validation_loss


SPARE = Uniform(operations=_spare(), length=1)


@pytest.fixture
def third(raw_batch):
    """A hundred examples of the class that the model recognises."""
    labels = np.tile(np.eye(10, dtype=np.float32)[3], (100, 1))
    return replace(raw_batch(100), labels=labels)


def test_without_strength_nothing_is_done_and_nothing_scored(third):
    augmenter = Uncertainty(draws=SPARE, rule="adaptive").build()

    assert torch.equal(augmenter(third, Blind()).inputs, third.encode())
    assert augmenter.units() == Units()


def test_at_full_strength_it_is_the_proportional_rule(third):
    adaptive, proportional = (
        Uncertainty(draws=SPARE, rule=rule).build() for rule in ("adaptive", "proportional")
    )
    adaptive(third, Blind())
    adaptive.adaptive.unseen = 100.0
    adaptive.end_epoch(Epoch(1, 0.1, 1.0, 0.5, validation_loss=100.0))
    adaptive(third, Blind()), proportional(third, Blind())

    assert adaptive.scored[0] == pytest.approx(proportional.scored[0])  # The same candidates.
    one, two = (a.scored[1, 0] / a.scored[1, 1] for a in (adaptive, proportional))
    assert one == pytest.approx(two, rel=0.1)


def test_a_single_candidate_is_never_scored(third):
    augmenter = Uncertainty(draws=SPARE, rule="adaptive", candidates=1).build()
    augmenter(third, Blind())
    augmenter.adaptive.unseen = 100.0
    augmenter.end_epoch(Epoch(1, 0.1, 1.0, 0.5, validation_loss=100.0))
    batch = augmenter(third, Blind())

    assert augmenter.units() == Units()
    assert torch.equal(batch.inputs, PolicyAugmenter(SPARE)(third).inputs)


def test_steps_without_scores_are_chosen_by_what_scores_have_told(third):
    augmenter = Uncertainty(
        draws=composition(1, "randaugment"), rule="adaptive", scoring=Scoring(every=2)
    ).build()
    augmenter(third, Blind())
    augmenter.adaptive.unseen = 100.0
    augmenter.end_epoch(Epoch(1, 0.1, 1.0, 0.5, validation_loss=100.0))
    augmenter(third, Blind())
    augmenter.tally.close(CPU)
    shares = []
    for effect in (0.0, 3.0, -3.0):
        effects = np.full(augmenter.tally.fired.size, effect)
        augmenter.adaptive.effects = lambda effects=effects: effects
        augmenter(replace(third, step=1), Blind())
        assert augmenter.units() == Units()
        shares.append(sum(augmenter.tally.close(CPU)["operations"].values()))

    same, harder, easier = shares
    assert easier < 0.2 < 0.4 < same < 0.6 < 0.8 < harder
