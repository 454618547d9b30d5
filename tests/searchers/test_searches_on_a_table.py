"""Every search finds the best of six operations of known value; random search does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bandit import ARMS, BEST, SPACE, Lookup, conduct, setting, value

from automorph.experiments import JobResult
from automorph.operations import Stream
from automorph.policies import Mixture, load_policy
from automorph.searchers.autoaugment import AutoAugment
from automorph.searchers.dada.choices import Choices, choices_loss, drawn
from automorph.searchers.fast_autoaugment import FastAutoAugment
from automorph.searchers.pba import PopulationBased
from automorph.searchers.randaugment import RandAugmentSearch
from automorph.searchers.random_search import RandomSearch
from automorph.searchers.text_autoaugment import TextAutoAugment
from automorph.training import Recipe, as_task
from automorph.training.optimiser import make_optimiser


@pytest.fixture(scope="module")
def task():
    return as_task("digits", model="cnn:4", limit=100, recipe={"epochs": 60})


class Auto(AutoAugment):
    def child(self, policy):
        return Lookup(policy)


class Fast(FastAutoAugment):
    def network(self, fold):
        return Lookup(load_policy("none"))

    def child(self, policy, fold):
        return Lookup(policy)


class Text(TextAutoAugment):
    def child(self, policy):
        return Lookup(policy)


class Population(PopulationBased):
    def child(self, policy, *, member, parent, stop_epoch):
        return Lookup(policy)


class Random(RandomSearch):
    def ask(self):
        return [Lookup(job.policy) for job in super().ask()]


def gradient(seed: int, steps: int = 200) -> Mixture:
    """The update of the gradient search, with values of a table for alignments."""
    choices = Choices(2, len(ARMS))
    recipe = Recipe(optimizer="adamw", lr=2e-2, momentum=0.5, weight_decay=0.0)
    optimiser = make_optimiser(choices, recipe)
    values = torch.tensor(list(ARMS.values()), dtype=torch.float64)
    for step in range(steps):
        stream = Stream(seed=seed, epoch=step, index=np.arange(128))
        decisions = choices.draw(stream.uniform("table", 6))
        fired = decisions[..., 1].double()
        reward = (values[decisions[..., 0]] * fired).sum(1) / fired.sum(1).clamp(min=1)
        log_p = choices.log_probability(decisions)
        torch.autograd.backward(choices_loss(log_p.view(64, 2), reward.view(64, 2)))
        optimiser.step()
        optimiser.clear()
    facts = {
        "operation": choices.operation.detach().softmax(1).numpy(),
        "chance": choices.chance.detach().sigmoid().numpy(),
        "level": choices.level.detach().softmax(2).numpy(),
    }
    subpolicies = tuple(drawn(facts, SPACE, 100, seed=seed))
    return Mixture(label="gradient", operations=SPACE, subpolicies=subpolicies)


SEARCHES = {
    "autoaugment": lambda s: Auto(s(150), subpolicies=2, length=2),
    "autoaugment, reinforce": lambda s: Auto(s(150), subpolicies=2, update="reinforce"),
    "fast-autoaugment": lambda s: Fast(s(80), folds=1, subpolicies=2, length=1),
    "text-autoaugment": lambda s: Text(s(80), subpolicies=2, length=1),
    "pba": lambda s: Population(s(16), copies=1),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_ends_within_5_percent_of_the_best(name, task, tmp_path):
    method = SEARCHES[name](lambda trials: setting(task, trials))
    conduct(method, task, tmp_path)
    found = method.result()
    last = found.at(10**6) if name == "pba" else found
    assert value(last) > 0.95 * BEST


def test_the_update_of_the_gradient_search_does_too():
    assert value(gradient(seed=0)) > 0.95 * BEST


def test_random_search_does_not(task, tmp_path):
    """The control: as many policies of the same size, chosen without looking at scores."""
    method = Random(setting(task, 150), count=5)
    assert conduct(method, task, tmp_path) == 150
    assert np.mean(list(ARMS.values())) < value(method.result()) < 0.95 * BEST


class Strength(Lookup):
    """Six strengths of known value."""

    def run(self, task, folder):
        arm = min(5, int(6 * self.policy.high))
        return JobResult(list(ARMS.values())[arm])


@pytest.mark.parametrize("by", ["tpe", "grid"])
def test_the_search_over_two_numbers_finds_the_best_strength(by, task, tmp_path):
    class Two(RandAugmentSearch):
        def child(self, policy, seed):
            return Strength(policy, seed)

    method = Two(setting(task, 36), by=by)
    assert conduct(method, task, tmp_path) == 36
    assert 3 / 6 <= method.result().high < 4 / 6
