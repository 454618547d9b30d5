"""Training pipelines as people write them, each an equivalent of a kind that is published.

They are built for images of `SIDE` pixels, so that a crop that is resized keeps the size of images.
A library that is not installed raises `ImportError` when its pipeline is built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torchvision import transforms as v1
from torchvision.transforms import v2

SIDE = 32
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PIPELINES: dict[str, tuple[str, Callable[[], Any]]] = {}
"""Pipelines by name: what is expected (exact, note or refused), and what builds it."""


def pipeline(name: str, expected: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def enter(build: Callable[[], Any]) -> Callable[[], Any]:
        PIPELINES[name] = expected, build
        return build

    return enter


def tensor(*steps: Any) -> Any:
    return v1.Compose([*steps, v1.ToTensor(), v1.Normalize(MEAN, STD)])


def colours(*strengths: float, p: float = 0.8) -> Any:
    return v1.RandomApply([v1.ColorJitter(*strengths)], p=p)


def blur(p: float = 0.5) -> Any:
    return v1.RandomApply([v1.GaussianBlur(5, (0.1, 2.0))], p=p)


@pipeline("SimSiam", "note")
def _() -> Any:
    return tensor(
        v1.RandomResizedCrop(SIDE, scale=(0.2, 1.0)), colours(0.4, 0.4, 0.4, 0.1),
        v1.RandomGrayscale(0.2), blur(), v1.RandomHorizontalFlip(),
    )  # fmt: skip


@pipeline("SimCLR", "note")
def _() -> Any:
    return v1.Compose([
        v1.RandomResizedCrop(SIDE), v1.RandomHorizontalFlip(), colours(0.8, 0.8, 0.8, 0.2),
        v1.RandomGrayscale(0.2), v1.GaussianBlur(3), v1.ToTensor(),
    ])  # fmt: skip


@pipeline("MoCo v1", "note")
def _() -> Any:
    return tensor(
        v1.RandomResizedCrop(SIDE, (0.2, 1.0)), v1.RandomGrayscale(0.2),
        v1.ColorJitter(0.4, 0.4, 0.4, 0.4), v1.RandomHorizontalFlip(),
    )  # fmt: skip


@pipeline("BYOL", "note")
def _() -> Any:
    return tensor(
        v1.RandomResizedCrop(SIDE), v1.RandomHorizontalFlip(), colours(0.4, 0.4, 0.2, 0.1),
        v1.RandomGrayscale(0.2), blur(1.0), v1.RandomSolarize(128, p=0.2),
    )  # fmt: skip


@pipeline("DINO, global crop", "note")
def _() -> Any:
    return v2.Compose([
        v2.RandomResizedCrop(SIDE, (0.4, 1.0), interpolation=v2.InterpolationMode.BICUBIC),
        v2.RandomHorizontalFlip(), v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
        v2.RandomGrayscale(0.2), v2.GaussianBlur(5, (0.1, 2.0)), v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD),
    ])  # fmt: skip


@pipeline("DINO, local crop", "note")
def _() -> Any:
    return v2.Compose([
        v2.RandomResizedCrop(SIDE, (0.05, 0.4)), v2.RandomHorizontalFlip(), v2.ToImage(),
    ])  # fmt: skip


@pipeline("VICReg", "note")
def _() -> Any:
    return tensor(
        v1.RandomResizedCrop(SIDE, (0.08, 1.0)), v1.RandomHorizontalFlip(),
        v1.RandomApply([v1.ColorJitter(0.4, 0.4, 0.2, 0.1), v1.RandomGrayscale(0.2)], p=0.8),
        blur(0.1), v1.RandomSolarize(130, p=0.2),
    )  # fmt: skip


@pipeline("chest X-ray, turned and shifted", "note")
def _() -> Any:
    return v1.Compose([
        v1.Resize(SIDE), v1.RandomAffine(45, translate=(0.15, 0.15), scale=(0.85, 1.15)),
        v1.ToTensor(),
    ])  # fmt: skip


@pipeline("chest X-ray, ten crops", "refused")
def _() -> Any:
    return v1.Compose([v1.Resize(SIDE), v1.TenCrop(28), v1.Lambda(lambda crops: crops[0])])


@pipeline("chest X-ray, contrast", "note")
def _() -> Any:
    return tensor(
        v1.Resize((SIDE, SIDE)), v1.RandomRotation(10), v1.RandomHorizontalFlip(),
        v1.ColorJitter(brightness=0.2, contrast=0.2),
    )  # fmt: skip


@pipeline("EuroSAT", "note")
def _() -> Any:
    return v2.Compose([
        v2.RandomResizedCrop(SIDE, scale=(0.8, 1.0), ratio=(1.0, 1.0)),
        v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(),
        v2.RandomChoice([v2.RandomRotation((90, 90)), v2.RandomRotation((180, 180)),
                         v2.Identity()]),
        v2.ToImage(),
    ])  # fmt: skip


@pipeline("CIFAR-10", "note")
def _() -> Any:
    return tensor(v1.RandomCrop(SIDE, padding=4, padding_mode="reflect"), v1.RandomHorizontalFlip())


@pipeline("CIFAR-10, erased", "note")
def _() -> Any:
    return v1.Compose([
        v1.RandomCrop(SIDE, padding=4), v1.RandomHorizontalFlip(), v1.ToTensor(),
        v1.Normalize(MEAN, STD), v1.RandomErasing(p=0.5, scale=(0.02, 0.4), value=0),
    ])  # fmt: skip


@pipeline("CIFAR-10, AutoAugment", "note")
def _() -> Any:
    return tensor(
        v1.RandomCrop(SIDE, padding=4), v1.RandomHorizontalFlip(),
        v1.AutoAugment(v1.AutoAugmentPolicy.CIFAR10),
    )  # fmt: skip


@pipeline("ImageNet, TrivialAugment", "note")
def _() -> Any:
    return v2.Compose([
        v2.RandomResizedCrop(SIDE), v2.RandomHorizontalFlip(), v2.TrivialAugmentWide(),
        v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD),
        v2.RandomErasing(p=0.1, value="random"),
    ])  # fmt: skip


@pipeline("MNIST, moved", "exact")
def _() -> Any:
    return v2.Compose([
        v2.RandomAffine(0, translate=(0.1, 0.2)), v2.RandomPerspective(0.3, p=0.5),
    ])  # fmt: skip


@pipeline("detection, zoomed out", "refused")
def _() -> Any:
    return v2.Compose([
        v2.RandomPhotometricDistort(), v2.RandomZoomOut(), v2.RandomHorizontalFlip(),
    ])  # fmt: skip


@pipeline("photometric distortion", "note")
def _() -> Any:
    return v2.Compose([v2.RandomPhotometricDistort(p=0.5), v2.RandomHorizontalFlip()])


@pipeline("timm, usual", "note")
def _() -> Any:
    from timm.data import create_transform

    return create_transform(SIDE, is_training=True, color_jitter=0.4, interpolation="bilinear")


@pipeline("DeiT", "note")
def _() -> Any:
    from timm.data import create_transform

    return create_transform(
        SIDE, is_training=True, auto_augment="rand-m9-mstd0.5-inc1", re_prob=0.25, re_mode="pixel",
        interpolation="bilinear",
    )  # fmt: skip


@pipeline("ISIC", "note")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.Transpose(), A.VerticalFlip(), A.HorizontalFlip(),
        A.RandomBrightnessContrast(0.2, 0.2, p=0.75),
        A.OneOf([A.MotionBlur((5, 5)), A.MedianBlur((5, 5)), A.GaussianBlur((5, 5)),
                 A.GaussNoise((0.02, 0.05))], p=0.7),
        A.OneOf([A.OpticalDistortion((-1.0, 1.0)), A.GridDistortion(5, (-1.0, 1.0)),
                 A.ElasticTransform(3)], p=0.7),
        A.CLAHE((1, 4), p=0.7), A.HueSaturationValue(10, 20, 10),
        A.ShiftScaleRotate(0.1, 0.1, 15, border_mode=0, p=0.85), A.Resize(SIDE, SIDE),
        A.CoarseDropout((1, 1), (0.37, 0.37), (0.37, 0.37), p=0.7), A.Normalize(),
    ])  # fmt: skip


@pipeline("cassava leaves", "note")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.RandomResizedCrop((SIDE, SIDE)), A.Transpose(), A.HorizontalFlip(), A.VerticalFlip(),
        A.ShiftScaleRotate(), A.HueSaturationValue(20, 20, 20),
        A.RandomBrightnessContrast((-0.1, 0.1), (-0.1, 0.1)), A.Normalize(), A.CoarseDropout(),
    ])  # fmt: skip


@pipeline("plant diseases", "note")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.ShiftScaleRotate(0.05, 0.05, 15), A.SmallestMaxSize(40), A.RandomCrop(SIDE, SIDE),
        A.RGBShift(15, 15, 15), A.RandomBrightnessContrast(), A.Normalize(),
    ])  # fmt: skip


@pipeline("histopathology", "exact")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.RandomRotate90(p=1), A.HorizontalFlip(), A.VerticalFlip(),
        A.HueSaturationValue(10, 15, 10), A.RandomBrightnessContrast(0.1, 0.1),
    ])  # fmt: skip


@pipeline("pneumothorax", "note")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.HorizontalFlip(),
        A.OneOf([A.RandomBrightnessContrast(0, 0.2), A.RandomGamma(),
                 A.RandomBrightnessContrast(0.2, 0)], p=0.3),
        A.OneOf([A.ElasticTransform(120, 6), A.GridDistortion(), A.OpticalDistortion((-2, 2))],
                p=0.3),
        A.ShiftScaleRotate(), A.Resize(SIDE, SIDE), A.Normalize(),
    ])  # fmt: skip


@pipeline("land cover", "exact")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([A.D4(p=1), A.RandomBrightnessContrast(p=0.5)])


@pipeline("retinopathy", "note")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([
        A.HorizontalFlip(), A.Rotate(120), A.CLAHE(), A.Affine(scale=(0.8, 1.2), shear=(-5, 5)),
        A.Normalize(),
    ])  # fmt: skip


@pipeline("driving in rain", "refused")
def _() -> Any:
    import albumentations as A  # noqa: N812

    return A.Compose([A.HorizontalFlip(), A.RandomRain(), A.RandomFog()])


@pipeline("torchgeo, usual", "exact")
def _() -> Any:
    import kornia.augmentation as K  # noqa: N812

    return K.AugmentationSequential(
        K.RandomHorizontalFlip(p=0.5), K.RandomVerticalFlip(p=0.5), data_keys=["input"],
    )  # fmt: skip


@pipeline("torchgeo, own crops", "note")
def _() -> Any:
    import kornia.augmentation as K  # noqa: N812

    return K.AugmentationSequential(
        K.RandomRotation(90.0, p=0.5),
        K.RandomResizedCrop((SIDE, SIDE), scale=(0.6, 1.0)), K.RandomSharpness(0.5, p=0.5),
        K.RandomErasing((0.02, 0.1), p=0.5), data_keys=["input"],
    )  # fmt: skip


@pipeline("SimCLR on the GPU", "note")
def _() -> Any:
    import kornia.augmentation as K  # noqa: N812

    return torch.nn.Sequential(
        K.RandomResizedCrop((SIDE, SIDE), scale=(0.2, 1.0)), K.RandomHorizontalFlip(),
        K.ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8), K.RandomGrayscale(p=0.2),
        K.RandomGaussianBlur((3, 3), (0.1, 2.0), p=0.5),
    )  # fmt: skip


@pipeline("colour jiggle on the GPU", "note")
def _() -> Any:
    import kornia.augmentation as K  # noqa: N812

    return K.ImageSequential(
        K.ColorJiggle(0.2, 0.2, 0.2, 0.1, p=0.8), K.RandomAffine(15.0, (0.1, 0.1), (0.8, 1.2)),
        K.RandomPerspective(0.3), K.RandomBoxBlur((3, 3), p=0.3),
    )  # fmt: skip


@pipeline("MedNIST", "note")
def _() -> Any:
    from monai import transforms as M  # noqa: N812

    return M.Compose([
        M.EnsureType(), M.RandRotate(0.26, prob=0.5, keep_size=True),
        M.RandFlip(0.5, spatial_axis=0), M.RandZoom(0.5, 0.9, 1.1, padding_mode="edge"),
    ])  # fmt: skip


@pipeline("scans as dictionaries", "note")
def _() -> Any:
    from monai import transforms as M  # noqa: N812

    return M.Compose([
        M.RandFlipd(["image"], 0.5, spatial_axis=1), M.RandRotate90d(["image"], 0.5, max_k=3),
        M.RandGaussianNoised(["image"], 0.3, std=0.1),
        M.RandShiftIntensityd(["image"], 0.1, prob=0.5),
    ])  # fmt: skip


@pipeline("TorchIO", "note")
def _() -> Any:
    import torchio as tio

    return tio.Compose([
        tio.RandomFlip(axes=(0,)),
        tio.RandomAffine(0.1, (0, 0, 0, 0, -10, 10), default_pad_value=0),
        tio.RandomGamma((-0.3, 0.3)), tio.RandomNoise(0, (0, 0.1), p=0.5),
    ])  # fmt: skip


@pipeline("YOLO, single images", "exact")
def _() -> Any:
    from ultralytics.data.augment import Compose, RandomFlip, RandomHSV

    return Compose([RandomHSV(0.015, 0.7, 0.4), RandomFlip(0.5, "horizontal")])
