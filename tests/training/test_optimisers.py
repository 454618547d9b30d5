"""Optimisers and the running mean, against PyTorch's own and against plain sums."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from automorph.training.optimiser import Average, make_optimiser
from automorph.training.recipe import Recipe


def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 5))
    return layers.to(memory_format=torch.channels_last)


def torchs_own(model, recipe):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1]},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    options = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, betas=(recipe.momentum, 0.999), **options)
    return torch.optim.SGD(
        groups, momentum=recipe.momentum, nesterov=recipe.momentum > 0, **options
    )


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(lr=0.1, weight_decay=0.01),
        Recipe(lr=0.1, weight_decay=0.0),
        Recipe(lr=0.1, momentum=0.0),
        Recipe(optimizer="adamw", lr=0.01, weight_decay=0.1),
        Recipe(optimizer="adamw", lr=0.01, weight_decay=0.0, momentum=0.8),
    ],
)
def test_steps_are_those_of_pytorch(recipe):
    with torch.random.fork_rng():
        ours, theirs = network(), network()
        mine, other = make_optimiser(ours, recipe), torchs_own(theirs, recipe)
        for _ in range(8):
            x = torch.randn(6, 3, 8, 8)
            for model in (ours, theirs):
                model(x).square().mean().backward()
            mine.step()
            mine.clear()
            other.step()
            other.zero_grad()

    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_memory_survives_a_round_trip(name):
    with torch.random.fork_rng():
        recipe = Recipe(optimizer=name, lr=0.01)
        straight, parted = network(), network()
        one, two = make_optimiser(straight, recipe), make_optimiser(parted, recipe)
        for step in range(6):
            x = torch.randn(6, 3, 8, 8)
            if step == 3:
                saved = {name: t.contiguous().clone() for name, t in two.state_dict().items()}
                two = make_optimiser(parted, recipe)
                two.load_state_dict(saved)
            for model, optimiser in ((straight, one), (parted, two)):
                model(x).square().mean().backward()
                optimiser.step()
                optimiser.clear()

    for p, q in zip(straight.parameters(), parted.parameters(), strict=True):
        assert torch.equal(p, q)


def test_frozen_and_unused_weights_stay():
    model = nn.ModuleDict(
        {"used": nn.Linear(2, 2), "frozen": nn.Linear(2, 2), "idle": nn.Linear(2, 2)}
    )
    model["frozen"].requires_grad_(False)
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimiser = make_optimiser(model, Recipe(lr=1.0))

    model["used"](torch.ones(1, 2)).sum().backward()
    optimiser.step()

    moved = [name for name, p in model.named_parameters() if not torch.equal(p, before[name])]
    assert moved == ["used.weight", "used.bias"]


def test_the_average_is_the_mean_with_falling_weights():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average = Average(model, decay=0.5)
    expected = 1.0
    for step, value in enumerate([2.0, 4.0, 8.0]):
        nn.init.constant_(model.weight, value)
        average.update(model, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value

    assert average.model.weight.item() == pytest.approx(expected)


def test_the_average_takes_normalisation_statistics_along():
    model = nn.BatchNorm2d(2)
    average = Average(model, decay=0.9)
    with torch.random.fork_rng():
        model(torch.randn(4, 2, 3, 3) + 5)
    average.update(model, 10_000)

    expected = 0.1 * model.running_mean
    torch.testing.assert_close(average.model.running_mean, expected)
    assert average.model.num_batches_tracked == 1
