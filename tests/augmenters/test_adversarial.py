"""Adversarial AutoAugment inside training: rows, updates, monitor, resume."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automorph.augmenters import Adversarial, as_treatment
from automorph.errors import PolicyError
from automorph.operations import named_space
from automorph.policies import Mixture
from automorph.training import Epoch, Units, train

SPACE = named_space("randaugment")
RECORD = Epoch(1, 0.1, 1.0, 0.5)


def method(**options):
    return Adversarial(**{"operations": SPACE, "count": 3, **options})


def begun(raw, **options):
    augmenter = method(**options).build()
    augmenter(raw)
    return augmenter


def test_every_policy_gets_every_example_in_rows_of_its_own(raw_batch):
    raw, augmenter = raw_batch(7), method().build()
    batch = augmenter(raw)

    assert (batch.views, len(batch)) == (3, 21)
    assert batch.index.tolist() == np.repeat(raw.index, 3).tolist()
    for copy, policy in enumerate(augmenter.policies):
        examples = policy.augment(raw.examples, index=raw.index, copy=copy)
        assert torch.equal(batch.inputs[copy::3], raw.encode(examples))


def test_losses_reach_the_policies_that_caused_them(raw_batch):
    augmenter = begun(raw_batch(4))
    augmenter.feedback(torch.tensor([1.0, 2.0, 6.0]).repeat(4))
    augmenter.feedback(torch.tensor([3.0, 2.0, 0.0]).repeat(2))

    assert augmenter.losses[0].tolist() == [10.0, 12.0, 24.0]
    assert augmenter.losses[1].tolist() == [6.0, 6.0, 6.0]


def test_policies_are_what_the_network_decided(raw_batch):
    augmenter = begun(raw_batch(4), subpolicies=2, levels=5)
    decisions = augmenter.decisions.reshape(3, 2, 2, 2)

    for policy, pairs in zip(augmenter.policies, decisions.tolist(), strict=True):
        assert isinstance(policy, Mixture)
        for steps, pair in zip(policy.subpolicies, pairs, strict=True):
            assert [(s.operation, s.magnitude, s.probability) for s in steps] == [
                (SPACE.names[op], level / 4, 1.0) for op, level in pair
            ]


def test_stages_around_the_method_stay(raw_batch):
    arm = as_treatment("crop + adversarial(m=2,space=randaugment) + cutout(2)")
    augmenter = arm.build()
    augmenter(raw_batch(4))

    assert [p.name for p in augmenter.policies] == ["crop + adversarial + cutout(2)"] * 2


def test_a_network_as_it_begins_draws_like_the_random_control():
    """Make the controller uniform over operations and levels at every position."""
    method_ = method(count=40, subpolicies=5)
    augmenter = method_.build()
    augmenter._written(0)
    op, level = augmenter.decisions.reshape(-1, 2).numpy().T

    n = len(op)
    for found, size in ((op, len(SPACE)), (level, 10)):
        share = np.bincount(found, minlength=size) / n
        assert np.abs(share - 1 / size).max() < 5 * np.sqrt(1 / size / n)
    assert method_.policy.name == "composition(n=2,p=1,levels=10)"


def test_the_update_is_made_at_the_end_of_the_epoch(raw_batch):
    augmenter = begun(raw_batch(4))
    first = augmenter.decisions
    for _ in range(5):
        augmenter.feedback(torch.rand(12))
        augmenter(raw_batch(4))
    assert augmenter.decisions is first
    assert augmenter.end_epoch(RECORD)["updates"] == 1
    augmenter(raw_batch(4, epoch=1))

    assert not torch.equal(augmenter.decisions, first)
    assert augmenter.losses.sum() == 0


def test_or_every_so_many_steps(raw_batch):
    augmenter = begun(raw_batch(4), every=2)
    updates = []
    for _ in range(5):
        augmenter(raw_batch(4))
        augmenter.feedback(torch.rand(12))
        updates.append(augmenter.updates)

    assert updates == [0, 1, 1, 2, 2]
    assert augmenter.end_epoch(RECORD)["updates"] == 2


def weights(augmenter):
    return torch.cat([w.detach().ravel().clone() for w in augmenter.controller.parameters()])


def test_one_policy_alone_teaches_nothing(raw_batch):
    augmenter = begun(raw_batch(4), count=1, entropy=0.0)
    before = weights(augmenter)
    augmenter.feedback(torch.rand(4))
    augmenter.end_epoch(RECORD)

    assert torch.equal(weights(augmenter), before)


def test_harder_policies_become_likelier(raw_batch):
    augmenter = begun(raw_batch(4), rate=1e-2)
    decisions = augmenter.decisions
    before = augmenter.controller.read(decisions).log_probability.detach()
    augmenter.feedback(torch.tensor([1.0, 5.0, 2.0]).repeat(4))
    augmenter.end_epoch(RECORD)
    change = augmenter.controller.read(decisions).log_probability.detach() - before

    assert change[1] > 0 > change[0]


def test_the_monitor_tells_of_a_collapse(raw_batch):
    augmenter = begun(raw_batch(4), count=8, rate=0.02, subpolicies=1)
    facts = []
    for epoch in range(40):
        augmenter(raw_batch(4, epoch=epoch))
        share = (augmenter.decisions[:, ::2] == 3).double().mean(dim=1)
        augmenter.feedback(share.repeat(4))
        facts.append(augmenter.end_epoch(RECORD))

    assert (facts[0]["collapsed"], facts[-1]["collapsed"]) == (False, True)
    assert facts[0]["entropy"] == pytest.approx(1, abs=0.01)
    assert facts[-1]["operations"][SPACE.names[3]] > 0.8
    assert sum(facts[-1]["operations"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("every", [0, 3])
def test_a_run_in_parts_ends_like_one_at_once(task, same, tmp_path, every):
    arm = method(every=every, count=2)
    straight = train(task, arm, seed=3)
    for stop_epoch in (1, 2, None):
        resumed = train(task, arm, seed=3, folder=tmp_path, stop_epoch=stop_epoch)

    assert same(straight, resumed)
    facts = [[r.augmenter for r in run.curves] for run in (straight, resumed)]
    assert facts[0] == facts[1]


def test_background_threads_change_nothing(task, same):
    arm = method(count=2)

    assert same(train(task, arm, seed=1), train(task, arm, seed=1, workers=3))


def test_the_first_weights_hang_on_the_seed_alone(raw_batch):
    one, two, other = (begun(raw_batch(4, seed=s)) for s in (5, 5, 6))

    assert torch.equal(weights(one), weights(two))
    assert not torch.equal(weights(one), weights(other))
    assert torch.equal(one.decisions, two.decisions)


def test_every_view_costs_a_forward_and_a_backward_pass(task):
    assert train(task, method(count=4)).units == Units(1200, 1200)


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"every": -1}, {"subpolicies": 0}, {"length": 0}, {"rate": -1.0}]
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(PolicyError, match="adversarial got"):
        method(**wrong)
