"""The images of the two subgroups between which a CycleGAN translates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.errors import DataError

FEWEST = 4
"""Minimum number of images of a subgroup."""


@dataclass(frozen=True, eq=False)
class Side:
    """The images of one subgroup, uint8 ``(n, H, W, C)``, and their classes, int64 ``(n,)``."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def draw(self, n: int, classes: NDArray[np.int64], draw: torch.Generator) -> Tensor:
        """Draw ``n`` images in [-1, 1], balanced over classes, so that no class marks a side."""
        turn = torch.randperm(len(classes), generator=draw).numpy()
        rows = np.empty(n, np.int64)
        for i in range(n):
            own = self._rows(int(classes[turn[i % len(turn)]]))
            rows[i] = own[int(torch.randint(len(own), (1,), generator=draw))]
        return to_pixels(self.images[rows])

    def _rows(self, label: int) -> NDArray[np.intp]:
        known: dict[int, NDArray[np.intp]] = self.__dict__.setdefault("_by_class", {})
        if label not in known:
            known[label] = np.flatnonzero(self.labels == label)
        return known[label]


def to_pixels(images: NDArray[np.uint8]) -> Tensor:
    """Convert uint8 ``(n, H, W, C)`` to float ``(n, C, H, W)`` in [-1, 1]."""
    own = torch.from_numpy(np.array(images))
    return own.permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def to_images(pixels: Tensor) -> NDArray[np.uint8]:
    """Convert float ``(n, C, H, W)`` in [-1, 1] to uint8 ``(n, H, W, C)``."""
    bytes_ = pixels.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(bytes_.permute(0, 2, 3, 1).cpu().numpy())


def shared_classes(a: Side, b: Side) -> NDArray[np.int64]:
    """Return the classes of both sides; raise `DataError` without one, or for too few images."""
    shared = np.intersect1d(a.labels, b.labels)
    if not len(shared):
        raise DataError(
            "the two subgroups have no class in common; expected at least one class with images "
            "of both, because a translation must keep the class: supply your own edit"
        )
    for name, side in (("first", a), ("second", b)):
        count = int(np.isin(side.labels, shared).sum())
        if count < FEWEST:
            raise DataError(
                f"the {name} subgroup has {count} images in the classes shared by both "
                f"subgroups; expected at least {FEWEST} to learn a translation from. Add images, "
                "or supply an edit"
            )
    return shared
