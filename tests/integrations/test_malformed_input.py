"""What does not fit an integration is an error that says so, and no error from inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from automorph.errors import AutomorphError
from automorph.integrations import (
    Augmented,
    AugmentedClassifier,
    Collate,
    EpochCallback,
    OnDevice,
    RayMap,
)
from automorph.integrations.huggingface import transform

ONE = torch.zeros(3, 8, 8, dtype=torch.uint8)
BATCH = ONE.expand(2, -1, -1, -1).contiguous()
ARRAY = np.zeros((8, 8, 3), np.uint8)
ARRAYS = np.zeros((2, 8, 8, 3), np.uint8)
ROWS = np.zeros((4, 64))
CLASSES = [0, 1, 0, 1]
P, M = "flip-crop", "mixup"


def pairs(*others: Any) -> list[Any]:
    return [(ONE, other) for other in others]


def digits(**options: Any) -> Any:
    return AugmentedClassifier(policy="crop", **{"shape": (8, 8), **options}).fit(ROWS, CLASSES)


class Stream(torch.utils.data.IterableDataset):
    def __len__(self) -> int:
        return 3

    def __iter__(self):
        return iter(pairs(0, 1, 2))


CASES = {
    # Collate: samples
    "no samples": (lambda: Collate(P)([]), "got a batch without samples"),
    "samples of two forms": (
        lambda: Collate(P)([(ONE, 0), {"image": ONE}]), "got a dict of 1 parts, .* nothing at 0",
    ),
    "a short sample": (lambda: Collate(P, image=1)([(0, ONE), (0,)]), "a tuple of 1 parts"),
    "None beside the image": (lambda: Collate(P)(pairs(None, None)), "torch cannot collate"),
    "Pillow beside the image": (
        lambda: Collate(P)(pairs(Image.new("L", (4, 4)))), "torch cannot collate",
    ),
    "ragged labels": (
        lambda: Collate(P)(pairs(torch.zeros(2), torch.zeros(3))), "torch cannot collate",
    ),
    # Collate: labels
    "words": (
        lambda: Collate(M, classes=2)(pairs("cat", "dog")),
        "got labels that are words, such as 'cat'; .* number them in the data set",
    ),
    "lists of words": (lambda: Collate(M, classes=2)(pairs(["a"], ["b"])), "got labels that are"),
    "dicts": (lambda: Collate(M, classes=2)(pairs({"a": 1}, {"a": 1})), "that are a dict"),
    "fractions": (lambda: Collate(M, classes=2)(pairs(0.5, 1.0)), "got labels float64"),
    "soft labels of other classes": (
        lambda: Collate(M, classes=3)(pairs(torch.ones(2), torch.ones(2))),
        "soft labels for 2 classes and classes=3",
    ),
    "classes as words": (lambda: Collate(M, classes="2"), "got classes='2'; expected a whole"),  # type: ignore[arg-type]
    "half a class": (lambda: OnDevice(M, classes=2.5), "got classes=2.5"),  # type: ignore[arg-type]
    "no class": (lambda: Collate(M, classes=0), "got classes=0; expected .* 1 or more"),
    "a truth as classes": (lambda: Collate(M, classes=True), "got classes=True"),
    # Numbers of examples
    "words as numbers": (lambda: Collate(P, index=1)(pairs("a", "b")), "got index=.* one whole"),
    "halves as numbers": (lambda: Collate(P, index=1)(pairs(1.5, 2.5)), "got index=.* one whole"),
    "huge numbers": (lambda: Collate(P, index=1)(pairs(2**70)), "got index=.* one whole"),
    "layer, words": (lambda: OnDevice(P)(BATCH, index=["a", "b"]), "got index=.* one whole"),
    "layer, halves": (lambda: OnDevice(P)(BATCH, index=[1.5, 2.0]), "got index=.* one whole"),
    "layer, one number": (lambda: OnDevice(P)(BATCH, index=3), "got index=3; .* one whole"),
    "layer, too few": (lambda: OnDevice(P)(BATCH, index=[3]), "got 1 numbers in index for 2"),
    "Ray, halves": (
        lambda: RayMap(P, index="n")({"image": ARRAYS, "n": np.array([1.5, 2])}), "got index=",
    ),
    "Ray, none": (
        lambda: RayMap(P, index="n")({"image": ARRAYS, "n": np.array([None, 2])}), "got index=",
    ),
    "transform, none": (
        lambda: transform(P, index="n")({"image": [ARRAY], "n": [None]}), "got index=",
    ),
    # Layers
    "a list of images": (lambda: OnDevice(P)([ONE, ONE]), "got a list as a batch of images"),
    "an array": (lambda: OnDevice(P)(ARRAYS), "got a ndarray as a batch"),
    "nothing": (lambda: OnDevice(P)(None), "got a NoneType as a batch"),
    "a list of labels": (lambda: OnDevice(M, classes=2)(BATCH, [0, 1]), "that are a list"),
    "labels of one": (
        lambda: OnDevice(M, classes=2)(BATCH, torch.tensor([0])), r"of shape \(1,\) for 2 images",
    ),
    "soft labels of one": (
        lambda: OnDevice(M, classes=2)(BATCH, torch.ones(1, 2)), r"of shape \(1, 2\) for 2 images",
    ),
    # Seeds and epochs
    "half a seed": (lambda: Augmented([ONE], P, seed=1.5), "got seed=1.5"),  # type: ignore[arg-type]
    "no seed": (lambda: OnDevice(P, seed=None), "got seed=None"),  # type: ignore[arg-type]
    "a seed in words": (lambda: transform(P, seed="1"), "got seed='1'"),  # type: ignore[arg-type]
    "a past epoch": (lambda: OnDevice(P).set_epoch(-1), "got epoch=-1"),
    "half an epoch": (lambda: OnDevice(P).set_epoch(1.5), "got epoch=1.5"),  # type: ignore[arg-type]
    "Ray, past": (lambda: RayMap(P, epoch=-1), "got epoch=-1"),
    "Ray, words": (lambda: RayMap(P, epoch="1"), "got epoch='1'"),  # type: ignore[arg-type]
    "no counter": (lambda: EpochCallback(3), "got a int, which has no set_epoch"),
    # Data sets
    "half a copy": (lambda: Augmented([ONE], P, copies=2.5), "got copies=2.5"),  # type: ignore[arg-type]
    "several parts": (
        lambda: Augmented({"train": [ONE], "test": [ONE]}, P), "got a dict of 'train', 'test'",
    ),
    "a stream": (lambda: Augmented(Stream(), P), "which has no indices"),
    "no function": (lambda: Augmented([ONE], P, then="x"), "got then='x'"),  # type: ignore[arg-type]
    "a list of rows": (lambda: RayMap(P)([ARRAY]), "got a batch of type list"),  # type: ignore[arg-type]
    # scikit-learn
    "one side": (lambda: digits(shape=8), "shape=8; expected the sides"),
    "sides in words": (lambda: digits(shape="8x8"), "shape=8x8; expected the sides"),
    "one level": (lambda: digits(levels=255), "got levels=255; expected two numbers"),
    "no state": (lambda: digits(random_state=None), "got random_state=None"),
    "texts for images": (
        lambda: AugmentedClassifier(policy="crop").fit(["a b"] * 4, CLASSES), "X holds texts",
    ),
    "images for texts": (
        lambda: AugmentedClassifier(policy="typos").fit(ROWS, CLASSES), "X holds images",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message"), CASES.values(), ids=CASES)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(AutomorphError, match=message):
        call()


NESTED = [BATCH, torch.zeros(2)]


@pytest.mark.parametrize(("batch", "options", "message"), [
    ([NESTED, NESTED], {}, "got a list of 2 batches, as from several loaders"),
    ([tuple(NESTED)], {}, "got a list of 1 batches, as from several loaders"),
    ({"a": NESTED, "b": NESTED}, {}, "got a dict of 2 batches, as from several loaders"),
    ({"a": {"image": BATCH}}, {"image": "a"}, "got a dict of 1 batches"),
    ([None, NESTED], {}, "got a NoneType as a batch of images"),
    ([BATCH], {"index": 1}, "got a list of 1 parts, which has nothing at 1"),
    ({"image": BATCH}, {"index": "id"}, "got a dict of 1 parts, which has nothing at 'id'"),
    ([BATCH, ["a", "b"]], {"index": 1}, "got index="),
])  # fmt: skip
def test_batches_that_lightning_cannot_augment(batch: Any, options: Any, message: str) -> None:
    lightning = pytest.importorskip("automorph.integrations.lightning")
    with pytest.raises(AutomorphError, match=message):
        lightning.augment_in_place(OnDevice(P), batch, **options)
    if not options:  # Policies that change nothing need no images.
        lightning.augment_in_place(OnDevice("none"), batch)


@pytest.mark.parametrize(("batch", "message"), [
    ([BATCH], "nothing at 1"),
    ({"image": BATCH}, "nothing at 'label'"),
    ([BATCH, ["a", "b"]], "got labels that are words"),
])  # fmt: skip
def test_labels_that_lightning_cannot_mix(batch: Any, message: str) -> None:
    lightning = pytest.importorskip("automorph.integrations.lightning")
    with pytest.raises(AutomorphError, match=message):
        lightning.augment_in_place(OnDevice(M, classes=2), batch)


def test_all_whole_labels_are_numbers() -> None:
    for kind in (torch.uint8, torch.int32, torch.uint16, torch.uint64, torch.bool):
        _, labels = OnDevice(M, classes=2)(BATCH, torch.tensor([0, 1]).to(kind))
        assert labels.shape == (2, 2)
        assert torch.allclose(labels.sum(1), torch.ones(2))
