"""Uncertainty sampling: the rows that are scored are the rows that are trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from automorph.augmenters import Scoring, Uncertainty, as_treatment
from automorph.augmenters.base import composition, views
from automorph.errors import PolicyError, UsageError
from automorph.policies import load_policy
from automorph.training import PolicyAugmenter, Units, train

TAIL = (load_policy("crop"), load_policy("cutout(2)"))
MIXED = (load_policy("crop"), load_policy("mixup"))


class Brightness(nn.Module):
    """A model for which bright inputs are hard: the loss of class 0 is the softplus of the mean."""

    def forward(self, x):
        mean = x.flatten(1).mean(dim=1)
        return torch.stack([-mean, torch.zeros_like(mean)], dim=1)


def method(**options):
    return Uncertainty(**{"draws": composition(2, "randaugment"), "after": TAIL, **options})


@pytest.fixture
def bright(raw_batch):
    """Sixteen examples of class 0 of two, for the model above."""

    def make(**options):
        raw = raw_batch(16, **options)
        labels = np.tile(np.array([[1, 0]], np.float32), (16, 1))
        return type(raw)(**{**raw.__dict__, "labels": labels})

    return make


@pytest.mark.parametrize("after", [TAIL, MIXED], ids=["tail", "mixup"])
@pytest.mark.parametrize("rule", ["top", "proportional", "random", "lowest"])
def test_one_candidate_is_a_random_composition_bit_for_bit(task, same, rule, after):
    one = method(candidates=1, rule=rule, after=after)
    plain = composition(2, "randaugment").name + "".join(f" + {p.name}" for p in after)

    assert same(train(task, one, seed=3), train(task, plain, seed=3))


@pytest.mark.parametrize("candidates", [1, 5])
def test_random_is_a_random_composition_whatever_the_candidates(task, same, candidates):
    result = train(task, method(candidates=candidates, rule="random"), seed=1)

    assert same(result, train(task, method().policy, seed=1))
    assert result.units == Units(300, 300)


def test_rows_of_an_example_are_adjacent(raw_batch):
    raw = raw_batch(10)
    batch = views(load_policy("none"), raw, 3)

    assert batch.views == 3
    assert batch.index.tolist() == np.repeat(raw.index, 3).tolist()
    assert torch.equal(batch.inputs, raw.encode()[np.repeat(np.arange(10), 3)])
    assert torch.equal(
        batch.labels.argmax(1), torch.tensor(raw.labels.argmax(1)).repeat_interleave(3)
    )


def test_more_candidates_leave_the_first_ones_as_they_are(raw_batch):
    policy, raw = method(after=MIXED).policy, raw_batch(8)
    two, four = views(policy, raw, 2), views(policy, raw, 4)

    torch.testing.assert_close(four.inputs.view(8, 4, -1)[:, :2], two.inputs.view(8, 2, -1))
    torch.testing.assert_close(four.labels.view(8, 4, -1)[:, :2], two.labels.view(8, 2, -1))


@pytest.mark.parametrize("after", [TAIL, MIXED], ids=["tail", "mixup"])
@pytest.mark.parametrize("selected", [1, 2])
@pytest.mark.parametrize("rule", ["top", "lowest"])
def test_the_very_tensors_that_were_scored_are_trained_on(bright, rule, selected, after):
    chosen = method(rule=rule, selected=selected, after=after).build()
    raw, model = bright(), Brightness()
    batch = chosen(raw, model)
    candidates = views(method(after=after).policy, raw, 4)

    losses = -(candidates.labels * model(candidates.inputs).log_softmax(1)).sum(1).view(16, 4)
    order = losses.argsort(dim=1, descending=rule == "top", stable=True)[:, :selected]
    rows = (torch.arange(16)[:, None] * 4 + order).ravel()
    assert torch.equal(batch.inputs, candidates.inputs[rows])
    assert torch.equal(batch.labels, candidates.labels[rows])
    assert batch.index.tolist() == np.repeat(raw.index, selected).tolist()
    assert batch.views == selected
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)


def test_all_candidates_are_trained_on_once_if_all_are_selected(bright):
    raw = bright()
    batch = method(rule="top", selected=4).build()(raw, Brightness())
    candidates = views(method().policy, raw, 4)

    same = batch.inputs.flatten(1).view(16, 4, -1).sort(dim=1).values
    torch.testing.assert_close(
        same, candidates.inputs.flatten(1).view(16, 4, -1).sort(dim=1).values
    )


def test_selected_losses_are_in_the_order_of_the_rules(bright):
    picked = {}
    for rule in ("lowest", "proportional", "top"):
        augmenter = method(rule=rule).build()
        for epoch in range(5):
            augmenter(bright(epoch=epoch), Brightness())
        (whole, n), (chosen, s) = augmenter.scored
        picked[rule] = chosen / s - whole / n
        assert (n, s) == (5 * 64, 5 * 16)

    assert picked["lowest"] < 0 < picked["proportional"] < picked["top"]


def test_a_choice_is_a_pure_function_of_seed_epoch_and_example(bright):
    one, two = (method(rule="proportional").build() for _ in range(2))
    one(bright(epoch=4), Brightness())
    first, second = one(bright(), Brightness()), two(bright(), Brightness())

    assert torch.equal(first.inputs, second.inputs)
    other = two(bright(seed=9), Brightness())
    assert not torch.equal(first.inputs, other.inputs)


def test_steps_without_scores_are_random_compositions(bright):
    augmenter = method(rule="top", scoring=Scoring(every=2)).build()
    plain = PolicyAugmenter(method().policy)

    for step, blind in ((0, False), (1, True)):
        batch = augmenter(bright(step=step), Brightness())
        assert torch.equal(batch.inputs, plain(bright(step=step)).inputs) == blind
        assert augmenter.units() == Units(forward=0 if blind else 64)


@pytest.mark.parametrize(
    ("scoring", "forward"),
    [
        (Scoring(), 4 * 300),
        (Scoring(size=0.5), 300),
        (Scoring(every=2), 4 * 150),
        (Scoring(every=2, size=0.5), 150),
    ],
    ids=str,
)
def test_scoring_costs_forward_passes(task, scoring, forward):
    result = train(task, method(rule="top", scoring=scoring))

    assert result.units == Units(300 + forward, 300)


def test_more_selected_views_cost_like_a_larger_batch(task):
    assert train(task, method(candidates=4, selected=2)).units == Units(600 + 1200, 600)


def test_what_was_trained_on_joins_the_record(task):
    curves = train(task, method(rule="proportional"), seed=2).curves

    for record in curves:
        facts = record.augmenter
        assert facts["operations"].keys() == set(composition(2, "randaugment").space.names)
        # Two operations, each with a fair coin, so one fires on average; the tail is not counted.
        assert sum(facts["operations"].values()) == pytest.approx(1, abs=0.3)
        assert all(0 <= m <= 1 for m in facts["magnitudes"].values())
        assert facts["selected_loss"] >= facts["candidate_loss"] > 0


def test_realised_operations_are_counted_where_they_fire(raw_batch):
    draws = load_policy("randaugment(n=1,m=15)")
    augmenter = Uncertainty(
        draws=draws, rule="random", before=(load_policy("flip-crop"),), after=TAIL
    ).build()
    facts = augmenter(raw_batch(90), None) and augmenter.tally.close(torch.device("cpu"))

    assert sum(facts["operations"].values()) == pytest.approx(1, abs=1e-4)
    fired = [m for name, m in facts["magnitudes"].items() if facts["operations"][name] > 0]
    assert fired == pytest.approx([0.55] * len(fired))
    assert augmenter.tally.close(torch.device("cpu"))["operations"]["Rotate"] == 0


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"candidates": 0}, PolicyError, "c=0"),
        ({"selected": 5}, PolicyError, "s=5; expected a whole number from 1 to 4"),
        ({"rule": "hardest"}, UsageError, "rule='hardest'; expected one of top"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, error, words):
    with pytest.raises(error, match=words):
        method(**wrong)


def test_a_tail_may_be_an_option_or_a_stage():
    assert as_treatment("uncertainty(c=2,tail=crop + cutout(2))") == as_treatment(
        "uncertainty(c=2) + crop + cutout(2)"
    )
