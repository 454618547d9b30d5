"""Positive weights of labels: what a balanced training of several labels minimises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from automorph.data import from_arrays
from automorph.errors import UsageError
from automorph.training import as_task
from automorph.training.balance import Balance, label_weights

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (80, 8, 8), np.uint8)
LABELS = (RANDOM.random((80, 3)) < [0.5, 0.3, 0.15]).astype(int)


def task_of(**recipe):
    data = from_arrays(IMAGES, LABELS, classes=("a", "b", "c"), target="labels")
    return as_task(data, model="cnn:4", recipe={"epochs": 1, **recipe})


def test_present_labels_get_the_weights_of_their_rarity():
    task = task_of(balance="loss")
    balance = Balance(task)
    shares = task.data.train.annotations.mean(axis=0)
    np.testing.assert_allclose(balance.target.weights, (1 - shares) / shares)
    assert balance.weights(torch.ones(2, 3)) is None


def test_plain_losses_judge_balanced_logits_after_a_shift():
    task = task_of(balance="loss")
    balance = Balance(task)
    shares = torch.tensor(task.target.shares, dtype=torch.float32)
    # The best constant logits of the weighted loss are 0: both sides weigh the same.
    labels = torch.from_numpy(task.target.encode(task.data.train.annotations))
    zero = torch.zeros_like(labels)
    assert balance.target.gradient(zero, labels).sum(0).abs().max() < 1e-4
    expected = replace(task.target).loss(torch.logit(shares).expand_as(labels), labels)
    torch.testing.assert_close(balance.as_common.loss(zero, labels), expected)


@pytest.mark.parametrize("kind", ["sampler", "logits"])
def test_other_kinds_are_refused(kind):
    with pytest.raises(UsageError, match="expected none or loss"):
        Balance(task_of(balance=kind))


def test_labels_without_both_kinds_of_examples_weigh_one():
    assert label_weights(np.array([0.0, 1.0])).tolist() == [1, 1]
