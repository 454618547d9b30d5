"""Pictures of masks: over their images, in previews and beside predictions."""

import numpy as np

from automorph.policies import load_policy
from automorph.report import beside, overlaid
from automorph.targets import Masks


def pair(n=3):
    images = np.full((n, 8, 10, 1), 200, np.uint8)
    masks = np.zeros((n, 8, 10), np.uint8)
    masks[:, 2:5, 3:7] = 1
    masks[:, 0] = 255
    return images, masks


def test_the_background_stays_and_ignored_pixels_are_grey():
    images, masks = pair()
    shown = overlaid(images, masks)
    assert shown.shape == (3, 8, 10, 3)
    assert (shown[masks == 0] == 200).all()
    assert (shown[masks == 255] == 128).all()
    assert (shown[masks == 1] == shown[masks == 1][0]).all()
    assert (shown[masks == 1][0] != 200).any()


def test_images_stand_beside_their_masks():
    images, masks = pair()
    shown = beside(images, masks, masks)
    assert shown.shape == (3, 3, 8, 10, 3)
    assert (shown[:, 0] == 200).all()
    np.testing.assert_array_equal(shown[:, 1], shown[:, 2])


def test_previewed_masks_belong_to_the_previewed_images():
    random = np.random.default_rng(0)
    masks = random.integers(1, 3, (2, 2, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    images = (masks * 100)[..., None]
    policy = load_policy("flip-crop")
    moved, found = Masks(3, 1.0).preview(policy, images, masks, draws=4, seed=5)
    np.testing.assert_array_equal(moved, policy.preview(images, draws=4, seed=5))
    np.testing.assert_array_equal(moved[..., 0] // 100, np.where(found == 255, 0, found))
