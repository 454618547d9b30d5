"""No two draws of one example are alike: every integration, every sampler, resumed anywhere.

Over three epochs, with 0 to 3 workers, the sequence of batches is that without workers, and a run
that is resumed goes on as one that never stopped. The full product is slow; the default run has
one case of each kind.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sampler_data import (
    BATCH,
    EPOCHS,
    POLICY,
    SAMPLERS,
    Drawn,
    N,
    Row,
    check_no_two_alike,
    collated,
    key,
)
from torch.utils.data import BatchSampler, DataLoader

from automorph.integrations import Augmented, Collate, OnDevice, count_repeats
from automorph.integrations.huggingface import transform
from automorph.policies import load_policy
from automorph.robustness.robust import repeated_rows
from automorph.training import PolicyAugmenter, Recipe, balanced_rows, make_task
from automorph.training.loader import Loader

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]


class Run:
    """A loop over a loader of one kind; ``play`` returns numbers and images of its batches."""

    def __init__(self, way: str, sampler: str, workers: int, **place: int) -> None:
        self.way, self.counted = way, []
        inner: Any = SAMPLERS[sampler](**place)
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

    def play(self, first: int = 0, skip: int = 0) -> Drawn:
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
    ("augmented", "Sequential", 1), ("collate", "Distributed", 0), ("augmented", "Shuffled", 0),
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
    check_no_two_alike(whole)
    if workers:
        assert whole == Run(way, sampler, 0).play()
    steps = len(whole) // EPOCHS
    for first, skip in ((1, 0), (1, 2), (2, steps - 1)):
        assert Run(way, sampler, workers).play(first, skip) == whole[first * steps + skip :]


@pytest.mark.parametrize("workers", [0, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("way", ["augmented", "batch sampler", "copies", "collate"])
def test_no_two_draws_of_several_processes_are_alike(way: str, workers: int) -> None:
    ranks = [Run(way, "Distributed", workers, rank=rank).play() for rank in range(2)]
    assert sum(len(numbers) for run in ranks for numbers, _ in run) == EPOCHS * 3 * N
    check_no_two_alike([*ranks[0], *ranks[1]])


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
    check_no_two_alike(whole)
    assert whole == play(range(3), 0)
    assert whole[len(whole) // 3 * 2 :] == play([2], workers)


def test_the_policy_has_many_outcomes() -> None:
    shown = load_policy(POLICY).augment(
        np.repeat(Row().images[:1], 2000, axis=0), index=np.arange(2000)
    )
    assert len({image.tobytes() for image in shown}) == 2000
