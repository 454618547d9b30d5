"""The target of several labels against torch's own binary cross-entropy."""

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from automorph.data import from_arrays
from automorph.errors import DataError
from automorph.operations import Stream
from automorph.policies import load_policy
from automorph.targets import SeveralLabels, target_of

K = 4


def drawn(n=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, K, generator=generator, dtype=torch.float32)
    return logits, (torch.rand(n, K, generator=generator) < 0.4).float()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [(), (1.0, 2.0, 5.0, 0.5)])
def test_the_loss_is_torchs(smoothing, weights):
    logits, targets = drawn()
    soft = targets * (1 - smoothing) + smoothing / 2
    expected = binary_cross_entropy_with_logits(
        logits, soft, reduction="none", pos_weight=torch.tensor(weights) if weights else None
    ).mean(dim=1)
    found = SeveralLabels(K, weights=weights).loss(logits, targets, smoothing=smoothing)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("weights", [(), (1.0, 2.0, 5.0, 0.5)])
def test_the_gradient_is_autograds(weights):
    logits, targets = drawn()
    target = SeveralLabels(K, weights=weights, shift=(0.5,) * K if weights else ())
    logits.requires_grad_()
    target.loss(logits, 0.7 * targets + 0.1).sum().backward()
    torch.testing.assert_close(logits.grad, target.gradient(logits, 0.7 * targets + 0.1).detach())


def test_large_logits_keep_the_loss_finite():
    loss = SeveralLabels(1).loss(torch.tensor([[500.0], [-500.0]]), torch.tensor([[0.0], [0.0]]))
    torch.testing.assert_close(loss, torch.tensor([500.0, 0.0]))


def test_the_floor_is_the_lowest_loss():
    _, targets = drawn()
    mixed = 0.8 * targets + 0.1
    target = SeveralLabels(K)
    torch.testing.assert_close(target.floor(mixed), target.loss(torch.logit(mixed), mixed))


def test_the_guess_is_the_loss_of_the_base_rates():
    shares = torch.tensor([0.5, 0.1, 0.25, 0.9])
    labels = (torch.arange(1000)[:, None] < 1000 * shares).float()
    loss = SeveralLabels(K).loss(torch.logit(shares).expand(1000, K), labels).mean()
    assert SeveralLabels(K, tuple(shares.tolist())).guess == pytest.approx(float(loss))
    assert SeveralLabels(K).guess == pytest.approx(np.log(2))


def test_decisions_are_alike_in_numpy_and_torch():
    logits, _ = drawn(200)
    for thresholds in ((), (0.1, 0.5, 0.73, 0.9)):
        target = SeveralLabels(K, thresholds=thresholds)
        decided = target.predict(logits.numpy())
        assert decided.dtype == np.uint8
        assert decided.tolist() == target.predict(logits).int().tolist()
        chance = target.probabilities(logits.numpy())
        np.testing.assert_allclose(chance, logits.double().sigmoid().numpy(), atol=1e-12)
        assert decided.tolist() == (chance >= np.array(thresholds or 0.5)).astype(int).tolist()


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_blends_the_vectors(name):
    targets = drawn(8)[1].numpy()
    mixing = load_policy(name).mixing(Stream(seed=0, epoch=0, index=np.arange(8)), (8, 16, 16, 3))
    mixed = SeveralLabels(K).mix(targets, mixing)
    share = mixing.weight[:, None]
    np.testing.assert_allclose(
        mixed, share * targets + (1 - share) * targets[mixing.partner], rtol=1e-6
    )


def test_wrong_labels_are_refused():
    for labels in (np.zeros((3, K + 1), np.uint8), np.full((3, K), 2, np.uint8)):
        with pytest.raises(DataError, match="expected 0 or 1 for each of 4 labels"):
            SeveralLabels(K).encode(labels)


def test_data_with_labels_have_this_target():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    data = from_arrays(images, [["a"], ["a", "b"], []] * 13 + [["b"]], target="labels")
    target = target_of(data)
    assert isinstance(target, SeveralLabels)
    assert target.shares == pytest.approx(data.train.annotations.mean(axis=0))
    assert target.metric == "exact match"
