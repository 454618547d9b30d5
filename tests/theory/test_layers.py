"""Deep models approximated at a layer, against slow second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from automorph.errors import UsageError
from automorph.theory.layers import (
    AveragedAt,
    SplitNetwork,
    averaging_cost,
    layer_loss,
    layer_objectives,
    layer_scores,
    split_at,
    spread_term,
)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 8),
            nn.Tanh(), nn.Linear(8, 4),
        ).double()  # fmt: skip


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(5, 1, 1, 8, 8, generator=generator, dtype=torch.float64)
    noise = torch.randn(5, 6, 1, 8, 8, generator=generator, dtype=torch.float64)
    return x + 0.05 * noise, torch.tensor([0, 1, 2, 3, 0])


def features(split, copies):
    found = split.body(copies.flatten(0, 1))
    return found.reshape(*copies.shape[:2], *found.shape[1:])


def by_jacobian(split, copies):
    """The Jacobian of each example, with one backward pass per class."""
    total = 0.0
    for phi in features(split, copies).detach():
        psi = phi.mean(0)
        jacobian = torch.autograd.functional.jacobian(lambda p: split.head(p[None])[0], psi)
        moves = (phi - psi).flatten(1) @ jacobian.flatten(1).T
        total += spread_term(split.head(psi[None]), moves[None])
    return total / len(copies)


def by_hessian(split, copies, labels):
    """The loss's own second derivative by the features (piecewise linear heads)."""
    total = 0.0
    for phi, label in zip(features(split, copies).detach(), labels, strict=True):
        psi = phi.mean(0)

        def loss(p, label=label):
            return nn.functional.cross_entropy(split.head(p[None]), label[None])

        for move in phi - psi:
            along = torch.autograd.functional.hvp(loss, psi, move)[1]
            total += 0.5 * (along * move).sum() / len(phi)
    return total / len(copies)


@pytest.mark.parametrize("layer", range(7))
def test_the_regulariser_is_that_of_the_jacobian_at_every_layer(model, batch, layer):
    split = split_at(model, layer)
    assert split.linear == (layer == 6)
    found = spread_term(*layer_scores(split, batch[0]))
    torch.testing.assert_close(found, by_jacobian(split, batch[0]), rtol=1e-9, atol=1e-12)


def test_all_forms_agree_for_a_linear_head(model, batch):
    split = split_at(model, 6)
    found = spread_term(*layer_scores(split, batch[0]))
    general = SplitNetwork(split.body, split.head, linear=False)
    torch.testing.assert_close(found, spread_term(*layer_scores(general, batch[0])))
    torch.testing.assert_close(found, by_hessian(split, *batch), rtol=1e-9, atol=1e-12)


def test_the_second_derivative_agrees_for_a_head_of_linear_pieces(model, batch):
    model[5] = nn.ReLU()
    split = split_at(model, 3)
    found = spread_term(*layer_scores(split, batch[0]))
    torch.testing.assert_close(found, by_hessian(split, *batch), rtol=1e-9, atol=1e-12)


def test_objectives_and_losses_are_the_same_numbers(model, batch):
    split = split_at(model, 4)
    found = layer_objectives(split, *batch)
    for order in ("exact", "first", "second", "variance"):
        assert layer_loss(split, *batch, order=order).item() == pytest.approx(getattr(found, order))
    assert found.regulariser > 0
    single = layer_objectives(split, batch[0][:, :1], batch[1])
    assert single.exact == pytest.approx(single.original)
    assert single.second == pytest.approx(single.first, abs=1e-12)


def test_second_order_is_closer_and_can_be_trained_at_every_layer(model, batch):
    for layer in (3, 4, 6):
        found = layer_objectives(split_at(model, layer), *batch)
        assert abs(found.second - found.exact) < abs(found.first - found.exact)
    layer_loss(split_at(model, 2), *batch, order="second").backward()
    weight, step = model[0].weight, torch.zeros_like(model[0].weight)
    step[0, 0, 1, 1] = 1e-6
    with torch.no_grad():
        values = []
        for sign in (1, -1):
            weight += sign * step
            values.append(layer_loss(split_at(model, 2), *batch, order="second").item())
            weight -= sign * step
    numeric = (values[0] - values[1]) / 2e-6
    assert weight.grad[0, 0, 1, 1].item() == pytest.approx(numeric, rel=1e-4)


def test_a_network_that_averages(model, batch):
    averaged = AveragedAt(model, 4)
    loss = nn.functional.cross_entropy(averaged(batch[0]), batch[1])
    assert loss.item() == pytest.approx(layer_objectives(split_at(model, 4), *batch).first)
    torch.testing.assert_close(AveragedAt(model, 0)(batch[0]), model(batch[0].mean(1)))
    with pytest.raises(UsageError, match="layer 7 of a network with 7 layers; expected 0 to 6"):
        AveragedAt(model, 7)


def test_averaging_early_costs_less():
    times = [123, 94, 41, 40, 30]
    costs = [averaging_cost(times, layer=k, copies=16) for k in range(6)]
    assert costs == pytest.approx([0.0625, 0.414, 0.683, 0.800, 0.914, 1.0], abs=5e-4)
