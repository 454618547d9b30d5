"""Near-duplicates across parts are noted: the same picture or text, not in equal bytes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from automorph.data import Dataset, from_arrays, split
from automorph.data.near_duplicates import with_near_duplicates


def photos(n: int, seed: int = 0) -> np.ndarray:
    """Smooth random pictures, as different from each other as photographs."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (n, 7, 7, 3), np.uint8)
    large = [Image.fromarray(one).resize((64, 64), Image.Resampling.BICUBIC) for one in coarse]
    return np.stack([np.asarray(one) for one in large])


def as_jpeg(image: Image.Image) -> Image.Image:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=60)
    return Image.open(stream)


CHANGES = {
    "JPEG": as_jpeg,
    "size": lambda image: image.resize((40, 40)).resize((64, 64)),
    "blur": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "brightness": lambda image: image.point(lambda v: 0.7 * v + 40),
    "shift": lambda image: image.crop((1, 1, 64, 64)).resize((64, 64)),
}


def near(data: Dataset) -> list[str]:
    return [note for note in data.notes if note.startswith("near-duplicates")]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_copy_is_noted(change: object) -> None:
    x, other = photos(60), photos(20, seed=1)
    other[3] = np.asarray(change(Image.fromarray(x[7])).convert("RGB"))  # type: ignore[operator]
    data = from_arrays(x, np.arange(60) % 2, test=(other, np.arange(20) % 2))
    made = split(data, validation=0.2)
    part = "train" if "train[7]" in made.train.names else "validation"
    assert near(made) == [
        f"near-duplicates: 1 of 20 test images look like one of {part} (test[3] ~ train[7]), so "
        "accuracies may be too high; remove copies, or keep related rows together "
        "(keep_together=COLUMN, --keep-together)"
    ]
    assert near(with_near_duplicates(made)) == near(made)  # once


def test_different_flat_and_tiny_images_are_not_noted() -> None:
    assert not near(split(from_arrays(photos(100), np.arange(100) % 2)))
    flat = np.broadcast_to(np.arange(100, dtype=np.uint8)[:, None, None, None], (100, 32, 32, 1))
    assert not near(split(from_arrays(flat.copy(), np.arange(100) % 2)))
    x = photos(100)[:, ::4, ::4]
    x[50:] = x[:50] ^ 1
    assert not near(split(from_arrays(x, np.arange(100) % 2)))


def test_splits_do_not_depend_on_near_duplicates() -> None:
    x = photos(100)
    x[50:] = x[:50] ^ 1
    found = split(from_arrays(x, np.arange(100) % 2))
    other = split(from_arrays(photos(100, seed=2), np.arange(100) % 2))
    assert found.train.names == other.train.names
    assert len(near(found)) >= 2


def test_texts_that_differ_in_punctuation_are_noted() -> None:
    texts = [f"Text number {i}, and more." for i in range(40)]
    tests = ["text number 3 -- and  MORE", "another", "!!", "Text number 4, and more."]
    data = from_arrays(texts, [0, 1] * 20, test=(tests, [0, 1, 0, 1]), leakage="keep")
    (note,) = near(split(data, validation=0.2))
    assert "1 of 4 test texts look like one of " in note
    assert "test[0] ~ train[3]" in note
