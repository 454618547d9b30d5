"""The cells of `throughput.py` on one image at a time, as data sets hand them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from automorph import load_policy
from automorph.integrations import Augmented

FORMS = {"array": (32, 224, 512), "PIL": (224,), "tensor": (224,)}
"""The forms of an image, and the sizes at which each is measured."""
LENGTH = 50_000
"""Examples of a data set; pixels repeat, so that they stay in memory."""


class Repeated(torch.utils.data.Dataset[Any]):
    """Some images again and again, as pairs with a label."""

    def __init__(self, images: list[Any], length: int) -> None:
        self.images, self.length = images, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> tuple[Any, int]:
        return self.images[number % len(self.images)], number % 10


class Transformed(Repeated):
    """The same images, each through timm, in their own form."""

    def __init__(self, images: list[Any], length: int, bilinear: bool) -> None:
        from timm.data.auto_augment import rand_augment_transform

        super().__init__(images, length)
        mode = Image.Resampling.BILINEAR if bilinear else Image.Resampling.NEAREST
        options = {"img_mean": (0, 0, 0), "interpolation": mode}
        self.transform = rand_augment_transform("rand-m9-n2-p1.0", options)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        image, label = super().__getitem__(number)
        if isinstance(image, Image.Image):
            return self.transform(image), label
        if isinstance(image, np.ndarray):
            return np.asarray(self.transform(Image.fromarray(image))), label
        pixels = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
        out = np.array(self.transform(pixels))
        return torch.from_numpy(out).permute(2, 0, 1).contiguous(), label


def as_form(image: np.ndarray, form: str) -> Any:
    """An image (H, W, C) as an array, an image of Pillow or a tensor (C, H, W)."""
    if form == "PIL":
        return Image.fromarray(image)
    return image if form == "array" else torch.from_numpy(image).permute(2, 0, 1).contiguous()


def walker(data: Any) -> Callable[[], Any]:
    """A function that reads the next example of a data set."""
    state = {"number": 0}

    def read() -> Any:
        number = state["number"] = state["number"] + 1
        if number % LENGTH == 0 and hasattr(data, "set_epoch"):
            data.set_epoch(number // LENGTH)
        return data[number % LENGTH]

    return read


def pair(images: np.ndarray, form: str, bilinear: bool = False) -> tuple[Any, Any]:
    """Our data set and timm's on the same images."""
    shown = [as_form(image, form) for image in images]
    policy = load_policy("randaugment(n=2,m=9)").rendered(
        interpolation="bilinear" if bilinear else "nearest"
    )
    return Augmented(Repeated(shown, LENGTH), policy), Transformed(shown, LENGTH, bilinear)


def passes(data: Any, count: int) -> Callable[[], Any]:
    """A function that reads examples through a loader with two workers."""
    getattr(data, "dataset", data).length = count
    loader = DataLoader(data, batch_size=32, num_workers=2, persistent_workers=True)
    state = {"epoch": 0}

    def read() -> None:
        state["epoch"] += 1
        if hasattr(data, "set_epoch"):
            data.set_epoch(state["epoch"])
        for _ in loader:
            pass

    return read
