"""Scoring: uses the model's own loss and leaves the model unchanged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from automorph.augmenters.base import composition, views
from automorph.augmenters.scoring import Scorer, Scoring
from automorph.errors import PolicyError, UsageError
from automorph.models import evaluating
from automorph.policies import load_policy

WAYS = [
    Scoring(),
    Scoring(size=0.5),
    Scoring(precision="bf16"),
    Scoring(frozen=2),
    Scoring(probe=5),
    Scoring(probe=5, size=0.5, precision="bf16", frozen=3),
]


@pytest.fixture
def model(task):
    return task.build(0).train()


@pytest.fixture
def batch(raw_batch):
    return views(composition(2, "randaugment"), raw_batch(), 4)


@pytest.mark.parametrize("scoring", WAYS, ids=str)
def test_the_model_is_left_as_it_was(model, batch, scoring):
    frozen = next(layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    scores = Scorer(scoring)
    for step in range(3):
        found = scores(model, batch, step=step)

    assert found.losses.shape == found.excess.shape == found.right.shape == (12, 4)
    assert np.isfinite(found.losses).all()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(layer.training == (layer is not frozen) for layer in model.modules())
    assert all(weight.grad is None for weight in model.parameters())


def test_scores_are_the_losses_of_the_model_in_evaluation_mode(model, batch):
    found = Scorer(Scoring())(model, batch, step=0)
    with torch.no_grad(), evaluating(model):
        logits = model(batch.inputs)
        expected = nn.functional.cross_entropy(logits, batch.labels.argmax(1), reduction="none")

    np.testing.assert_allclose(found.losses.ravel(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.excess, found.losses, atol=1e-6)
    right = (logits.argmax(1) == batch.labels.argmax(1)).numpy()
    assert (found.right.ravel() == right).all()


def test_what_soft_labels_leave_open_is_no_excess(model, raw_batch):
    batch = views(load_policy("mixup"), raw_batch(), 2)
    found = Scorer(Scoring())(model, batch, step=0)

    q = batch.labels.double().numpy()
    entropy = -np.where(q > 0, q * np.log(np.maximum(q, 1e-300)), 0).sum(1).reshape(-1, 2)
    assert entropy.max() > 0.5
    np.testing.assert_allclose(found.losses - found.excess, entropy, atol=1e-5)


def test_a_perfect_model_has_no_excess(raw_batch):
    batch = views(load_policy("mixup"), raw_batch(), 2)

    class Perfect(nn.Module):
        rows = batch.labels.log().clamp(min=-80).split(12)
        calls = 0

        def forward(self, _):
            self.calls += 1
            return self.rows[self.calls - 1]

    assert Scorer(Scoring())(Perfect(), batch, step=0).excess.max() < 1e-5


@pytest.mark.parametrize(
    ("scoring", "share"),
    [(Scoring(), 1.0), (Scoring(size=0.5), 0.25), (Scoring(frozen=3), 1.0)],
    ids=str,
)
def test_costs_are_counted_in_forward_passes(model, batch, scoring, share):
    scorer = Scorer(scoring)
    scorer(model, batch, step=0)

    assert scorer.share == share


def test_a_probe_costs_its_layers(model, batch):
    scorer = Scorer(Scoring(probe=3))  # One convolution, its normalisation and its ReLU.
    scorer(model, batch, step=0)

    pixels, w = 64, 4
    first = 9 * w * pixels
    rest = 9 * (w * 2 * w + 2 * w * 2 * w) * pixels
    rest += 9 * (2 * w * 4 * w + 4 * w * 4 * w) * pixels // 4 + 4 * w * 10
    assert scorer.share == pytest.approx(first / (first + rest))


def test_a_probe_learns_to_tell_hard_from_easy(model, raw_batch):
    batch = views(load_policy("none"), raw_batch(100), 1)
    scorer = Scorer(Scoring(probe=5))
    losses = [scorer(model, batch, step=step).losses.mean() for step in range(60)]

    assert losses[0] == pytest.approx(np.log(10), abs=1e-4)
    assert losses[-1] < 1.6
    again = Scorer(Scoring(probe=5))
    again.load_state_dict(scorer.state_dict())
    expected = scorer(model, batch, step=0).losses
    assert (again(model, batch, step=0).losses == expected).all()


def test_a_frozen_copy_is_taken_anew_every_so_many_steps(model, batch):
    scorer, plain = Scorer(Scoring(frozen=2)), Scorer(Scoring())
    before = scorer(model, batch, step=0).losses
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(0.5)

    assert (scorer(model, batch, step=1).losses == before).all()
    assert (scorer(model, batch, step=2).losses == plain(model, batch, step=2).losses).all()
    assert not (scorer(model, batch, step=2).losses == before).all()


def test_every_so_many_steps():
    assert [Scorer(Scoring(every=3)).due(step) for step in range(5)] == [1, 0, 0, 1, 0]


def test_a_probe_needs_layers_in_a_row(batch):
    class Own(nn.Module):
        def forward(self, x):
            return x

    with pytest.raises(UsageError, match=r"probe=3 with a Own; expected an nn\.Sequential"):
        Scorer(Scoring(probe=3))(Own(), batch, step=0)
    with pytest.raises(UsageError, match="with more than 3 layers"):
        Scorer(Scoring(probe=3))(nn.Sequential(nn.Flatten()), batch, step=0)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"every": 0}, PolicyError),
        ({"size": 0.0}, PolicyError),
        ({"size": 2}, PolicyError),
        ({"precision": "int8"}, UsageError),
        ({"frozen": -1}, PolicyError),
        ({"probe": 0.5}, PolicyError),
    ],
)
def test_what_cannot_score_is_refused(wrong, error):
    with pytest.raises(error, match="uncertainty got"):
        Scoring(**wrong)


def test_modes_come_back_after_an_error(model):
    def fail():
        with evaluating(model):
            assert not model.training
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert all(layer.training for layer in model.modules())
