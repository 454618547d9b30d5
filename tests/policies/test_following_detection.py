"""The examples for users of detectors, against torchvision's own transforms and a detector."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "boxes.md"
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def page():
    """What the page defines."""
    names: dict = {}
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(code, PAGE.name, "exec"), names)
    return names


def picture(seed=0):
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (48, 64, 3), np.uint8)
    boxes = np.array([[4.0, 6, 20, 30], [30, 10, 60, 40], [0, 0, 64, 48]])
    return image, boxes


def test_labels_of_ultralytics_move_with_the_image(page):
    image, boxes = picture()
    scale = np.array([64, 48])
    labels = np.column_stack(
        [
            [0, 1, 2],
            (boxes[:, :2] + boxes[:, 2:]) / 2 / scale,
            (boxes[:, 2:] - boxes[:, :2]) / scale,
        ]
    )
    moved, found = page["augmented"]("flip(p=1)", image, labels, epoch=0, index=5)
    np.testing.assert_array_equal(moved, image[:, ::-1])
    np.testing.assert_allclose(found[:, 1], 1 - labels[:, 1])
    np.testing.assert_allclose(found[:, [0, 2, 3, 4]], labels[:, [0, 2, 3, 4]])
    _, turned = page["augmented"]("flip-crop + trivialaugment", image, labels, epoch=1, index=5)
    assert ((turned[:, 1:] >= 0) & (turned[:, 1:] <= 1)).all()


def targets(image, boxes):
    masks = np.zeros((len(boxes), *image.shape[:2]), np.uint8)
    for mask, (left, top, right, bottom) in zip(masks, boxes.astype(int), strict=True):
        mask[top:bottom, left:right] = 1
    canvas = image.shape[:2]
    return {
        "image_id": 5,
        "boxes": tv_tensors.BoundingBoxes(
            boxes, format="XYXY", canvas_size=canvas, dtype=torch.float32
        ),
        "labels": torch.tensor([1, 2, 3]),
        "iscrowd": torch.zeros(3, dtype=torch.int64),
        "masks": tv_tensors.Mask(masks),
    }


def test_a_flip_equals_that_of_torchvision(page):
    image, boxes = picture()
    target = targets(image, boxes)
    tensor = tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1))
    ours, mine = page["Augmented"]("flip(p=1)")(tensor, target)
    theirs, wanted = v2.RandomHorizontalFlip(p=1)(tensor, target)
    assert torch.equal(ours, theirs)
    for name in ("boxes", "masks", "labels"):
        assert torch.equal(mine[name], wanted[name]), name
    assert type(mine["boxes"]) is type(wanted["boxes"])


def test_the_rest_of_a_reference_pipeline_and_a_detector_take_the_result(page):
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

    image, boxes = picture()
    pipeline = v2.Compose([
        page["Augmented"]("flip-crop + trivialaugment"), v2.RandomHorizontalFlip(0.5),
        v2.ToDtype(torch.float32, scale=True), v2.SanitizeBoundingBoxes(), v2.ToPureTensor(),
    ])  # fmt: skip
    found, target = pipeline(tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
                             targets(image, boxes))  # fmt: skip
    assert len(target["boxes"]) == len(target["labels"]) == len(target["masks"]) >= 1
    network = fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=5, min_size=64, max_size=64
    )
    losses = network.train()([found], [target])
    assert all(torch.isfinite(loss) for loss in losses.values())
