"""LISA mixes only within a class or within a subgroup, and by nothing but seed and numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from marked_images import marked_data

from automorph.errors import UsageError
from automorph.robustness.builtin import LISA, load_method
from automorph.robustness.groups import Grouper, grouper_of
from automorph.robustness.lisa import mixed_batch, partner_groups
from automorph.training import Normaliser, PolicyAugmenter, RawBatch, make_task

GROUPER = Grouper(("a", "b"), ("x", "y", "z"))


def uniform(n, seed=0):
    return np.random.default_rng(seed).random((n, 2), np.float32)


def test_partners_share_the_class_or_the_subgroup():
    groups = np.repeat(np.arange(6), 400)
    found = partner_groups(groups, GROUPER, uniform(2400), share=0.25)
    assert (found != groups).all()
    same_class = found // 3 == groups // 3
    assert (found[~same_class] % 3 == groups[~same_class] % 3).all()
    assert abs(same_class.mean() - 0.25) < 0.04
    # The other subgroups of a class are drawn equally often.
    drawn = np.bincount(found[same_class & (groups == 0)], minlength=3)
    assert drawn[0] == 0
    assert abs(drawn[1] - drawn[2]) < 30


def test_a_group_without_the_wanted_partner_takes_the_other_kind():
    groups = np.array([0] * 50 + [1] * 50)  # One class only.
    found = partner_groups(groups, GROUPER, uniform(100), share=0.0)
    assert (found == 1 - groups).all()
    alone = np.zeros(10, np.int64)
    assert (partner_groups(alone, GROUPER, uniform(10), share=0.5) == 0).all()


@pytest.fixture(scope="module")
def task():
    return make_task(marked_data(), model="cnn:4")


def batch_of(task, rows, method, **changes):
    train, grouper = task.data.train, grouper_of(task.data)
    raw = RawBatch(
        examples=train.data[rows], labels=task.target.encode(train.labels[rows]), index=rows,
        seed=0, epoch=0, step=0, encoder=Normaliser((0.0,), (1.0,)),
    )  # fmt: skip
    return mixed_batch(
        replace(raw, **changes), PolicyAugmenter(None), method, task, grouper, grouper.of(train)
    )


@pytest.mark.parametrize("mix", ["cutmix", "mixup"])
def test_inputs_and_labels_are_mixed_alike_whatever_the_batch(task, mix):
    method, rows = LISA(mix=mix), np.arange(0, 380, 7)
    batch = batch_of(task, rows, method)
    again = batch_of(task, rows[::-1].copy(), method)
    torch.testing.assert_close(batch.inputs, again.inputs.flip(0))
    torch.testing.assert_close(batch.labels, again.labels.flip(0))
    assert not torch.equal(batch.inputs, batch_of(task, rows, method, seed=1).inputs)
    torch.testing.assert_close(batch.labels.sum(1), torch.ones(len(rows)))
    mixed = ((batch.labels > 0) & (batch.labels < 1)).any(1)
    assert 0.2 < mixed.float().mean() < 0.8  # Half of the partners have the same class.
    if mix == "cutmix":
        # What was pasted is a box, whose share of the area is the weight of the partner's label.
        own = Normaliser((0.0,), (1.0,))(task.data.train.data[rows])
        share = 1 - batch.labels[np.arange(len(rows)), task.data.train.labels[rows]]
        changed = (batch.inputs != own).float().mean((1, 2, 3))
        assert (changed[mixed] <= share[mixed] + 1e-6).all()


def test_weights_are_beta(task):
    labels = batch_of(task, np.arange(380), LISA(mix="mixup", share=0.0, alpha=2)).labels
    weights = labels[np.arange(380), task.data.train.labels].numpy()
    assert abs(weights.mean() - 0.5) < 0.04
    assert abs(weights.var() - 1 / 20) < 0.01


def test_options_are_checked():
    assert load_method("lisa(alpha=1)").name == "lisa(alpha=1)"
    for wrong in ("lisa(share=2)", "lisa(mix=patch)", "dfr(part=test)"):
        with pytest.raises(UsageError, match="expected"):
            load_method(wrong)
