"""Samplers that repeat examples, and a data set in which no two draws are alike by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from loader_data import Labelled
from torch.utils.data import (
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    WeightedRandomSampler,
)

N, EPOCHS, BATCH = 12, 3, 5
# 33 x 33 places and a continuous area, ratio and noise.
POLICY = "crop(pad=1) + random-erasing(p=1)"


class Row(Labelled):
    """Big images of noise, in which every crop is another, with the index as it came."""

    def __init__(self) -> None:
        super().__init__(N)
        rng = np.random.default_rng(0)
        self.images = rng.integers(0, 256, (N, 16, 16, 3), np.uint8)

    def __getitem__(self, number: int) -> dict[str, Any]:
        image, label = super().__getitem__(number)
        return {"image": image, "label": label, "number": number}


class ByEpoch(Sampler[int]):
    """Base of samplers whose order is a function of the epoch, as in a resumable training."""

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return 2 * N

    def _seed(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.epoch)


class Shuffled(ByEpoch):
    def __len__(self) -> int:
        return N

    def __iter__(self):
        return iter(RandomSampler(range(N), generator=self._seed()))


class Weighted(ByEpoch):
    def __iter__(self):
        weights = [10.0] + [1.0] * (N - 1)
        return iter(WeightedRandomSampler(weights, 2 * N, generator=self._seed()))


class Replaced(ByEpoch):
    def __iter__(self):
        drawn = RandomSampler(range(N), replacement=True, num_samples=2 * N, generator=self._seed())
        return iter(drawn)


class Repeated(ByEpoch):
    """Every example twice in a row: repeated augmentation."""

    def __iter__(self):
        return iter(np.repeat(torch.randperm(N, generator=self._seed()).numpy(), 2).tolist())


class Rare(ByEpoch):
    """One example only, over and over."""

    def __iter__(self):
        return iter([3] * (2 * N))


class Sequential(ByEpoch):
    def __len__(self) -> int:
        return N

    def __iter__(self):
        return iter(SequentialSampler(range(N)))


class Distributed(DistributedSampler):
    """One of two processes, with every example three times: repeated augmentation."""

    def __init__(self, rank: int = 0) -> None:
        super().__init__(range(N), 2, rank, seed=1)

    def __len__(self) -> int:
        return 3 * N // 2

    def __iter__(self):
        order = torch.randperm(N, generator=torch.Generator().manual_seed(self.epoch)).numpy()
        return iter(np.repeat(order, 3)[self.rank :: self.num_replicas].tolist())


SAMPLERS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Sequential, Shuffled, Weighted, Replaced, Repeated, Rare, Distributed)
}


def key(images: torch.Tensor) -> list[bytes]:
    return [image.numpy().tobytes() for image in images]


def collated(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    images = [torch.from_numpy(np.ascontiguousarray(np.asarray(row["image"]))) for row in rows]
    return {"image": torch.stack(images), "number": torch.tensor([row["number"] for row in rows])}


Drawn = list[tuple[list[int], list[bytes]]]
"""The numbers and the images of batches."""


def check_no_two_alike(batches: Iterable[tuple[list[int], list[bytes]]]) -> None:
    """Check that no two draws of one example are alike, and that some come several times."""
    seen: dict[int, list[bytes]] = defaultdict(list)
    for numbers, images in batches:
        for number, image in zip(numbers, images, strict=True):
            seen[number].append(image)
    assert max(map(len, seen.values())) >= EPOCHS
    for number, images in seen.items():
        assert len(set(images)) == len(images), number
