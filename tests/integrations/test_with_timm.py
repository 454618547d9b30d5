"""timm's loader over an `Augmented`, and policies in a Compose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

import automorph
from automorph.errors import UsageError

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 36, 36, 3), dtype=np.uint8)
ROWS = [(Image.fromarray(image), number % 3) for number, image in enumerate(PIXELS)]


@pytest.mark.parametrize("prefetched", [False, True])
def test_the_loader_of_timm_draws_by_epoch(prefetched):
    timm = pytest.importorskip("timm.data", reason="automorph[timm] is not installed")

    def epoch(number):
        data = automorph.Augmented(ROWS, "flip-crop + randaugment(n=2,m=9)")
        loader = timm.create_loader(
            data, (3, 32, 32), 4, is_training=True, no_aug=True, num_workers=0,
            persistent_workers=False, use_prefetcher=prefetched, device=torch.device("cpu"),
        )  # fmt: skip
        data.set_epoch(number)
        batches = [*loader]
        assert all(images.shape == (4, 3, 32, 32) for images, _ in batches)
        # The loader shuffles; the sums of images do not depend on their order.
        return sorted(float(image.sum()) for images, _ in batches for image in images)

    assert epoch(0) == pytest.approx(epoch(0), abs=1e-2) != pytest.approx(epoch(1), abs=1e-2)


def test_an_augmented_has_one_step_after_augmentation():
    data = automorph.Augmented(ROWS, "flip-crop", then=np.asarray)
    assert data.transform is np.asarray
    with pytest.raises(UsageError, match=r"Leave then= out: timm\.data\.create_loader"):
        data.transform = v2.ToImage()
    data.transform = None
    assert data.then is None


def test_a_policy_in_a_compose_takes_the_image_only():
    compose = v2.Compose([automorph.load_policy("flip-crop")])
    assert compose(ROWS[0][0]).size == (36, 36)
    with pytest.raises(UsageError, match="takes the image only"):
        compose(*ROWS[0])


@pytest.mark.parametrize("given", [ROWS[0][0], PIXELS[0], torch.zeros(3, 8, 8)])
def test_a_collate_is_told_from_a_transform(given):
    with pytest.raises(UsageError, match="Pass it as DataLoader"):
        v2.Compose([automorph.Collate("mixup", classes=3)])(given)
