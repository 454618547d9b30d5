"""Data sets that the processes of a loader can import."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

KINDS = ("array", "tensor", "pil")


def pixels(n: int, channels: int = 3, height: int = 12, width: int = 10) -> NDArray[np.uint8]:
    """Smooth, different images."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    phase = rng.uniform(0, 6, (2, n, 1, 1, channels))
    waves = np.sin(y[..., None] / 3 + phase[0]) + np.cos(x[..., None] / 2 + phase[1])
    return (127 + 60 * waves).astype(np.uint8)


def image_as(kind: str, image: NDArray[np.uint8]) -> Any:
    """An image ``(H, W, C)`` of another kind."""
    if kind == "pil":
        return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    return image if kind == "array" else torch.from_numpy(image).permute(2, 0, 1).contiguous()


def array_of(image: Any) -> NDArray[np.uint8]:
    """The inverse of ``image_as``."""
    if isinstance(image, torch.Tensor):
        return image.permute(1, 2, 0).numpy()
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


class Labelled(Dataset[Any]):
    """``(image, label)``."""

    def __init__(self, n: int = 24, kind: str = "tensor", channels: int = 3) -> None:
        self.images = pixels(n, channels)
        self.kind = kind

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        return image_as(self.kind, self.images[number]), number % 3


class Numbered(Labelled):
    """A dict with the index of the example."""

    def __getitem__(self, number: int) -> dict[str, Any]:
        image, label = super().__getitem__(number)
        return {"img": image, "label": label, "id": number}
