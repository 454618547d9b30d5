"""The policy network: its draws, their probabilities, and the direction of its gradient."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from automorph.augmenters import Controller
from automorph.augmenters.policy_network import advantages, policy_gradient_loss
from automorph.operations import Stream
from automorph.training import Recipe
from automorph.training.optimiser import make_optimiser

REWARDS = torch.tensor([0.3, 1.1, 2.0, 0.1, 0.7, 1.5])


@pytest.fixture
def controller():
    torch.manual_seed(0)
    network = Controller(3, 2, hidden=6, embedding=4)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(30)  # Far from uniform, so that errors become visible.
    return network


ALL = torch.tensor(list(product(range(3), range(2))))
"""Every policy of one operation (of 3) and one level (of 2)."""


def gradient(controller, loss):
    controller.zero_grad()
    torch.autograd.backward(loss)
    return torch.cat(
        [torch.zeros_like(w).ravel() if w.grad is None else w.grad.ravel().clone()
         for w in controller.parameters()]
    )  # fmt: skip


def exact(controller):
    """The gradient of the expected reward, by enumeration."""
    p = controller.read(ALL).log_probability.exp()
    return gradient(controller, (p * REWARDS).sum())


def uniform(n, draws, seed=0):
    return torch.from_numpy(Stream(seed=seed, index=np.arange(n)).uniform("controller", draws))


def test_probabilities_are_those_of_the_draws(controller):
    with torch.no_grad():
        p = controller.read(ALL).log_probability.exp()
        decisions = controller.write(uniform(40_000, 2)).decisions
    counts = torch.bincount(2 * decisions[:, 0] + decisions[:, 1], minlength=6)

    assert p.sum() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(counts / 40_000, p, atol=0.01, rtol=0)


def test_what_is_read_again_is_what_was_written(controller):
    written = controller.write(uniform(50, 2))
    read = controller.read(written.decisions)

    assert torch.equal(written.log_probability, read.log_probability)
    assert torch.equal(written.entropy, read.entropy)
    assert torch.equal(written.operations, read.operations)


def test_entropy_is_largest_for_the_network_as_it_begins():
    torch.manual_seed(0)
    with torch.no_grad():
        written = Controller(16, 10).write(uniform(20, 20))

    assert written.entropy == pytest.approx([10 * np.log(16) + 10 * np.log(10)] * 20, rel=1e-3)
    assert written.operations == pytest.approx([1 / 16] * 16, rel=0.2)


def test_the_gradient_of_reinforce_is_that_of_the_expected_reward(controller):
    """Compute E[R grad log p] over all policies, each weighted by its probability."""
    found = torch.zeros_like(exact(controller))
    p = controller.read(ALL).log_probability.exp().detach()
    for i, policy in enumerate(ALL):
        loss = policy_gradient_loss(controller.read(policy[None]), REWARDS[i : i + 1], entropy=0.0)
        found -= p[i] * gradient(controller, loss)

    torch.testing.assert_close(found, exact(controller), rtol=1e-4, atol=1e-6)


def test_centred_rewards_of_two_policies_point_the_same_way(controller):
    """Each policy is in its own baseline, so M policies give (M - 1) / M of the gradient."""
    found = torch.zeros_like(exact(controller))
    p = controller.read(ALL).log_probability.exp().detach()
    for i, j in product(range(6), repeat=2):
        rewards = REWARDS[[i, j]]
        loss = policy_gradient_loss(
            controller.read(ALL[[i, j]]), rewards - rewards.mean(), entropy=0.0
        )
        found -= p[i] * p[j] * gradient(controller, loss)

    torch.testing.assert_close(found, exact(controller) / 2, rtol=1e-4, atol=1e-6)


def test_a_constant_added_to_all_rewards_changes_nothing(controller):
    decisions = controller.write(uniform(8, 2)).decisions
    losses = REWARDS[torch.arange(8) % 6]

    first, second = (
        gradient(
            controller,
            policy_gradient_loss(controller.read(decisions), advantages(r), entropy=0.0),
        )
        for r in (losses, losses + 5)
    )
    torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-5)


def test_the_order_of_policies_does_not_matter(controller):
    decisions, losses = controller.write(uniform(5, 2)).decisions, torch.rand(5)
    order = torch.tensor([3, 1, 4, 0, 2])

    gradients = [
        gradient(
            controller,
            policy_gradient_loss(
                controller.read(decisions[rows]), advantages(losses[rows]), entropy=1e-2
            ),
        )
        for rows in (torch.arange(5), order)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_advantages_are_centred_and_of_one_size():
    found = advantages(torch.tensor([0.2, 0.5, 1.9, 0.4]))

    assert found.mean() == pytest.approx(0, abs=1e-6)
    assert found.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("losses", [[1.7], [0.4] * 8])
def test_nothing_to_compare_gives_no_gradient(controller, losses):
    found = advantages(torch.tensor(losses))

    assert found.abs().max() < 1e-6
    read = controller.read(ALL[[0] * len(losses)])
    reached = gradient(controller, policy_gradient_loss(read, found, entropy=0.0))
    assert reached.abs().max() < 1e-6


def test_the_entropy_bonus_makes_the_network_more_uniform(controller):
    optimiser = make_optimiser(controller, Recipe(optimizer="adamw", lr=0.02, weight_decay=0.0))
    entropy = []
    for step in range(40):
        decisions = controller.write(uniform(8, 2, seed=step)).decisions.detach()
        read = controller.read(decisions)
        entropy.append(read.entropy.mean().item())
        torch.autograd.backward(policy_gradient_loss(read, torch.zeros(8), entropy=1.0))
        optimiser.step()
        optimiser.clear()

    assert entropy[-1] > entropy[0] + 0.3


def test_the_operation_of_highest_loss_is_found():
    torch.manual_seed(0)
    controller = Controller(6, 2)
    optimiser = make_optimiser(controller, Recipe(optimizer="adamw", lr=1e-2, weight_decay=0.0))
    losses = torch.tensor([0.5, 0.6, 0.4, 0.9, 0.5, 0.3])
    for step in range(150):
        with torch.no_grad():
            decisions = controller.write(uniform(8, 4, seed=step)).decisions
        reward = losses[decisions[:, ::2]].mean(dim=1)
        read = controller.read(decisions)
        torch.autograd.backward(policy_gradient_loss(read, advantages(reward), entropy=1e-5))
        optimiser.step()
        optimiser.clear()

    assert read.operations.argmax() == 3
    assert read.operations[3] > 0.8
