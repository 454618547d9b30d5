"""A data set of augmented examples: equal for any loader, different in every epoch."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
import torch
from loader_data import KINDS, Labelled, Numbered, array_of, image_as, pixels
from torch.utils.data import DataLoader, IterableDataset
from torchvision import tv_tensors
from torchvision.transforms.v2.functional import to_image

from automorph.errors import DataError, UsageError
from automorph.integrations import Augmented
from automorph.operations import SearchSpace, operation
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9) + cutout(4)"
LOADERS = [
    (0, None),
    (1, "fork"),
    (4, "fork"),
    (1, "spawn"),
    pytest.param(4, "spawn", marks=pytest.mark.slow),
]


ORDER = np.random.default_rng(5).permutation(48).tolist()


def batches(data: object, workers: int, method: str | None) -> DataLoader:
    return DataLoader(
        data,
        batch_size=5,
        sampler=ORDER,
        num_workers=workers,
        multiprocessing_context=method,
        persistent_workers=workers > 0,
    )


def epochs(data: object, loader: DataLoader, count: int = 2) -> list[torch.Tensor]:
    out = []
    for epoch in range(count):
        data.set_epoch(epoch)
        out.append(torch.cat([images for images, _ in loader]))
    return out


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
@pytest.mark.parametrize(("workers", "method"), LOADERS)
def test_any_number_of_workers_gives_the_same_batches(workers: int, method: str | None) -> None:
    data = Augmented(Labelled(), POLICY, seed=3, copies=2)
    first, second = epochs(data, batches(data, workers, method))
    policy, images = load_policy(POLICY), Labelled().images
    rows = np.array(ORDER)
    for epoch, shown in ((0, first), (1, second)):
        whole = np.stack(
            [
                policy.augment(images, seed=3, epoch=epoch, index=np.arange(24), copy=copy)
                for copy in (0, 1)
            ]
        )
        expected = whole[rows // 24, rows % 24]
        np.testing.assert_array_equal(shown.permute(0, 2, 3, 1), expected)


def test_copies_and_epochs_differ() -> None:
    data = Augmented(Labelled(), "trivialaugment-wide", copies=3)
    assert len(data) == 72
    shown = []
    for epoch in (0, 1):
        data.set_epoch(epoch)
        shown.append(np.stack([array_of(data[i][0]) for i in range(72)]).reshape(3, 24, -1))
    assert data.epoch == 1
    views = np.concatenate(shown)
    for one in range(6):
        for other in range(one):
            assert (views[one] != views[other]).any(1).mean() > 0.7


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_type_in_is_type_out(kind: str, channels: int) -> None:
    data = Augmented(Labelled(6, kind, channels), POLICY, seed=2)
    expected = load_policy(POLICY).augment(pixels(6, channels), seed=2)
    for number in range(6):
        image, label = data[number]
        original = data.dataset[number][0]
        assert type(image) is type(original)
        if kind == "pil":
            assert image.mode == original.mode
        assert label == number % 3
        np.testing.assert_array_equal(array_of(image), expected[number])


def test_images_without_channels_and_of_torchvision() -> None:
    grey = pixels(4, 1)
    expected = load_policy("randaugment").augment(grey, seed=1)[..., 0]
    for convert in (np.asarray, torch.from_numpy):
        data = Augmented([convert(image) for image in grey[..., 0]], "randaugment", seed=1)
        for number in range(4):
            np.testing.assert_array_equal(np.asarray(data[number]), expected[number])
    wrapped = Augmented([to_image(image_as("pil", pixels(1)[0]))], "randaugment")[0]
    assert isinstance(wrapped, tv_tensors.Image)


def test_sizes_may_differ() -> None:
    images = [pixels(1, height=height)[0] for height in (8, 11, 8, 5)]
    data = Augmented(images, POLICY, seed=4)
    together = data.__getitems__([3, 0, 1, 2])
    for number, image in zip([3, 0, 1, 2], together, strict=True):
        assert image.shape == images[number].shape
        np.testing.assert_array_equal(image, data[number])


def test_samples_of_any_form() -> None:
    Pair = namedtuple("Pair", "label image")
    image = pixels(1)[0]
    expected = load_policy(POLICY).augment(image[None])[0]
    for sample, place in (
        ({"image": image, "label": 1}, None),
        ({"x": image, "label": 1}, "x"),
        ((1, image), 1),
        ([image, 1], None),
        (Pair(1, image), 1),
        (image, None),
    ):
        out = Augmented([sample], POLICY, image=place)[0]
        assert type(out) is type(sample)
        key = place if place is not None else "image" if isinstance(sample, dict) else 0
        got = out if sample is image else out[key]
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(image, pixels(1)[0])
    assert Augmented([Pair(1, image)], POLICY, image=1)[0].label == 1
    assert Augmented(Numbered(), POLICY)[-1]["id"] == 23


def test_then_is_called_with_the_augmented_image() -> None:
    data = Augmented(Labelled(4, "array"), "flip", then=lambda image: image / 255)
    assert data[2][0].dtype == np.float64
    assert data.__getitems__([1, 2])[0][0].max() <= 1


def test_users_operations_of_batches_see_one_image() -> None:
    seen = []

    @operation(batched=True)
    def count(images, values):
        seen.append(len(images))
        return images

    from automorph.policies import Uniform

    policy = Uniform(operations=SearchSpace("mine", (count,)))
    Augmented(Labelled(), policy).__getitems__([1, 2, 3])
    assert seen == [1, 1, 1]


def test_hugging_face_data_set() -> None:
    datasets = pytest.importorskip("datasets")
    images = [image_as("pil", image) for image in pixels(6)]
    data = datasets.Dataset.from_dict({"image": images, "label": list(range(6))})
    data = data.cast_column("image", datasets.Image())
    augmented = Augmented(data, POLICY, seed=2)
    expected = load_policy(POLICY).augment(pixels(6), seed=2)
    for number, sample in enumerate(augmented.__getitems__(list(range(6)))):
        assert sample["label"] == number
        np.testing.assert_array_equal(np.asarray(sample["image"]), expected[number])


def test_accelerate_counts_the_epochs() -> None:
    accelerate = pytest.importorskip("accelerate")
    data = Augmented(Labelled(), POLICY, seed=1)
    loader = accelerate.Accelerator(cpu=True).prepare(DataLoader(data, batch_size=24))
    for epoch in range(3):
        expected = load_policy(POLICY).augment(Labelled().images, seed=1, epoch=epoch)
        [(images, _)] = list(loader)
        np.testing.assert_array_equal(images.permute(0, 2, 3, 1), expected)


def test_who_forgets_the_epoch_is_told_once() -> None:
    data = Augmented(Labelled(), "flip")
    for epoch in range(6):
        data.set_epoch(epoch)
        for _ in data:
            pass
    data.set_epoch(6)
    for _ in range(2):
        data[7]
    with pytest.warns(UserWarning, match="call set_epoch"):
        data[7]
    data[7]


class Endless(IterableDataset):
    def __iter__(self):
        return iter([])


def test_what_cannot_be_augmented_is_refused() -> None:
    with pytest.raises(UsageError, match=r"has no indices.*automorph\.Collate"):
        Augmented(Endless(), "flip")
    for policy in ("mixup", "randaugment + cutmix"):
        with pytest.raises(UsageError, match=r"mixes labels.*automorph\.Collate"):
            Augmented(Labelled(), policy)
    with pytest.raises(UsageError, match="uses SamplePairing"):
        Augmented(Labelled(), "uniformaugment")
    with pytest.raises(UsageError, match="uses SamplePairing"):
        Augmented(Labelled(), "schedule(5:none,5:uniformaugment)")
    # Their space has SamplePairing, but they do not use it.
    for policy in (
        "autoaugment",
        "schedule(5:none,5:autoaugment:cifar10)",
        "random(count=1,seed=0)",
    ):
        Augmented(Labelled(), policy)
    with pytest.raises(UsageError, match="got copies=0"):
        Augmented(Labelled(), "flip", copies=0)
    with pytest.raises(UsageError, match="got epoch=-1"):
        Augmented(Labelled(), "flip").set_epoch(-1)
    with pytest.raises(IndexError):
        Augmented(Labelled(), "flip")[24]
    assert len(list(Augmented(Labelled(), "flip"))) == 24


@pytest.mark.parametrize(
    ("sample", "error", "says"),
    [
        (torch.zeros(3, 4, 4), DataError, "augment before images become floats"),
        (np.zeros((4, 4, 2), np.uint8), DataError, r"uint8 of shape \(4, 4, 2\)"),
        (image_as("pil", pixels(1)[0]).convert("P"), DataError, r'mode P.*convert\("RGB"\)'),
        ("cat.png", DataError, "got str as an image"),
        ({"picture": 1, "label": 2}, UsageError, "'picture', 'label'.*image=NAME"),
    ],
)
def test_samples_that_hold_no_image(sample: object, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        Augmented([sample], "flip")[0]
    with pytest.raises(UsageError, match="image=NUMBER"):
        Augmented([(1, 2)], "flip", image=2)[0]
