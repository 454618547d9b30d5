"""Batches that are augmented when a loader collates them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from loader_data import KINDS, Labelled, Numbered, pixels
from torch.utils.data import DataLoader

from automorph.errors import DataError, UsageError
from automorph.integrations import Collate
from automorph.integrations.collate import numbers_of
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9)"


def loader(data: object, collate: Collate, workers: int = 0, method: str | None = None) -> object:
    return DataLoader(
        data,
        batch_size=8,
        collate_fn=collate,
        num_workers=workers,
        multiprocessing_context=method,
        persistent_workers=workers > 0,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_is_what_the_policy_makes_of_it(kind: str, channels: int) -> None:
    collate = Collate(POLICY, seed=3, index="id")
    collate.set_epoch(2)
    expected = load_policy(POLICY).augment(pixels(24, channels), seed=3, epoch=2)
    for start, batch in zip((0, 8, 16), loader(Numbered(24, kind, channels), collate), strict=True):
        assert batch["img"].dtype == torch.uint8
        np.testing.assert_array_equal(batch["img"].permute(0, 2, 3, 1), expected[start : start + 8])
        assert batch["id"].tolist() == list(range(start, start + 8))
        assert batch["label"].tolist() == [number % 3 for number in range(start, start + 8)]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
@pytest.mark.parametrize(
    ("workers", "method"), [(4, "fork"), pytest.param(2, "spawn", marks=pytest.mark.slow)]
)
def test_any_number_of_workers_gives_the_same_batches(workers: int, method: str) -> None:
    runs = []
    for many in (0, workers):
        collate = Collate(POLICY + " + mixup", seed=3, classes=3)
        made = loader(Labelled(), collate, many, method if many else None)
        run = []
        for epoch in (0, 1):
            collate.set_epoch(epoch)
            run += list(made)
        runs.append(run)
    for here, there in zip(*runs, strict=True):
        assert torch.equal(here[0], there[0])
        assert torch.equal(here[1], there[1])
    assert not torch.equal(runs[0][0][0], runs[0][3][0])


def test_pixels_stand_for_numbers() -> None:
    """Order and composition of batches change nothing; equal images get equal draws."""
    collate = Collate(POLICY, seed=1)
    samples = [Labelled()[number] for number in range(24)]
    images, _ = collate(samples)
    order = np.random.default_rng(0).permutation(24)
    for part in (order[:7], order[7:]):
        again, _ = collate([samples[row] for row in part])
        assert torch.equal(again, images[torch.from_numpy(part)])
    numbers = numbers_of(list(pixels(24)))
    assert len(set(numbers.tolist())) == 24
    expected = load_policy(POLICY).augment(pixels(24), seed=1, index=numbers)
    np.testing.assert_array_equal(images.permute(0, 2, 3, 1), expected)


@pytest.mark.parametrize("policy", ["randaugment + mixup(alpha=0.4)", "cutmix"])
def test_mixed_labels_come_out_soft(policy: str) -> None:
    samples = [Numbered()[number] for number in range(12)]
    batch = Collate(policy, seed=5, index="id", classes=3)(samples)
    images, labels = load_policy(policy).augment(
        pixels(24)[:12], labels=np.eye(3)[np.arange(12) % 3], seed=5
    )
    np.testing.assert_array_equal(batch["img"].permute(0, 2, 3, 1), images)
    np.testing.assert_array_equal(batch["label"], labels)
    assert batch["label"].dtype == torch.float32
    pairs = [(s["img"], torch.eye(3)[s["label"]], s["id"]) for s in samples]
    again = Collate(policy, seed=5, index=2)(pairs)
    assert torch.equal(again[0], batch["img"])
    assert torch.equal(again[1], batch["label"])


def test_partners_come_from_the_batch() -> None:
    samples = [Labelled()[number] for number in range(8)]
    images, labels = Collate("uniformaugment")(samples)
    assert images.shape == (8, 3, 12, 10)
    assert labels.tolist() == [number % 3 for number in range(8)]


def test_images_alone() -> None:
    images = Collate("flip")(list(pixels(5)))
    assert images.shape == (5, 3, 12, 10)
    assert images.is_contiguous()


def test_who_forgets_the_epoch_is_told() -> None:
    made = loader(Labelled(), Collate("flip"))
    list(made)
    with pytest.warns(UserWarning, match="call set_epoch"):
        list(made)


def test_what_does_not_fit_is_refused() -> None:
    samples = [Labelled()[number] for number in range(4)]
    with pytest.raises(UsageError, match="classes=None"):
        Collate("mixup")(samples)
    with pytest.raises(UsageError, match="got labels from 0 to 2 and classes=2; expected labels"):
        Collate("mixup", classes=2)(samples)
    with pytest.raises(UsageError, match="got labels from -1 to 2 and classes=3"):
        Collate("mixup", classes=3)([*samples, (samples[0][0], -1)])
    with pytest.raises(UsageError, match="none at 'label'"):
        Collate("mixup", classes=3)([{"image": image} for image, _ in samples])
    with pytest.raises(UsageError, match="which has nothing at 'id'"):
        Collate("flip", index="id")(samples)
    with pytest.raises(DataError, match="in one batch; resize"):
        Collate("flip")([*samples, (torch.zeros(3, 4, 4, dtype=torch.uint8), 0)])
