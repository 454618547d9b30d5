"""The Dice loss of masks: identities, ignored pixels, and trainings with it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from automorph.data import from_arrays, split
from automorph.errors import UsageError
from automorph.targets import Masks
from automorph.training import as_task, train

torch.set_num_threads(1)
TARGET = Masks(3, 1.0, dice=True, cross_entropy=False)


def masks(n=4, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 3, (n, 6, 6), np.uint8))


def sure(decided):
    """Logits that are all but certain of a mask."""
    return 60.0 * torch.nn.functional.one_hot(decided.long(), 3).movedim(-1, 1)


def test_one_minus_the_loss_of_certain_answers_is_the_dice_score():
    truth, answer = masks(), masks(seed=1)
    found = 1 - TARGET.loss(sure(answer), truth)
    for loss, y, z in zip(found, truth, answer, strict=True):
        score = f1_score(y.ravel(), z.ravel(), labels=np.unique(y), average="macro")
        assert float(loss) == pytest.approx(score, abs=1e-6)
    assert TARGET.loss(sure(truth), truth).abs().max() < 1e-6


def test_equal_probabilities_have_the_loss_of_the_formula():
    truth = torch.zeros(1, 6, 6, dtype=torch.uint8)
    truth[0, :2] = 1  # 12 of 36 pixels; class 2 does not occur and is left out.
    expected = 1 - np.mean([2 * 24 / 3 / (12 + 24), 2 * 12 / 3 / (12 + 12)])
    assert float(TARGET.loss(torch.zeros(1, 3, 6, 6), truth)) == pytest.approx(expected)


def test_ignored_pixels_change_nothing():
    truth, logits = masks(), torch.randn(4, 3, 6, 6, generator=torch.manual_seed(0))
    truth[:, 4:] = 255
    cut = TARGET.loss(logits[:, :, :4], truth[:, :4])
    assert torch.allclose(TARGET.loss(logits, truth), cut)
    assert TARGET.gradient(logits, truth)[:, :, 4:].abs().max() == 0
    nothing = torch.full_like(truth, 255)
    assert TARGET.loss(logits, nothing).tolist() == [0, 0, 0, 0]


def test_the_sum_is_that_of_both_losses():
    truth, logits = masks(), torch.randn(4, 3, 6, 6, generator=torch.manual_seed(1))
    both = Masks(3, 1.0, dice=True)
    plain = Masks(3, 1.0).loss(logits, truth)
    assert torch.allclose(both.loss(logits, truth), plain + TARGET.loss(logits, truth))
    gradient = both.gradient(logits, truth) - Masks(3, 1.0).gradient(logits, truth)
    assert torch.allclose(gradient, TARGET.gradient(logits, truth), atol=1e-6)


@pytest.mark.parametrize("loss", ["dice", "dice+cross-entropy"])
def test_a_training_lowers_it_and_other_targets_refuse_it(loss):
    truth = np.zeros((30, 8, 8), np.uint8)
    truth[np.arange(30) % 2 == 0, 2:5] = 1
    truth[np.arange(30) % 2 == 1, :, 3:6] = 1
    noise = np.random.default_rng(0).integers(0, 40, truth.shape)
    data = split(from_arrays((100 * truth + noise).astype(np.uint8), truth, target="masks"))
    task = as_task(data, model="unet:4", recipe={"epochs": 4, "batch_size": 4, "loss": loss})
    first, *_, last = train(task, "none", progress=False).curves
    assert last.loss < first.loss
    images = (100 * truth + noise).astype(np.uint8)
    values = split(from_arrays(images, noise[:, 0, 0], target="values"))
    with pytest.raises(UsageError, match="is for masks"):
        as_task(values, recipe={"loss": loss})
