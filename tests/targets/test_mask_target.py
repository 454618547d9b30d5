"""The target of masks: its loss, its gradient, and how it follows the pixels of images."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from automorph.data import from_arrays
from automorph.errors import DataError, UsageError
from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import Uniform, follow, load_policy
from automorph.targets import Masks, target_of

torch.set_num_threads(1)
TARGET = Masks(3, 1.0)


def drawn(seed=0, n=4, ignored=0.2):
    random = np.random.default_rng(seed)
    masks = random.integers(0, 3, (n, 6, 5), np.uint8)
    masks[random.random(masks.shape) < ignored] = 255
    logits = random.normal(size=(n, 3, 6, 5)).astype(np.float32)
    return torch.from_numpy(logits), torch.from_numpy(masks)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_mean_over_pixels_that_count(smoothing):
    logits, masks = drawn()
    for number, loss in enumerate(TARGET.loss(logits, masks, smoothing=smoothing)):
        rows = slice(number, number + 1)
        wanted = cross_entropy(
            logits[rows], masks[rows].long(), ignore_index=255, label_smoothing=smoothing
        )
        assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_an_example_without_pixels_that_count_has_no_loss():
    logits, masks = drawn()
    masks[1] = 255
    loss = TARGET.loss(logits, masks)
    assert loss[1] == 0
    assert torch.isfinite(TARGET.gradient(logits, masks)).all()
    assert TARGET.correct(TARGET.predict(logits), masks)[1] == 0


def test_the_gradient_is_that_of_the_loss():
    logits, masks = drawn()
    logits.requires_grad_()
    TARGET.loss(logits, masks).sum().backward()
    torch.testing.assert_close(TARGET.gradient(logits.detach(), masks), logits.grad)
    assert TARGET.floor(masks).tolist() == [0.0] * 4


def test_scores_are_over_pixels():
    logits, masks = drawn()
    found, truth = TARGET.predict(logits).numpy(), masks.numpy()
    known = truth != 255
    assert TARGET.score(found, truth) == pytest.approx((found == truth)[known].mean())
    recalls = [(found == k)[truth == k].mean() for k in range(3)]
    np.testing.assert_allclose(TARGET.scores(found, truth), recalls)
    two = np.stack([found, found])
    np.testing.assert_allclose(TARGET.scores(two, truth), recalls)
    np.testing.assert_allclose(TARGET.correct(two, truth)[1], TARGET.correct(found, truth))
    assert TARGET.score(two, truth) == pytest.approx(TARGET.score(found, truth))
    np.testing.assert_array_equal(TARGET.predict(logits.numpy()), found)


def test_a_guess_is_the_entropy_of_the_pixels():
    random = np.random.default_rng(0)
    masks = (random.random((20, 8, 8)) < 0.25).astype(np.uint8)
    masks[:, 0] = 255
    masks[:10, 1] = 0
    images = random.integers(0, 255, (20, 8, 8, 3), np.uint8)
    data = from_arrays(images, masks, target="masks")
    share = (masks == 1).sum() / (masks != 255).sum()
    wanted = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert target_of(data) == Masks(2, pytest.approx(wanted))
    assert target_of(data) is target_of(data)


def test_numbers_out_of_range_and_mixing_are_refused():
    with pytest.raises(DataError, match="contain the value 7; expected 0 to 2"):
        TARGET.encode(np.full((1, 2, 2), 7, np.uint8))
    with pytest.raises(UsageError, match="cannot be blended"):
        TARGET.mix(None, None)


def images_of(masks):
    return (masks * 100)[..., None].repeat(3, 3)


def blocks(n=12, side=24, seed=0):
    small = np.random.default_rng(seed).integers(1, 3, (n, side // 8, side // 8), np.uint8)
    return small.repeat(8, 1).repeat(8, 2)


def test_a_flip_moves_masks_exactly():
    masks = blocks()
    moved, found = TARGET.follow(load_policy("flip(p=1)"), images_of(masks), masks, seed=3)
    np.testing.assert_array_equal(found, masks[:, :, ::-1])
    np.testing.assert_array_equal(moved, images_of(found))


MOVING = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "HorizontalFlip",
          "VerticalFlip", "PadCrop")  # fmt: skip


def moving(names, **style):
    space = SearchSpace("moves", tuple(OPERATIONS[name] for name in names))
    return Uniform(operations=space, length=3, **style)


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_moves_an_image_that_is_its_own_mask_as_the_mask(seed):
    masks = np.random.default_rng(seed).integers(0, 3, (20, 24, 30), np.uint8)
    policy = moving(MOVING, interpolation="nearest", fill=255)
    images, found = TARGET.follow(policy, masks[..., None], masks, seed=seed)
    np.testing.assert_array_equal(images[..., 0], found)
    assert (found != masks).any(axis=(1, 2)).mean() > 0.9


@pytest.mark.parametrize("name", ["Elastic", "Swirl", "Zoom", "ResizedCrop"])
def test_warps_move_masks_too(name):
    """Inside the blocks, away from their borders, the image has the colour of the mask."""
    masks = blocks(side=48)
    images, found = TARGET.follow(moving([name]), images_of(masks), masks, seed=1)
    pure = np.isin(images[..., 0], [100, 200]) & (found != 255)
    assert pure.mean() > 0.3
    assert (images[..., 0][pure] // 100 == found[pure]).mean() > 0.97
    assert (found != masks).any()


@pytest.mark.parametrize("name", ["Brightness", "Invert", "Noise", "Cutout"])
def test_operations_on_colours_leave_masks_alone(name):
    masks = blocks()
    images, found = TARGET.follow(moving([name]), images_of(masks), masks, seed=1)
    np.testing.assert_array_equal(found, masks)
    assert (images != images_of(masks)).any()


def test_what_comes_in_from_outside_is_ignored():
    masks = blocks()
    policy = load_policy("crop")
    images, found = TARGET.follow(policy, images_of(masks), masks, seed=0)
    outside = images[..., 0] == 0
    assert outside.any()
    np.testing.assert_array_equal(found == 255, outside)


def test_follow_leaves_the_outside_at_zero_unless_told():
    masks = blocks()
    plain = follow("crop", images_of(masks), masks=masks, seed=0).masks
    ignoring = follow("crop", images_of(masks), masks=masks, seed=0, ignore=255).masks
    assert (plain == 0).any()
    np.testing.assert_array_equal(np.where(plain == 0, 255, plain), ignoring)
    deep = follow("crop", images_of(masks), masks=masks.astype(np.int32), seed=0, ignore=-1).masks
    np.testing.assert_array_equal(deep == -1, plain == 0)
    with pytest.raises(UsageError, match="ignore=-1 for masks of type uint8"):
        follow("crop", images_of(masks), masks=masks, ignore=-1)
