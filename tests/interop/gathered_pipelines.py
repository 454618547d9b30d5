"""Training pipelines gathered from public repositories after `import_policy` was written.

Each has the steps and numbers of one that is published, at `SIDE` pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from peer_pipelines import SIDE, tensor
from torchvision import transforms as v1
from torchvision.transforms import v2

GATHERED: dict[str, tuple[str, Callable[[], Any]]] = {}
"""Pipelines by name: what is expected (note or refused), and what builds it."""
BICUBIC, NEAREST = v1.InterpolationMode.BICUBIC, v1.InterpolationMode.NEAREST


def gathered(name: str, expected: str = "note") -> Callable[[Callable[[], Any]], None]:
    def enter(build: Callable[[], Any]) -> None:
        GATHERED[name] = expected, build

    return enter


def moved(*steps: Any) -> Any:
    return v1.Compose([*steps, v1.ToTensor()])


def shifted(*, scale: Any = None) -> Any:
    return v1.RandomAffine(0, translate=(0.1, 0.1), scale=scale)


gathered("drivers")(lambda: tensor(
    v1.RandomResizedCrop(SIDE, scale=(0.7, 1.0)), v1.ColorJitter(0.2, 0.2, 0.2, 0.05),
    v1.RandomPerspective(0.25, p=0.2),
))  # fmt: skip
gathered("air pollution")(lambda: moved(
    v1.Resize((SIDE, SIDE)), v1.RandomHorizontalFlip(), v1.RandomVerticalFlip(),
    v1.RandomRotation((0, 180)),
))  # fmt: skip
gathered("two views, first")(lambda: moved(
    v1.RandomResizedCrop(SIDE, scale=(0.7, 1.0), interpolation=BICUBIC),
    v1.RandomAffine((-180, 180), translate=(0.2, 0.2), interpolation=BICUBIC),
    v1.ColorJitter(brightness=0.5),
))  # fmt: skip
gathered("two views, second")(lambda: moved(
    v1.RandomResizedCrop(SIDE, scale=(0.6, 1.0), interpolation=NEAREST),
    v1.RandomPerspective(0.6, p=0.5, interpolation=NEAREST), v1.RandomAutocontrast(0.7),
    v1.RandomHorizontalFlip(), v1.RandomVerticalFlip(),
))  # fmt: skip
gathered("garbage")(lambda: tensor(
    v1.RandomResizedCrop(SIDE), v1.RandomRotation(45), v1.RandomHorizontalFlip(),
    v1.RandomVerticalFlip(), v1.RandomPerspective(), v1.ColorJitter(0.2, 0.1, 0.1, 0.1),
    v1.RandomGrayscale(0.025),
))  # fmt: skip
gathered("banknotes")(lambda: tensor(
    v1.Resize((SIDE, SIDE)), v1.RandomApply([v1.RandomRotation(8)]),
    v1.RandomPerspective(0.08, p=0.25), v1.ColorJitter(0.15, 0.15, 0.1),
))  # fmt: skip
gathered("inspection")(lambda: v1.Compose([
    v1.RandomHorizontalFlip(), v1.RandomVerticalFlip(0.2), v1.RandomRotation(10),
    v1.ColorJitter(0.2, 0.2), v1.RandomPerspective(0.1),
]))  # fmt: skip
gathered("RandAugment among others")(lambda: v1.Compose([
    v1.Resize((SIDE + 4, SIDE + 4)), v1.RandomCrop(SIDE), v1.RandomHorizontalFlip(),
    v1.RandomRotation(20), v1.RandAugment(2, 9), v1.ColorJitter(0.3, 0.3, 0.3, 0.1),
    v1.RandomPerspective(0.2, p=0.3), v1.ToTensor(), v1.RandomErasing(0.2, scale=(0.02, 0.15)),
]))  # fmt: skip
gathered("lips")(lambda: tensor(
    v1.RandomHorizontalFlip(), v1.RandomRotation(10), v1.ColorJitter(0.2, 0.2, 0.2, 0.2),
    v1.RandomApply([shifted()]),
))  # fmt: skip
gathered("CIFAR-100")(lambda: v1.Compose([
    tensor(
        v1.RandomCrop(SIDE, padding=4, padding_mode="reflect"), v1.RandomHorizontalFlip(),
        v1.RandomRotation(15), v1.ColorJitter(0.3, 0.3, 0.3, 0.1), shifted(),
    ),
    v1.RandomErasing(0.3, scale=(0.02, 0.2)),
]))  # fmt: skip
gathered("sheared")(lambda: moved(
    v1.RandomHorizontalFlip(), v1.ColorJitter(1, 0.5, 1, 0.5),
    v1.RandomAffine(45, scale=(0.5, 1), shear=(0, 25)),
))  # fmt: skip
gathered("CIFAR-10 tensors")(lambda: v1.Compose([
    v1.ToTensor(), v1.ColorJitter(hue=0.2, saturation=0.2, brightness=0.2),
    v1.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1)), v1.RandomHorizontalFlip(),
]))  # fmt: skip
gathered("digits, large")(lambda: v2.Compose([
    v2.RandomRotation(25), v2.RandomAffine(0, translate=(0.2, 0.2)), v2.RandomHorizontalFlip(),
    v2.RandomRotation(25), v2.RandomPhotometricDistort(p=1), v2.RandomResizedCrop(SIDE),
    v2.RandomRotation(25), v2.ColorJitter(0.5, 0.5), v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
]))  # fmt: skip
gathered("instance masks")(lambda: v2.Compose([
    v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomPhotometricDistort(p=1.0),
    v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
]))  # fmt: skip


@gathered("segmentation")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.RandomResizedCrop((SIDE, SIDE), scale=(0.75, 1.0)), A.HorizontalFlip(),
        A.VerticalFlip(p=0.2), A.RandomRotate90(p=0.3),
        A.ShiftScaleRotate(0.05, 0.1, 20, border_mode=0),
        A.RandomBrightnessContrast(0.15, 0.15, p=0.3), A.GaussNoise((0.02, 0.05), p=0.15),
        A.GridDistortion(4, 0.04, p=0.2), A.Normalize(),
    ])  # fmt: skip


@gathered("ultrasound", "exact")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.HorizontalFlip(), A.ShiftScaleRotate(0.06, 0.1, 15, p=0.8, border_mode=0),
        A.RandomBrightnessContrast(0.15, 0.15),
    ])  # fmt: skip


@gathered("leaves", "refused")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([A.Rotate(45, p=0.8), A.HorizontalFlip(), A.Perspective((0.05, 0.1))])


@gathered("distortions")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.CLAHE(), A.RandomRotate90(), A.Transpose(), A.ShiftScaleRotate(0.0625, 0.5, 45, p=0.75),
        A.Blur(3), A.OpticalDistortion(), A.GridDistortion(), A.HueSaturationValue(),
    ])  # fmt: skip


@gathered("all or none")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.ShiftScaleRotate(), A.HorizontalFlip(), A.VerticalFlip(), A.GaussNoise(),
        A.GaussianBlur(),
    ], p=0.5)  # fmt: skip


@gathered("detection")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.LongestMaxSize(SIDE), A.PadIfNeeded(SIDE, SIDE, border_mode=0), A.RandomCrop(SIDE, SIDE),
        A.ColorJitter(0.6, 0.6, 0.6, 0.5, p=0.3),
        A.OneOf(
            [A.ShiftScaleRotate(rotate_limit=10, p=0.3, border_mode=0), A.Affine(shear=15)], p=0.3
        ),
        A.HorizontalFlip(), A.Blur(3, p=0.3), A.CLAHE(p=0.3), A.Posterize(p=0.3), A.ToGray(p=0.3),
        A.ChannelShuffle(p=0.3), A.Normalize(),
    ])  # fmt: skip


@gathered("spectrograms", "refused")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([A.Blur(p=0.1), A.Downscale(p=0.05), A.RandomBrightnessContrast(p=0.2)])


@gathered("letterbox")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.LongestMaxSize(SIDE), A.PadIfNeeded(SIDE, SIDE, border_mode=0, fill=186), A.CLAHE(2.0),
        A.ShiftScaleRotate(0.05, 0.05, 0, border_mode=0), A.RandomBrightnessContrast(p=0.4),
        A.HorizontalFlip(), A.Normalize(),
    ])  # fmt: skip


@gathered("BYOL of kornia", "refused")
def _() -> Any:
    import kornia.augmentation as K  # noqa: N812

    return K.AugmentationSequential(
        K.RandomResizedCrop((SIDE, SIDE), scale=(0.4, 1.0)), K.RandomHorizontalFlip(),
        K.ColorJitter(0.4, 0.4, 0.0, 0.0, p=0.8), K.RandomGaussianBlur((5, 5), (0.1, 2.0), p=1.0),
        K.RandomSolarize(0.1, p=0.2), data_keys=["input"],
    )  # fmt: skip


@gathered("500 classes on a GPU")
def _() -> Any:
    import kornia.augmentation as K  # noqa: N812

    return K.AugmentationSequential(
        K.RandomResizedCrop((SIDE, SIDE), scale=(0.7, 1.0), ratio=(0.8, 1.25)),
        K.RandomHorizontalFlip(), K.ColorJitter(0.2, 0.2, 0.2, 0.02, p=1.0), K.RandomRotation(10.0),
        data_keys=["input"],
    )  # fmt: skip
