"""Muon: against its plain definition, PyTorch's own, and what it must do on any network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from automorph.errors import UsageError
from automorph.training import Recipe, make_task, train
from automorph.training.muon import COEFFICIENTS, hidden_matrices, orthogonalised
from automorph.training.optimiser import make_optimiser

MUON = Recipe(
    optimizer="muon", lr=0.14, momentum=0.6, sgd_share=5 / 14, sgd_momentum=0.9, weight_decay=5e-4
)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def normalised():
    """A network in which a normalisation follows every convolution."""
    layers = [nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    layers += [nn.Conv2d(8, 8, 3, groups=2, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))


def direct(x, steps=5):
    """Newton-Schulz as it is written in the literature, on one matrix."""
    a, b, c = COEFFICIENTS
    if x.shape[0] > x.shape[1]:
        return direct(x.T, steps).T
    x = x / x.norm()
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x


@pytest.mark.parametrize("shape", [(8, 27), (27, 8), (16, 16), (64, 288), (1, 9), (128, 1152)])
def test_the_gram_form_is_the_direct_form(shape):
    x = torch.randn(3, *shape)

    expected = torch.stack([direct(one) for one in x.double()]).float()
    # Squaring the condition number costs digits where it is large: in square matrices.
    error = (orthogonalised(x) - expected).norm() / expected.norm()
    assert error < (1e-4 if shape[0] == shape[1] else 1e-5)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_singular_values_end_near_one(scale):
    u, _, v = torch.linalg.svd(torch.randn(32, 100), full_matrices=False)
    spread = torch.logspace(0, -1.5, 32)
    values = torch.linalg.svdvals(orthogonalised(scale * (u * spread) @ v[None]))

    assert values.min() > 0.6
    assert values.max() < 1.3


def test_directions_that_a_gradient_lacks_stay_zero():
    thin = torch.randn(1, 20, 2) @ torch.randn(1, 2, 30)
    values = torch.linalg.svdvals(orthogonalised(thin))[0]

    assert (values[:2] > 0.6).all()
    assert (values[2:] < 1e-2).all()
    assert torch.equal(orthogonalised(torch.zeros(1, 4, 6)), torch.zeros(1, 4, 6))


def test_directions_are_those_of_pytorch():
    rate, w = 0.02, torch.randn(12, 40)
    other = nn.Parameter(w.clone())
    theirs = torch.optim.Muon([other], lr=rate, momentum=0.6, weight_decay=0.0)
    buffer = torch.zeros_like(w)
    for _ in range(4):
        g = torch.randn_like(w)
        buffer = 0.6 * buffer + g
        before, other.grad = other.detach().clone(), g.clone()
        theirs.step()
        # It scales its momentum by 0.4, which cancels, and iterates in bf16.
        moved = (before - other.detach()) / rate
        ours = orthogonalised((g + 0.6 * buffer)[None])[0]
        cosine = (moved * ours).sum() / moved.norm() / ours.norm()
        assert cosine > 0.999
        assert moved.norm() / ours.norm() == pytest.approx(1, abs=0.02)


def test_a_step_is_the_definition_matrix_by_matrix():
    model = normalised().to(memory_format=torch.channels_last)
    optimiser = make_optimiser(model, MUON)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    buffers = {name: torch.zeros_like(p) for name, p in weights.items()}
    slopes: dict[str, torch.Tensor] = {}
    counts = {"0.weight": 1, "3.weight": 2}
    for _ in range(3):
        model(torch.randn(6, 3, 8, 8)).square().mean().backward()
        gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
        optimiser.lr = 0.07  # Half of the recipe's: so is the rate of SGD.
        optimiser.step()
        optimiser.clear()
        for name, w in weights.items():
            g, b = gradients[name], buffers[name]
            if name not in counts:
                g = g + 5e-4 * w * (w.ndim > 1)
                b.mul_(0.9).add_(g)
                w.sub_(0.025 * (g + 0.9 * b))
                continue
            b.mul_(0.6).add_(g)
            ahead = (g + 0.6 * b).contiguous()
            for k, (block, own, u) in enumerate(
                zip(*(t.chunk(counts[name]) for t in (w, g, ahead)), strict=True)
            ):
                rank = min(len(block), block[0].numel())
                slope, length = (own * block).sum(), block.norm()
                slopes[key] = memory = 0.9 * slopes.get(key := f"{name}{k}", 0.0) + slope
                growth = (-0.025 * (slope + 0.9 * memory)).clamp(-0.07, 0.07).exp()
                turned = block / length - 0.07 / math.sqrt(rank) * direct(u.flatten(1)).view_as(u)
                block.copy_(length * growth * turned / turned.norm())

    for name, p in model.named_parameters():
        torch.testing.assert_close(p.detach(), weights[name], rtol=1e-4, atol=2e-6)


def test_lengths_stay_where_a_normalisation_follows_and_are_trained_where_none_does():
    free = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 5))
    changes = []
    for model in (normalised(), free):
        weight = next(p for p in model.parameters() if id(p) in hidden_matrices(model))
        before, optimiser = weight.norm().item(), make_optimiser(model, MUON)
        for _ in range(20):
            x = torch.randn(32, 3, 8, 8)
            y = (x.mean((1, 2, 3)) > 0).long()
            nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()
            optimiser.clear()
        changes.append(abs(math.log(weight.norm().item() / before)))

    assert changes[0] < 1e-3
    assert changes[1] > 1e-2


def test_the_output_layer_and_embeddings_are_left_to_sgd():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(50, 8)
            self.block = nn.TransformerEncoderLayer(8, 2, 16)
            self.line = nn.Conv1d(8, 6, 3)
            self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
            self.zero = nn.Linear(8, 8)
            nn.init.zeros_(self.zero.weight)
            self.tied = nn.Linear(8, 50)
            self.tied.weight = self.words.weight
            self.head = nn.Linear(8, 3)

    net = Net()
    names = {id(p): name for name, p in net.named_parameters()}

    assert {names[key]: count for key, count in hidden_matrices(net).items()} == {
        "block.self_attn.in_proj_weight": 3,
        "block.self_attn.out_proj.weight": 1,
        "block.linear1.weight": 1,
        "block.linear2.weight": 1,
        "line.weight": 1,
        "depthwise.weight": 4,
    }


def test_a_gradient_of_zeros_changes_no_direction():
    model = normalised()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimiser = make_optimiser(model, MUON)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimiser.step()

    for name in ("0.weight", "3.weight"):
        torch.testing.assert_close(model.get_parameter(name).detach(), before[name])
    assert all(p.isfinite().all() for p in model.parameters())


def test_the_rate_of_sgd_follows_that_of_the_matrices():
    one, two = normalised(), normalised()
    two.load_state_dict(one.state_dict())
    x = torch.randn(6, 3, 8, 8)
    for model, lr, share in ((one, 0.2, 0.5), (two, 0.1, 1.0)):
        optimiser = make_optimiser(model, Recipe(optimizer="muon", lr=lr, sgd_share=share))
        model(x).square().mean().backward()
        optimiser.step()

    hidden = hidden_matrices(one)
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(p, q) == (id(p) not in hidden)


@pytest.mark.parametrize("model", ["cnn:4", "resnet9:4"])
def test_it_trains_digits_and_resumes_bit_for_bit(digits, tmp_path, model):
    recipe = Recipe(
        optimizer="muon", lr=0.14, momentum=0.6, sgd_share=5 / 14, epochs=12, batch_size=20,
        precision="fp32", clip_norm=5.0,
    )  # fmt: skip
    task = make_task(digits, model=model, recipe=recipe)
    straight = train(task, "crop", progress=False)
    train(task, "crop", progress=False, folder=tmp_path, stop_epoch=5)
    resumed = train(task, "crop", progress=False, folder=tmp_path)

    assert straight.accuracy["validation"] > 0.5
    for one, two in zip(straight.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_its_settings_are_refused_with_other_optimisers():
    with pytest.raises(UsageError, match="leave out sgd_share"):
        Recipe(sgd_share=0.5)
    with pytest.raises(UsageError, match=r"sgd_momentum is 0\.5"):
        Recipe(optimizer="adamw", sgd_momentum=0.5)


def test_records_of_other_optimisers_lack_its_settings():
    assert not {"sgd_share", "sgd_momentum"} & Recipe().to_dict().keys()
    assert {"sgd_share", "sgd_momentum"} <= MUON.to_dict().keys()
