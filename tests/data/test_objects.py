"""Objects that a user holds: series, torch data sets, declared classes, pixels of another range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import class_folders, noise
from PIL import Image

from automorph.data import as_dataset, from_arrays, load_data
from automorph.errors import DataError, UsageError

IMAGES = noise(4, 12, 4, 4, 3)
LABELS = [0, 1] * 6


class Items:
    """A map-style data set of items made by a function of the index."""

    def __init__(self, item: Any, classes: Any = None) -> None:
        self.item = item
        if classes is not None:
            self.classes = classes

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


def test_series_in_another_order_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"text": [f"t {i}" for i in range(12)], "label": LABELS})
    with pytest.raises(DataError, match=r"different indexes.*labels\.loc"):
        from_arrays(table.text, table.label.sort_values())
    shuffled = table.sample(frac=1, random_state=0)
    data = from_arrays(shuffled.text, shuffled.label)
    assert data.train.labels.tolist() == shuffled.label.tolist()
    with pytest.raises(UsageError, match=r"type DataFrame.*from_pandas"):
        as_dataset(table)


def test_classes_of_parts_are_matched_by_name() -> None:
    train = Items(lambda i: (IMAGES[i], i % 3), ["ant", "bee", "cat"])
    test = Items(lambda i: (255 - IMAGES[i], i % 2), ["ant", "cat"])
    data = as_dataset(train, test=test)
    assert data.classes == ("ant", "bee", "cat")
    assert data.parts["test"].labels.tolist() == [0, 2] * 6
    with pytest.raises(DataError, match="not among the 3 declared classes: 'dog'"):
        as_dataset(train, test=Items(test.item, ["ant", "dog"]))


def test_a_subset_keeps_the_names_of_its_classes() -> None:
    torch = pytest.importorskip("torch")
    whole = Items(lambda i: (IMAGES[i], i % 2), ["ant", "bee"])
    subset = torch.utils.data.Subset(torch.utils.data.Subset(whole, range(10)), range(8))
    assert as_dataset(subset).classes == ("ant", "bee")


def test_further_entries_of_items_are_noted() -> None:
    data = as_dataset(Items(lambda i: (IMAGES[i], i % 2, i)))
    assert data.notes == ("ignored entries of items after (image, label): 1",)


def test_random_images_are_refused() -> None:
    generator = np.random.default_rng(0)
    data = Items(lambda i: (generator.integers(0, 256, (4, 4, 3), np.uint8), i % 2))
    with pytest.raises(DataError, match=r"another image each time.*leave random transforms out"):
        as_dataset(data)


def test_images_of_several_shapes_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 different shapes: \(4, 4, 3\), \(5, 4, 3\)"):
        from_arrays([np.zeros((4 + i % 2, 4, 3), np.uint8) for i in range(12)], LABELS)


def test_declared_classes() -> None:
    with pytest.raises(DataError, match="declared classes name 'cat' twice"):
        from_arrays(IMAGES, LABELS, classes=["cat", "cat"])
    data = from_arrays(IMAGES, LABELS, classes=["cat", "dog", "fox", "owl"])
    assert data.notes == ("declared classes without training examples: 'fox', 'owl'",)


def test_images_scaled_to_one_are_noted() -> None:
    data = from_arrays((IMAGES > 127).astype(np.uint8), LABELS)
    assert "all pixels are 0 or 1 of 255" in data.notes[0]


def test_what_is_left_out_of_images_is_noted(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", n=6)
    images = [Image.fromarray(noise(50 + i, 8, 8, 3)) for i in range(9)]
    images[0].save(root / "cats" / "0.gif", save_all=True, append_images=images[1:4])
    images[1].save(root / "cats" / "1.tif", save_all=True, append_images=images[2:4])
    images[2].save(root / "dogs" / "opaque.gif")
    images[3].convert("L").save(root / "dogs" / "grey.png")
    images[4].convert("RGBA").save(root / "dogs" / "opaque.png")
    clear = images[5].convert("RGBA")
    clear.putalpha(100)
    clear.save(root / "dogs" / "clear.png")
    for _ in range(2):
        data = load_data(f"folder:{root}", cache=tmp_path / "cache")
        assert sorted(data.notes) == [
            "1 image: grey among images in colour, so its values are repeated in all channels "
            "(dogs/grey.png)",
            "1 image: transparency is dropped (keep it with mode='rgba') (dogs/clear.png)",
            "2 images: only the first of several frames is read (cats/0.gif, cats/1.tif)",
        ]
    data = load_data(f"folder:{root}", on_demand=True, size=8)
    assert (
        "2 images: only the first of several frames is read (cats/0.gif, cats/1.tif)" in data.notes
    )
