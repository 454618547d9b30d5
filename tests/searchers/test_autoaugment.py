"""AutoAugment: the two updates, the meaning of decisions, and the handling of failed children."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from bandit import SPACE, Lookup, setting
from small_task import small_task

from automorph.augmenters.policy_network import Controller, policy_gradient_loss
from automorph.errors import AutomorphError
from automorph.experiments import JobResult
from automorph.searchers.autoaugment import AutoAugment, ppo_loss

TASK = small_task()


def auto(trials=8, **options) -> AutoAugment:
    return AutoAugment(setting(TASK, trials), **{"subpolicies": 2, "length": 2, **options})


def gradient(controller, loss):
    controller.zero_grad()
    torch.autograd.backward(loss)
    return torch.cat([p.grad.ravel().clone() for p in controller.parameters()])


def test_the_first_step_of_ppo_is_reinforce():
    torch.manual_seed(0)
    controller = Controller(3, 2, 4).double()
    decisions = controller.write(torch.rand(5, 6).double()).decisions
    advantage = torch.tensor([0.3, -0.1, 0.0, 0.7, -0.4]).double()
    read = controller.read(decisions)
    first = gradient(
        controller, ppo_loss(read.log_probability, read.log_probability.detach(), advantage)
    )
    second = gradient(
        controller, policy_gradient_loss(controller.read(decisions), advantage, entropy=0.0)
    )
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("ratio", "advantage", "moves"),
    [(1.5, 1.0, False), (0.5, -1.0, False), (1.5, -1.0, True), (0.5, 1.0, True), (1.1, 1.0, True)],
)
def test_ppo_stops_where_a_policy_has_moved_far_enough(ratio, advantage, moves):
    log_p = torch.tensor([math.log(ratio)], requires_grad=True)
    loss = ppo_loss(log_p, torch.zeros(1), torch.tensor([advantage]))
    torch.autograd.backward(loss)
    assert (log_p.grad.abs().item() > 0) == moves


def test_three_kinds_of_decisions_make_one_distribution():
    torch.manual_seed(1)
    controller = Controller(3, 2, 4, hidden=6).double()
    every = torch.tensor(list(product(range(3), range(2), range(4))))
    with torch.no_grad():
        assert controller.read(every).log_probability.exp().sum() == pytest.approx(1, abs=1e-9)


def test_decisions_are_operations_chances_and_magnitudes():
    search = auto()
    policy = search._policy([3, 10, 9, 0, 0, 0, 1, 5, 3, 2, 1, 6])
    steps = [(s.operation, s.probability, s.magnitude) for sub in policy.subpolicies for s in sub]
    names = SPACE.names
    assert steps == [
        (names[3], 1.0, 1.0),
        (names[0], 0.0, 0.0),
        (names[1], 0.5, pytest.approx(1 / 3)),
        (names[2], 0.1, pytest.approx(2 / 3)),
    ]
    assert [len(sub) for sub in policy.subpolicies] == [2, 2]


def test_the_best_policies_are_joined_and_failures_lose():
    search = auto(8, batch=8, top=2)
    children = search.ask()
    scores = [0.1, 0.5, -math.inf, 0.2, 0.9, 0.3, 0.3, 0.0]
    search.tell([JobResult(score) for score in scores])
    assert search.ask() == []
    best = children[4].policy.subpolicies + children[1].policy.subpolicies
    assert search.result().subpolicies == best
    assert search.rewards[2] == 0
    assert all(torch.isfinite(p).all() for p in search.controller.parameters())


def test_told_the_same_it_asks_the_same():
    first, second = auto(12, batch=4), auto(12, batch=4)
    for _ in range(3):
        jobs, again = first.ask(), second.ask()
        assert [j.describe() for j in jobs] == [j.describe() for j in again]
        for search in (first, second):
            search.tell([Lookup(job.policy).run(None, None) for job in jobs])
    assert first.result() == second.result()


def test_a_reward_that_is_always_the_same_teaches_nothing():
    search = auto(4, batch=4, entropy=0.0)
    before = [p.detach().clone() for p in search.controller.parameters()]
    search.ask()
    search.tell([JobResult(0.7)] * 4)
    assert all(
        torch.equal(a, b) for a, b in zip(before, search.controller.parameters(), strict=True)
    )


@pytest.mark.parametrize("options", [{"update": "sgd"}, {"length": 0}, {"top": 0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(AutomorphError, match="autoaugment got"):
        auto(**options)
