"""The augmenter protocol: what the loop passes in, and what it expects back."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pytest
import torch

from automorph.errors import PolicyError, UsageError
from automorph.policies import load_policy
from automorph.training import (
    Augmenter,
    Batch,
    PolicyAugmenter,
    Units,
    as_augmenter,
    soft_cross_entropy,
    train,
)


class Watching(Augmenter):
    """Augment nothing, record everything, and double batches if asked to."""

    needs_model = True

    def __init__(self, copies=1, weight=1.0):
        self.copies, self.weight = copies, weight
        self.raw, self.modes, self.batches, self.losses = [], [], [], []

    def __call__(self, raw, model):
        self.raw.append(raw)
        self.modes.append(model.training)
        model.eval()
        batch = raw.batch()
        batch = Batch(
            torch.cat([batch.inputs] * self.copies),
            torch.cat([batch.labels] * self.copies),
            np.concatenate([batch.index] * self.copies),
            torch.full((self.copies * len(batch),), self.weight),
        )
        self.batches.append(batch)
        return batch

    def feedback(self, losses):
        self.losses.append(losses)

    def units(self):
        return Units(forward=7, backward=3)


def test_the_loop_gives_everything_and_takes_it_back(task):
    watching = Watching(copies=2)
    result = train(task, watching, seed=5)

    n, epochs, steps = 100, 4, 4
    assert len(watching.raw) == len(watching.losses) == epochs * steps
    first = watching.raw[0]
    part = task.data.train
    assert (first.examples == part.data[first.index]).all()
    assert (first.labels.argmax(1) == part.labels[first.index]).all()
    assert [raw.epoch for raw in watching.raw] == np.repeat(range(epochs), steps).tolist()
    assert [raw.step for raw in watching.raw] == [0, 1, 2, 3] * epochs
    assert {raw.seed for raw in watching.raw} == {5}
    assert watching.modes == [True] * epochs * steps
    assert [len(losses) for losses in watching.losses] == [len(b) for b in watching.batches]
    assert not watching.losses[0].requires_grad
    assert result.units == Units(
        2 * n * epochs + 7 * epochs * steps, 2 * n * epochs + 3 * epochs * steps
    )


def test_losses_come_back_in_the_order_of_the_batch(task):
    class Last(Watching):
        def __call__(self, raw, model):
            batch = super().__call__(raw, model)
            batch.labels[-1] = 0.0  # Without a label there is no loss.
            return batch

    watching = Last()
    train(task.with_recipe(epochs=1, accumulate=3), watching)

    for losses in watching.losses:
        assert losses[-1] == 0
        assert (losses[:-1] > 0).all()


def test_weights_of_zero_teach_nothing(task):
    idle = task.with_recipe(epochs=1, weight_decay=0.0)
    result = train(idle, Watching(weight=0.0), seed=1)

    before = task.build(1).state_dict()
    for name, value in result.model.named_parameters():
        assert torch.equal(value, before[name])


def test_a_weight_of_two_is_like_a_double_rate_without_memory(task, same):
    plain = task.with_recipe(momentum=0.0, weight_decay=0.0, lr=0.02)
    half = plain.with_recipe(lr=0.01)

    assert same(train(plain, Watching()), train(half, Watching(weight=2.0)))


def test_views_of_an_example_are_never_parted(task):
    class Pairs(Watching):
        sizes: ClassVar[list[int]] = []

        def __call__(self, raw, model):
            batch = raw.batch()
            rows = np.repeat(np.arange(len(batch)), 2)
            return Batch(batch.inputs[rows], batch.labels[rows], batch.index[rows], views=2)

        def loss(self, logits, batch, *, smoothing=0.0):
            self.sizes.append(len(logits))
            assert torch.equal(batch.labels[0::2], batch.labels[1::2])
            assert (batch.index[0::2] == batch.index[1::2]).all()
            return super().loss(logits, batch, smoothing=smoothing)

    train(task.with_recipe(epochs=1, batch_size=25, accumulate=3), Pairs())

    assert Pairs.sizes == [16, 16, 18] * 4


def test_the_augmenter_has_the_say_about_the_loss(task, same):
    class Double(PolicyAugmenter):
        def loss(self, logits, batch, *, smoothing=0.0):
            assert smoothing == 0.1
            return 2 * soft_cross_entropy(logits, batch.labels, smoothing=smoothing)

    plain = task.with_recipe(epochs=2, momentum=0.0, weight_decay=0.0, label_smoothing=0.1, lr=0.02)

    assert same(train(plain, None), train(plain.with_recipe(lr=0.01), Double()))


def test_the_augmenter_has_the_say_about_the_rows_and_the_best_epoch(task):
    class Rare(PolicyAugmenter):
        def epoch_rows(self, n, batch_size, *, seed, epoch):
            return [np.arange(6) + 10 * epoch] * 4

        def __call__(self, raw, model=None):
            assert raw.index.tolist() == list(range(10 * raw.epoch, 10 * raw.epoch + 6))
            return raw.batch()

        def judge(self, seen):
            return -abs(len(seen.labels) - 100) + [0.1, 0.3, 0.2, 0.3][self.epochs]

        def end_epoch(self, record):
            self.epochs = record.epoch
            return {}

        epochs = 0

    result = train(task.with_recipe(select="best"), Rare())

    assert result.chosen == 2
    assert [epoch.validation_score for epoch in result.curves] == [0.1, 0.3, 0.2, 0.3]
    assert result.units.forward == 4 * 4 * 6


def test_what_an_augmenter_tells_of_an_epoch_joins_the_record(task, tmp_path):
    class Telling(PolicyAugmenter):
        def end_epoch(self, record):
            return {"epoch": record.epoch, "seen": record.validation_loss}

    result = train(task.with_recipe(epochs=2), Telling(), folder=tmp_path)

    assert [record.augmenter for record in result.curves] == [
        {"epoch": record.epoch, "seen": record.validation_loss} for record in result.curves
    ]
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["augmenter"]["epoch"] for line in lines] == [1, 2]


def test_a_policy_gets_seed_epoch_and_numbers(task):
    class Stub:
        def __init__(self):
            self.calls = []

        def augment(self, examples, *, labels, seed, epoch, index):
            self.calls.append((seed, epoch, index))
            return 255 - examples, labels[:, ::-1]

    stub = Stub()
    raw = Watching()
    train(task.with_recipe(epochs=2), raw, seed=3)
    train(task.with_recipe(epochs=2), stub, seed=3)

    assert [(seed, epoch) for seed, epoch, _ in stub.calls] == [(3, 0)] * 4 + [(3, 1)] * 4
    for (_, _, index), seen in zip(stub.calls, raw.raw, strict=True):
        assert (index == seen.index).all()
    batch = PolicyAugmenter(stub)(raw.raw[0])
    expected = raw.raw[0].encode(255 - raw.raw[0].examples)
    assert torch.equal(batch.inputs, expected)
    assert (batch.labels.argmax(1).numpy() == 9 - raw.raw[0].labels.argmax(1)).all()


def test_no_policy_and_the_policy_none_are_the_same(task, same):
    assert same(train(task, None), train(task, "none"))


@pytest.mark.parametrize(
    ("policy", "whole"),
    [
        (None, False),
        ("trivialaugment", False),
        ("mixup", True),
        ("cutmix", True),
    ],
)
def test_batches_are_seen_whole_where_examples_meet(policy, whole):
    assert as_augmenter(policy).whole_batch == whole


def test_policies_describe_themselves_by_content():
    described = [as_augmenter(name).describe() for name in (None, "flip", "flip(p=0.3)")]

    assert described[0] == "none"
    assert described[1] != described[2]
    assert as_augmenter(load_policy("flip")).describe() == described[1]


def test_an_augmenter_stays_what_it_is():
    watching = Watching()

    assert as_augmenter(watching) is watching


def test_a_spec_makes_an_augmenter_for_every_run():
    class Spec:
        name = "watching"
        policy = load_policy("none")
        table = policy.table

        def build(self):
            return Watching()

        def describe(self):
            return self.name

    first, second = as_augmenter(Spec()), as_augmenter(Spec())

    assert isinstance(first, Watching)
    assert first is not second


@pytest.mark.parametrize(("wrong", "error"), [(3, UsageError), ("flipp", PolicyError)])
def test_what_cannot_augment_is_refused(wrong, error):
    with pytest.raises(error):
        as_augmenter(wrong)
