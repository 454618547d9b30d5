"""The gradient search: its reward, its estimator, and runs that resume after a kill."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from bandit import setting
from small_task import small_task

from automorph.errors import AutomorphError
from automorph.operations import SearchSpace, Stream, named_space, operation
from automorph.policies import load_policy
from automorph.searchers.dada import train
from automorph.searchers.dada.choices import Choices, choices_loss
from automorph.searchers.dada.searcher import Differentiable
from automorph.searchers.dada.train import alignments, validation_gradient
from automorph.training import soft_cross_entropy

TASK = small_task(epochs=4, n=100)
EVERY = torch.tensor(list(product(range(3), range(2), range(2))))[:, None]
"""Every decision at one position: 3 operations, firing or not, 2 levels."""
REWARDS = torch.tensor([0.3, 1.1, 2.0, 0.1, 0.7, 1.5, 0.2, 0.9, 0.4, 1.8, 0.6, 1.2]).double()


def one_hot(labels):
    return torch.nn.functional.one_hot(torch.from_numpy(labels), 10).float()


def test_an_alignment_is_the_product_of_two_gradients():
    model, part, held = TASK.build(1), TASK.data.train, TASK.data.parts["validation"]
    weights = list(model.parameters())
    before = [w.detach().clone() for w in weights]
    buffers = [b.clone() for b in model.buffers()]
    inputs, labels = TASK.encoder(part.data[:12]), one_hot(part.labels[:12])
    direction = validation_gradient(
        model, TASK.encoder(held.data[:30]), one_hot(held.labels[:30]), TASK.target
    )
    found = alignments(model, direction, inputs, labels, TASK.target)

    norm = torch.sqrt(sum((v**2).sum() for v in direction))
    model.eval()
    for i in range(12):
        loss = soft_cross_entropy(model(inputs[i : i + 1]), labels[i : i + 1]).sum()
        own = torch.autograd.grad(loss, weights)
        product_ = sum((a * b).sum() for a, b in zip(own, direction, strict=True)) / norm
        assert found[i].item() == pytest.approx(product_.item(), rel=0.02, abs=2e-3)
    assert all(torch.equal(a, b) for a, b in zip(before, weights, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(buffers, model.buffers(), strict=True))


@pytest.fixture
def choices():
    torch.manual_seed(0)
    made = Choices(1, 3, 2)
    with torch.no_grad():
        for weight in made.parameters():
            weight.normal_()
    return made


def probabilities(choices):
    """The probability of every decision; if nothing fires, the two levels share the probability."""
    p = choices.log_probability(EVERY).exp()
    return torch.where(EVERY[:, 0, 1] > 0, p, p / 2)


def gradient(choices, loss):
    choices.zero_grad()
    torch.autograd.backward(loss)
    return torch.cat([w.grad.ravel().clone() for w in choices.parameters()])


def test_probabilities_are_those_of_the_draws(choices):
    p = probabilities(choices).detach()
    drawn = choices.draw(Stream(index=np.arange(20_000)).uniform("test", 3))[:, 0]
    number = 4 * drawn[:, 0] + 2 * drawn[:, 1] + drawn[:, 2]
    counts = torch.bincount(number, minlength=12).double() / 20_000
    fired = EVERY[:, 0, 1] > 0
    assert p.sum() == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(counts[fired], p[fired], atol=0.015)
    idle = [counts[~fired].view(3, 2).sum(1), p[~fired].view(3, 2).sum(1)]
    np.testing.assert_allclose(*idle, atol=0.015)


def test_leaving_one_out_keeps_the_gradient_that_of_the_expected_reward(choices):
    """The expectation over all pairs of draws; an operation that does not fire has no level."""
    rewards = torch.where(EVERY[:, 0, 1] > 0, REWARDS, torch.tensor(0.8).double())
    exact = gradient(choices, (probabilities(choices) * rewards).sum())
    p, found = probabilities(choices).detach(), torch.zeros_like(exact)
    for i, j in product(range(12), repeat=2):
        log_p = choices.log_probability(EVERY[[i, j]]).view(1, 2)
        found -= p[i] * p[j] * gradient(choices, choices_loss(log_p, rewards[[i, j]].view(1, 2)))
    np.testing.assert_allclose(found, exact, rtol=1e-8, atol=1e-10)


def test_what_belongs_to_the_example_drops_out(choices):
    log_p = choices.log_probability(EVERY[:6]).view(3, 2)
    rewards = REWARDS[:6].view(3, 2)
    of_examples = torch.tensor([[5.0], [-3.0], [100.0]]).double()
    first = gradient(choices, choices_loss(log_p, rewards))
    log_p = choices.log_probability(EVERY[:6]).view(3, 2)
    second = gradient(choices, choices_loss(log_p, rewards + of_examples))
    np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9)


@operation(range=(0, 1), identity=0)
def noise(image, value, rng):
    """Replace a share of the pixels: a black box."""
    gone = rng.random(image.shape) < value
    return np.where(gone, rng.integers(0, 256, image.shape), image).astype(np.uint8)


MIXED = SearchSpace("mixed", (*named_space("randaugment").operations[:4], noise))


def search(trials=1, **options) -> Differentiable:
    return Differentiable(setting(TASK, trials, space=MIXED), **{"epochs": 3, **options})


def test_a_run_that_is_killed_goes_on_to_the_same_policy(tmp_path, monkeypatch):
    (job,) = search().ask()
    whole = job.run(TASK, tmp_path / "whole")

    class KillError(Exception):
        pass

    write = train.write_checkpoint

    def killed(*arguments):
        write(*arguments)
        raise KillError

    for _ in range(3):
        monkeypatch.setattr(train, "write_checkpoint", killed)
        with pytest.raises(KillError):
            job.run(TASK, tmp_path / "killed")
    monkeypatch.setattr(train, "write_checkpoint", write)
    again = job.run(TASK, tmp_path / "killed")
    assert (again.score, again.units, again.facts) == (whole.score, whole.units, whole.facts)
    assert whole.units.backward > 3 * len(TASK.data.train)


def test_black_boxes_are_learned_about_and_the_result_is_drawn_from_it(tmp_path):
    method = search(2)
    jobs = method.ask()
    assert len({str(job.describe()) for job in jobs}) == 2
    outcomes = [job.run(TASK, tmp_path) for job in jobs]
    method.tell(outcomes)
    assert method.ask() == []
    found = method.result()
    assert len(found.subpolicies) == 100
    learned = outcomes[0].facts
    assert np.sum(learned["operation"], axis=1) == pytest.approx([1, 1])
    assert np.ptp(learned["operation"]) > 0
    step = found.subpolicies[0][1]
    chance = learned["chance"][1][MIXED.number(step.operation)]
    assert step.probability == chance
    assert learned["entropies"][-1] < learned["entropies"][0] <= np.log(5) + 1e-9


def test_the_tail_may_mix_labels(tmp_path):
    mixed = replace(setting(TASK, 1, space=MIXED), post_policy=load_policy("crop + mixup"))
    (job,) = Differentiable(mixed, epochs=1).ask()
    assert np.isfinite(job.run(TASK, tmp_path).score)


def test_a_data_set_without_validation_part_is_refused(tmp_path):
    (job,) = search().ask()
    alone = TASK.data.replace(validation=None)
    with pytest.raises(AutomorphError, match="no validation part"):
        job.run(replace(TASK, data=alone), tmp_path)


@pytest.mark.slow
def test_what_destroys_is_chosen_less(tmp_path):
    """Ten epochs on the digits: pixels replaced by noise lose against small moves."""
    task = small_task(epochs=10, n=800)
    method = Differentiable(setting(task, 1, space=MIXED), epochs=10, rate=0.05)
    (job,) = method.ask()
    learned = job.run(task, tmp_path).facts
    mass = np.mean(learned["operation"], axis=0)
    destroys = MIXED.number("noise")
    used = mass * np.mean(learned["chance"], axis=0)
    assert used[destroys] < np.delete(used, destroys).mean()
