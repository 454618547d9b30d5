"""Boxes, masks and key points follow the content of the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automorph.errors import UsageError
from automorph.operations import CATALOGUE, OPERATIONS, SearchSpace, operation
from automorph.policies import Mixture, Step, Uniform, chained, follow, load_policy

MOVING = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "HorizontalFlip", "PadCrop",
          "VerticalFlip", "ResizedCrop", "Zoom", "Swirl", "Elastic")  # fmt: skip
GENTLE = {"Zoom": 0.4, "ResizedCrop": 0.4, "Rotate": 0.3, "ShearX": 0.3, "ShearY": 0.3,
          "Swirl": 0.5, "Elastic": 0.5}  # fmt: skip


def only(kernel: str, **style: object) -> Mixture:
    return Mixture(
        label=kernel, operations=SearchSpace("one", (OPERATIONS[kernel],)),
        subpolicies=((Step(kernel, 1.0, GENTLE.get(kernel, 0.4)),),), **style,
    )  # fmt: skip


def spots(n: int = 6, height: int = 48, width: int = 64) -> tuple[np.ndarray, list[np.ndarray]]:
    """Dark images with three bright spots of 5 x 5 pixels, and their centres."""
    rng = np.random.default_rng(0)
    images = np.zeros((n, height, width, 3), np.uint8)
    points = []
    for image in images:
        cells = rng.choice(12, 3, replace=False)
        x = (cells % 4) * 12 + 14 + rng.integers(0, 4, 3)
        y = (cells // 4) * 10 + 12 + rng.integers(0, 3, 3)
        for channel, (a, b) in enumerate(zip(x, y, strict=True)):
            image[b - 2 : b + 3, a - 2 : a + 3, channel] = 255
        points.append(np.stack([x + 0.5, y + 0.5], axis=1))
    return images, points


@pytest.mark.parametrize("kernel", MOVING)
def test_points_go_where_the_image_shows_them(kernel):
    images, points = spots()
    out = follow(only(kernel), images, points=points, seed=3)
    np.testing.assert_array_equal(out.images, only(kernel).augment(images, seed=3))
    seen = 0
    for image, found in zip(out.images, out.points, strict=True):
        for channel, (x, y) in enumerate(found):
            bright = image[..., channel].astype(float)
            if not (4 < x < 60 and 4 < y < 44) or bright.sum() < 255 * 6:
                continue
            rows, columns = np.mgrid[0:48, 0:64] + 0.5
            centre = (bright * columns).sum() / bright.sum(), (bright * rows).sum() / bright.sum()
            assert np.hypot(centre[0] - x, centre[1] - y) < 1.2, (kernel, centre, (x, y))
            seen += 1
    assert seen >= 6


@pytest.mark.parametrize("kernel", MOVING)
def test_masks_go_with_the_image(kernel):
    """A mask made from the image still matches it; exactly, with nearest neighbours."""
    images, _ = spots()
    masks = (images[..., 0] > 127) * np.int32(70_000) + (images[..., 1] > 127) * np.int32(3)
    out = follow(only(kernel), images, masks=masks, seed=3)
    assert out.masks.dtype == np.int32
    assert set(np.unique(out.masks)) <= {0, 3, 70_000}
    same = (out.images[..., 0] > 127) == (out.masks == 70_000)
    bends = kernel in ("Zoom", "ResizedCrop", "Swirl", "Elastic")
    assert same.mean() > (0.99 if bends else 0.999999)
    # Masks do not depend on how the image was rendered.
    linear = follow(only(kernel, interpolation="bilinear", fill=77), images, masks=masks, seed=3)
    np.testing.assert_array_equal(linear.masks, out.masks)


@pytest.mark.parametrize(
    "name",
    [
        "flip-crop + randaugment(n=3,m=6) + cutout(8)",
        "crop + schedule(1:none,1:trivialaugment) + flip(p=0.5)",
        "flip-crop + randaugment(n=2,m=6,interpolation=bilinear)",
    ],
)
def test_boxes_hold_what_they_held(name):
    """A box around a bright rectangle stays around it through whole policies."""
    images = np.zeros((24, 40, 56, 1), np.uint8)
    images[:, 12:26, 16:40] = 200
    for epoch in range(2):
        out = follow(name, images, boxes=[[[16, 12, 40, 26]]] * 24, masks=images[..., 0] > 0,
                     epoch=epoch, seed=epoch)  # fmt: skip
        np.testing.assert_array_equal(
            out.images, load_policy(name).augment(images, epoch=epoch, seed=epoch)
        )
        for box, mask, share in zip(out.boxes, out.masks, out.visible, strict=True):
            rows, columns = np.nonzero(mask)
            left, top, right, bottom = box[0]
            assert left - 1 <= columns.min()
            assert columns.max() <= right
            assert top - 1 <= rows.min()
            assert rows.max() <= bottom
            assert 0 < share[0] <= 1
            # Upright boxes around rotated ones are larger, but not by much.
            assert (right - left) * (bottom - top) < 4 * mask.sum()


def test_examples_do_not_know_their_batch():
    images, points = spots()
    policy = load_policy("flip-crop + trivialaugment-wide")
    whole = follow(policy, images, points=points, index=np.arange(10, 16))
    alone = follow(policy, images[4:5], points=points[4:5], index=[14])
    np.testing.assert_array_equal(whole.points[4], alone.points[0])


def test_what_does_not_move_pixels_leaves_places_alone():
    still = tuple(o for o in CATALOGUE if o.name not in (*MOVING, "SamplePairing"))
    policy = Uniform(operations=SearchSpace("still", still), length=3, low=0.5, high=1.0)
    images, points = spots()
    out = follow(policy, images, points=points, boxes=[np.zeros((0, 4))] * 6)
    assert all((a == b).all() for a, b in zip(out.points, points, strict=True))
    assert all(len(box) == 0 for box in out.boxes)


def test_a_box_that_leaves_is_seen_to_be_gone():
    policy = Mixture(
        label="far", operations=SearchSpace("far", (OPERATIONS["TranslateX"].at(0.5),)),
        subpolicies=((Step("TranslateX[0.5]", 1, 1),),),
    )  # fmt: skip
    out = follow(policy, np.zeros((1, 10, 10, 3), np.uint8), boxes=[[[6, 0, 9, 9], [3, 0, 7, 8]]])
    np.testing.assert_allclose(out.visible[0], [0, 0.5])
    np.testing.assert_allclose(out.boxes[0][1], [8, 0, 10, 8])


@operation()
def mine(image, value):
    """Does who knows what."""
    return image


WRONG = {
    "mixup": ({}, "blends images"),
    "augmix": ({}, "blends images"),
    "composition(p=1,n=9,space=autoaugment)": ({}, "'SamplePairing': it is unknown"),
    "flip": ({"boxes": [[[1, 2, 3]]]}, "boxes of shape (1, 3)"),
    "crop": ({"points": [[[1, 2]], [[1, 2]]]}, "points for 2 images, but 1 images"),
    "none": ({"masks": np.zeros((1, 9, 10))}, "masks of shape (1, 9, 10) and type float64"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_follow_is_refused(name):
    given, message = WRONG[name]
    with pytest.raises(UsageError) as caught:
        follow(name, np.zeros((1, 10, 10, 3), np.uint8), **given)
    assert message in str(caught.value)
    with pytest.raises(UsageError, match="'mine': it is unknown"):
        follow(Uniform(operations=SearchSpace("own", (mine,))), np.zeros((1, 4, 4, 3), np.uint8))


@pytest.mark.parametrize("fill", ["edge", "reflect"])
def test_masks_continue_beyond_the_edge_as_the_image_does(fill):
    """A mask of the image's own levels stays that of the image."""
    images = np.random.default_rng(0).integers(0, 256, (20, 12, 12, 1)).astype(np.uint8)
    policy = load_policy(f"flip-crop(fill={fill}) + randaugment(n=2,m=20,fill={fill})")
    space = policy.stages[1].operations
    moves = SearchSpace("moves", tuple(one for one in space if one.name[:5] in ("Shear", "Trans")))
    policy = chained(policy.stages[0], replace(policy.stages[1], operations=moves))
    out = follow(policy, images, masks=images[..., 0])
    assert (out.masks == out.images[..., 0]).all()
