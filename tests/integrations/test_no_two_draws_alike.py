"""No two draws of one example are alike: every integration, every sampler, resumed anywhere.

Over three epochs, with 0 to 3 workers, the sequence of batches is that without workers, and a run
that is resumed goes on as one that never stopped. The full product is slow; the default run has
one case of each kind.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from loader_data import Labelled
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    WeightedRandomSampler,
)

from automorph.integrations import Augmented, Collate, OnDevice, count_repeats
from automorph.integrations.huggingface import transform
from automorph.policies import load_policy
from automorph.robustness.robust import balanced_rows, repeated_rows
from automorph.training import PolicyAugmenter, Recipe, make_task
from automorph.training.loader import Loader

N, EPOCHS, BATCH = 12, 3, 5
# Its draws are never alike by chance: 33 x 33 places and a continuous angle.
POLICY = "crop(pad=1) + random-erasing(p=1)"
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]


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


SAMPLERS = {kind.__name__: kind for kind in (Shuffled, Weighted, Replaced, Repeated, Rare)}


def key(images: torch.Tensor) -> list[bytes]:
    return [image.numpy().tobytes() for image in images]


def collated(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    images = [torch.from_numpy(np.ascontiguousarray(np.asarray(row["image"]))) for row in rows]
    return {"image": torch.stack(images), "number": torch.tensor([row["number"] for row in rows])}


class Run:
    """A loop over a loader of one kind; ``play`` returns numbers and images of its batches."""

    def __init__(self, way: str, sampler: str, workers: int) -> None:
        self.way, self.counted = way, []
        inner: Any = SAMPLERS[sampler]()
        options: dict[str, Any] = {"batch_size": BATCH}
        wrapped = count_repeats(inner)
        if way == "batch sampler":
            wrapped = count_repeats(BatchSampler(inner, BATCH, False))
            options = {"batch_sampler": wrapped}
        else:
            options["sampler"] = wrapped
        data: Any = Row()
        self.layer = None
        if way in ("augmented", "batch sampler"):
            data = Augmented(data, POLICY, seed=1)
            options["collate_fn"] = collated
        elif way == "copies":
            data = Augmented(data, POLICY, seed=1, copies=2)
            options["collate_fn"] = collated
        elif way == "by batch":
            data = Augmented(data, POLICY, seed=1, repeats=True)
            options |= {"collate_fn": collated, "sampler": inner}
            wrapped = inner
            self.counted.append(data)
        elif way == "collate":
            options["collate_fn"] = Collate(POLICY, seed=1, index="number")
        elif way == "collate by batch":
            options |= {"collate_fn": Collate(POLICY, seed=1, repeats=True), "sampler": inner}
            wrapped = inner
            self.counted.append(options["collate_fn"])
        elif way == "transform":
            datasets = pytest.importorskip("datasets")
            columns = {"image": list(data.images), "number": list(range(N))}
            augment = transform(POLICY, seed=1, index="number", repeats=True)
            self.counted.append(augment)
            features = datasets.Features(
                image=datasets.Array3D((16, 16, 3), "uint8"), number=datasets.Value("int64")
            )
            data = datasets.Dataset.from_dict(columns, features)
            data.set_transform(partial(as_arrays, augment))
            options |= {"collate_fn": collated, "sampler": inner}
            wrapped = inner
        else:
            self.layer = OnDevice(POLICY, seed=1)
            options["sampler"] = wrapped = inner
            self.counted.append(self.layer)
        self.counted.append(wrapped)
        self.loader = DataLoader(
            data, num_workers=workers, persistent_workers=workers > 1,
            multiprocessing_context="fork" if workers else None, **options,
        )  # fmt: skip

    def play(self, first: int = 0, skip: int = 0) -> list[tuple[list[int], list[bytes]]]:
        """Epochs from ``first`` on, without the first ``skip`` batches of the first one."""
        out = []
        for epoch in range(first, EPOCHS):
            for part in self.counted:
                part.set_epoch(epoch)
            for step, batch in enumerate(self.loader):
                images = batch["image"]
                if self.layer is not None:
                    # A loop that skips batches counts those that it skips.
                    images = self.layer(images)
                if epoch > first or step >= skip:
                    out.append((batch["number"].tolist(), key(images)))
        return out


def as_arrays(augment: Any, batch: dict[str, Any]) -> dict[str, Any]:
    images = [np.asarray(image, np.uint8) for image in batch["image"]]
    return augment({**batch, "image": images})


WAYS = ("augmented", "batch sampler", "copies", "collate", "by batch", "collate by batch",
        "transform", "layer")  # fmt: skip
FAST = {
    ("augmented", "Weighted", 0), ("augmented", "Rare", 3), ("batch sampler", "Repeated", 0),
    ("copies", "Replaced", 0), ("collate", "Weighted", 2), ("by batch", "Weighted", 0),
    ("collate by batch", "Replaced", 0), ("transform", "Weighted", 0), ("layer", "Weighted", 0),
}  # fmt: skip
EVERY = [
    pytest.param(*case, marks=() if case in FAST else pytest.mark.slow)
    for case in itertools.product(WAYS, SAMPLERS, range(4))
]
BY_BATCH = ("by batch", "collate by batch", "transform")


@pytest.mark.parametrize(("way", "sampler", "workers"), EVERY)
def test_no_two_draws_of_one_example_are_alike(way: str, sampler: str, workers: int) -> None:
    if sampler == "Rare" and way in BY_BATCH:
        pytest.skip("two batches of the same examples in the same order draw alike, as documented")
    whole = Run(way, sampler, workers).play()  # A warning is an error in these tests.
    seen: dict[int, list[bytes]] = defaultdict(list)
    for numbers, images in whole:
        for number, image in zip(numbers, images, strict=True):
            seen[number].append(image)
    assert max(map(len, seen.values())) >= EPOCHS
    for number, images in seen.items():
        assert len(set(images)) == len(images), number
    if workers:
        assert whole == Run(way, sampler, 0).play()
    steps = len(whole) // EPOCHS
    for first, skip in ((1, 0), (1, 2), (2, steps - 1)):
        assert Run(way, sampler, workers).play(first, skip) == whole[first * steps + skip :]


def test_a_policy_of_one_outcome_is_the_exception() -> None:
    data = Augmented(Row(), "flip(p=1)", seed=1)
    images = [x["image"] for x in DataLoader(data, None, sampler=count_repeats([3] * 4))]
    assert len(set(key(torch.stack(images)))) == 1


@pytest.mark.parametrize("workers", [0, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rows", ["plain", "balanced", "repeated"])
def test_our_own_loop_draws_no_two_alike(rows: str, workers: int) -> None:
    from automorph.data import Dataset, Split
    from automorph.training import find_machine

    part = Split(Row().images, np.arange(N) % 2)
    data = Dataset("noise", ("a", "b"), part, None, None)
    recipe = Recipe(epochs=3, batch_size=BATCH, precision="fp32")
    task = make_task(data, model="cnn:4", recipe=recipe)

    class Drawn(PolicyAugmenter):
        def epoch_rows(self, n, batch_size, *, seed, epoch):
            if rows == "balanced":
                groups = (np.arange(N) == 3).astype(np.int64)
                return balanced_rows(groups, batch_size, seed=seed, epoch=epoch)
            if rows == "repeated":
                copies = np.where(np.arange(N) == 3, 20, 1)
                return repeated_rows(copies, batch_size, seed=seed, epoch=epoch)
            return super().epoch_rows(n, batch_size, seed=seed, epoch=epoch)

    def play(epochs, threads):
        loader = Loader(task, Drawn(POLICY), 1, find_machine("cpu"), workers=threads)
        return [
            (batch.index.tolist(), key(batch.inputs))
            for epoch in epochs
            for batch in loader.epoch(epoch, torch.nn.Identity())
        ]

    whole = play(range(3), workers)
    seen: dict[int, list[bytes]] = defaultdict(list)
    for numbers, images in whole:
        for number, image in zip(numbers, images, strict=True):
            seen[number].append(image)
    for images in seen.values():
        assert len(set(images)) == len(images)
    assert whole == play(range(3), 0)
    assert whole[len(whole) // 3 * 2 :] == play([2], workers)


def test_the_policy_has_many_outcomes() -> None:
    shown = load_policy(POLICY).augment(
        np.repeat(Row().images[:1], 2000, axis=0), index=np.arange(2000)
    )
    assert len({image.tobytes() for image in shown}) == 2000
