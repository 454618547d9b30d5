"""Inputs from reports in public trackers: each is read as it is meant, with a note, or refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from picture_files import class_folders, encoded, noise
from PIL import Image

from automorph.data import Dataset, as_dataset, from_arrays, load_data
from automorph.errors import AutomorphError


@dataclass(frozen=True)
class Read:
    """What the data set must be: classes, rows of the training part, and parts of notes."""

    classes: tuple[str, ...]
    rows: int
    notes: tuple[str, ...] = ()
    check: Callable[[Dataset], bool] = lambda data: True


Expected = Read | str
"""A data set, or a part of the message of a refusal."""
Case = tuple[Callable[[Path], Dataset], Expected]

TEXTS = [f"text number {i}" for i in range(12)]
LABELS = ["good", "bad"] * 6
PLAIN = [f"{text},{label}" for text, label in zip(TEXTS, LABELS, strict=True)]
TWO = ("bad", "good")
IMAGES = noise(5, 12, 8, 8, 3)


def csv(*lines: str, header: str = "text,label", **options: Any) -> Callable[[Path], Dataset]:
    """Read a table of these lines."""

    def read(root: Path) -> Dataset:
        (root / "a.csv").write_text("\n".join([header, *lines]) + "\n", "utf-8")
        return load_data(f"csv:{root / 'a.csv'}", **options)

    return read


def raw_csv(content: bytes) -> Callable[[Path], Dataset]:
    """Read a table of these bytes."""

    def read(root: Path) -> Dataset:
        (root / "a.csv").write_bytes(content)
        return load_data(f"csv:{root / 'a.csv'}")

    return read


def with_column(name: str, values: list[str]) -> Callable[[Path], Dataset]:
    """Read a table with one more column."""
    rows = [f"{row},{values[i % len(values)]}" for i, row in enumerate(PLAIN)]
    return csv(*rows, header=f"text,label,{name}")


def with_labels(*labels: str) -> Callable[[Path], Dataset]:
    """Read a table with these labels, each four times."""
    rows = [f"text {i} of {label},{label}" for label in labels for i in range(4)]
    return csv(*rows)


def jsonl(*rows: Any) -> Callable[[Path], Dataset]:
    def read(root: Path) -> Dataset:
        (root / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
        return load_data(f"jsonl:{root / 'a.jsonl'}")

    return read


def parquet(labels: Any) -> Callable[[Path], Dataset]:
    """Read texts with these labels."""

    def read(root: Path) -> Dataset:
        pq.write_table(pa.table({"text": TEXTS, "label": labels}), root / "a.parquet")
        return load_data(f"parquet:{root / 'a.parquet'}")

    return read


def partitioned(*folders: str) -> Callable[[Path], Dataset]:
    """Read a table whose rows are divided among folders."""

    def read(root: Path) -> Dataset:
        for i, name in enumerate(folders):
            (root / name).mkdir()
            columns = {"text": TEXTS[i :: len(folders)], "label": sorted(LABELS)[i :: len(folders)]}
            pq.write_table(pa.table(columns), root / name / "0.parquet")
        return load_data(f"parquet:{root}")

    return read


def folder(change: Callable[[Path], Any], **options: Any) -> Callable[[Path], Dataset]:
    """Read two class folders of four images each after a change."""

    def read(root: Path) -> Dataset:
        change(class_folders(root / "photos"))
        return load_data(f"folder:{root / 'photos'}", **options)

    return read


def checkpoints(root: Path) -> None:
    (root / ".ipynb_checkpoints").mkdir()
    (root / ".ipynb_checkpoints" / "0-checkpoint.png").write_bytes(encoded(noise(7, 8, 8, 3)))


def hidden_images(root: Path) -> None:
    (root / "cats" / ".cache").mkdir()
    (root / "cats" / ".cache" / "5.png").write_bytes(encoded(noise(7, 8, 8, 3)))
    (root / "cats" / ".6.png").write_bytes(encoded(noise(8, 8, 8, 3)))


def invisible_class(root: Path) -> None:
    class_folders(root, classes=("cats\u200b",), n=3)
    for i in range(3):
        (root / "cats\u200b" / f"{i}.png").write_bytes(encoded(noise(900 + i, 8, 8, 3)))


def named_like_parts(root: Path) -> None:
    for i, name in enumerate(("train.png", "test_tube.png", "val.png")):
        (root / "cats" / name).write_bytes(encoded(noise(70 + i, 8, 8, 3)))


def metadata_file(root: Path) -> Dataset:
    (root / "images").mkdir()
    for i in range(4):
        (root / "images" / f"{i}.png").write_bytes(encoded(noise(i, 8, 8, 3)))
    rows = "\n".join(f"{i}.png,{i % 2}" for i in range(4))
    (root / "images" / "metadata.csv").write_text(f"file_name,label\n{rows}\n")
    return load_data(f"folder:{root / 'images'}")


def class_linked_to_another(root: Path) -> Dataset:
    photos = class_folders(root / "photos")
    (photos / "pets").symlink_to(photos / "cats")
    return load_data(f"folder:{photos}")


def linked_test_part(root: Path) -> Dataset:
    photos = class_folders(root / "train").parent
    for i, name in enumerate(("cats", "dogs")):
        (root / "val" / name).mkdir(parents=True)
        for j in range(2):
            (root / "val" / name / f"{j}.png").write_bytes(encoded(noise(50 + 2 * i + j, 8, 8, 3)))
    (root / "test").symlink_to(root / "val")
    return load_data(f"folder:{photos}")


def one_class_missing_in_test(root: Path) -> Dataset:
    class_folders(root / "train", classes=("0", "90", "180", "270"))
    for i, name in enumerate(("0", "90", "270")):
        (root / "test" / name).mkdir(parents=True)
        (root / "test" / name / "a.png").write_bytes(encoded(noise(60 + i, 8, 8, 3)))
    return load_data(f"folder:{root}")


def cmyk(root: Path) -> Dataset:
    photos = class_folders(root / "photos", n=3)
    for i, name in enumerate(("cats", "dogs")):
        red = Image.new("RGB", (8, 8), (220, 20 + i, 20)).convert("CMYK")
        red.save(photos / name / "red.jpg", quality=95)
    return load_data(f"folder:{photos}")


def reds_are_red(data: Dataset) -> bool:
    rows = [i for i, name in enumerate(data.train.names) if name.endswith("red.jpg")]
    pixels = data.train.data[rows].reshape(-1, 3)
    return bool((pixels[:, 0] > 180).all() and (pixels[:, 1:] < 60).all())


def hub(columns: dict[str, Any], change: Callable[[Any], Any] = lambda data: data) -> Any:
    def read(root: Path) -> Dataset:
        datasets = pytest.importorskip("datasets")
        return as_dataset(change(datasets.Dataset.from_dict(columns)))

    return read


def parts(*names: str) -> Callable[[Path], Dataset]:
    """Read class folders below folders of these names."""

    def read(root: Path) -> Dataset:
        for number, part in enumerate(names):
            for i, name in enumerate(("cats", "dogs")):
                (root / part / name).mkdir(parents=True)
                for j in range(4):
                    pixels = noise(100 * number + 10 * i + j, 8, 8, 3)
                    (root / part / name / f"{j}.png").write_bytes(encoded(pixels))
        return load_data(f"folder:{root}")

    return read


def multi_label(data: Any) -> Any:
    import datasets

    names = datasets.ClassLabel(names=["x", "y"])
    return data.cast_column("label", datasets.Sequence(names))


def transformed(data: Any) -> Any:
    return data.with_transform(lambda batch: {**batch, "text": [t.upper() for t in batch["text"]]})


def npz(**arrays: Any) -> Callable[[Path], Dataset]:
    def read(root: Path) -> Dataset:
        np.savez(root / "a.npz", **arrays)
        return load_data(f"numpy:{root / 'a.npz'}")

    return read


def arrays(data: Any, labels: Any, **options: Any) -> Callable[[Path], Dataset]:
    return lambda root: from_arrays(data, labels, **options)


class Items(torch.utils.data.Dataset):
    """Images and labels with class names, like those of torchvision."""

    def __init__(self, classes: list[str], first: int, label: Any = int) -> None:
        self.classes, self.first, self.label = classes, first, label

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> Any:
        return noise(self.first + i, 8, 8, 3), self.label(i % 2)


def concatenated(root: Path) -> Dataset:
    both = [Items(["cat", "dog"], 0), Items(["dog", "emu"], 100)]
    return as_dataset(torch.utils.data.ConcatDataset(both))


def grey_and_alpha(root: Path) -> Dataset:
    photos = class_folders(root / "photos", n=3)
    pixels = np.dstack([noise(3, 8, 8), np.full((8, 8), 9, np.uint8)])
    (photos / "cats" / "la.png").write_bytes(encoded(pixels))
    return load_data(f"folder:{photos}")


def two_pages(root: Path) -> None:
    stream = BytesIO()
    pages = [Image.fromarray(noise(i, 8, 8, 3)) for i in (81, 82)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    (root / "cats" / "scan.tif").write_bytes(stream.getvalue())


CASES: dict[str, Case] = {
    # Folders
    "a hidden folder of images beside the classes": (
        folder(checkpoints), Read(("cats", "dogs"), 8, ("hidden", ".ipynb_checkpoints"))),
    "hidden images within a class": (
        folder(hidden_images), Read(("cats", "dogs"), 8, ("hidden", "cats/.cache"))),
    "two class folders that differ by an invisible character": (
        folder(invisible_class), Read(("cats", "cats\u200b", "dogs"), 11, ("look alike",))),
    "images named like parts": (folder(named_like_parts), Read(("cats", "dogs"), 11)),
    "a folder of images with metadata.csv": (metadata_file, "csv:"),
    "a class folder that is a link to another": (class_linked_to_another, Read(
        ("cats", "dogs", "pets"), 12, ("more than one label",))),
    "a test part that is a link to the validation part": (linked_test_part, "more than one part"),
    "a test part without one of the classes": (one_class_missing_in_test, Read(
        ("0", "90", "180", "270"), 16, (), lambda data: data.test.labels.tolist() == [0, 3, 1])),
    "CMYK pictures": (cmyk, Read(("cats", "dogs"), 8, (), reds_are_red)),
    "grey with transparency among colours": (
        grey_and_alpha, Read(("cats", "dogs"), 7, ("transparency is dropped", "grey among"))),
    "a TIFF of two pages": (folder(two_pages), Read(("cats", "dogs"), 9, ("several frames",))),
    "parts named in one word": (
        parts("TrainImages", "TestImages"), Read(("cats", "dogs"), 8, ("TestImages is the test",))),
    "parts named in two words": (
        parts("Training Data", "Testing Data"), Read(("cats", "dogs"), 8, ("is the test part",))),
    "a part of another name": (
        parts("Training", "PublicTest"), Read(("cats", "dogs"), 8, ("not parts: PublicTest",))),
    # CSV
    "a header in the middle, of files put together": (
        csv(*PLAIN[:6], "text,label", *PLAIN[6:]), "header"),
    "a separator at the end of every row": (
        csv(*(f"{row}," for row in PLAIN)), "fields"),
    "a table without a header": (csv(*PLAIN, header="text number x,good"), "cannot tell"),
    "a line that names the separator": (
        csv(*(row.replace(",", ";") for row in PLAIN), header="sep=;\ntext;label"),
        Read(TWO, 12)),
    "labels that differ by an invisible character": (
        with_labels("good", "bad", "good\u200b"), Read(
            ("bad", "good", "good\u200b"), 12, ("look alike",))),
    "texts of invisible characters": (csv(*PLAIN, "\u200b\ufeff,good"), "no text"),
    "the question mark of UCI tables": (
        with_labels("good", "?", "bad"), Read(("?", "bad", "good"), 12, ("missing value",))),
    "errors of a spreadsheet as labels": (
        with_labels("good", "#REF!", "bad"), Read(
            ("#REF!", "bad", "good"), 12, ("missing value",))),
    "parts in a column of another name": (
        with_column("phase", ["train", "train", "train", "test", "test", "train"]), Read(
            TWO, 8, ("phase",), lambda data: len(data.test) == 4)),
    "parts in a column of other words": (
        with_column("Usage", ["Training", "Training", "PublicTest", "PrivateTest"]), "Usage"),
    "parts with gaps in a column of another name": (
        with_column("phase", ["train", "train", "test", ""]), "nothing"),
    "a class of vehicles": (
        with_column("vehicle", ["train", "car", "bus"]), Read(TWO, 12)),
    "two columns of parts that differ": (
        csv(*(f"{row},{('train', 'test')[i // 2 % 2]},{('test', 'train')[i // 2 % 2]}"
              for i, row in enumerate(PLAIN)), header="text,label,phase,stage"),
        "name different parts"),
    "UTF-16 without a mark": (
        raw_csv("\n".join(["text,label", *PLAIN]).encode("utf-16-le")), "not a UTF-8"),
    "people without a name": (
        csv(*(f"{row},{('p1', 'unknown', 'p2', 'N/A', 'unknown', 'n/a')[i % 6]}"
              for i, row in enumerate(PLAIN)),
            header="text,label,who", keep_together="who"),
        Read(TWO, 12, ("who 'unknown' (4 rows) is kept together", "who 'N/A' (2 rows)"))),
    "folds": (with_column("kfold", ["0", "1", "2", "3"]), Read(TWO, 12, ("kfold",))),
    "another encoding": (raw_csv("text,label\ncafé,good\n".encode("cp1252")), "UTF-8"),
    "a compressed table": (
        raw_csv(gzip.compress("\n".join(["text,label", *PLAIN]).encode())), "UTF-8"),
    "line ends of old Macs": (
        raw_csv("\r".join(["text,label", *PLAIN]).encode()), Read(TWO, 12)),
    "addresses of images": (
        csv(*(f"https://example.org/{i}.png,{i % 2}" for i in range(8)), header="image,label"),
        "address"),
    # JSON
    "truth values and words for them": (
        jsonl(*({"text": t, "label": [True, "True", "true", False][i % 4]}
                for i, t in enumerate(TEXTS))),
        Read(("False", "True", "true"), 12, ("look alike",))),
    "labels that are objects": (
        jsonl(*({"text": t, "label": {"id": i % 2}} for i, t in enumerate(TEXTS))), "label"),
    "a key in two spellings": (
        jsonl(*({"text": t, ("label" if i < 6 else "Label"): i % 2}
                for i, t in enumerate(TEXTS))), "no label"),
    "half of a character in a text": (
        jsonl({"text": "half \ud83d of it", "label": 0},
              *({"text": t, "label": i % 2} for i, t in enumerate(TEXTS))), "half of a character"),
    "half of a character in a label": (
        jsonl(*({"text": t, "label": ["x", "y\ud83d"][i % 2]} for i, t in enumerate(TEXTS))),
        "half of a character"),
    # Parquet
    "labels as categories": (
        parquet(pa.array(LABELS).dictionary_encode()), Read(TWO, 12)),
    "labels of bytes": (parquet(pa.array([one.encode() for one in LABELS])), Read(TWO, 12)),
    "labels as decimals": (
        parquet(pa.array([Decimal("1.00"), Decimal("2.00")] * 6)), Read(("1", "2"), 12)),
    "labels that are times": (parquet([datetime(2024, 1, 1 + i % 2) for i in range(12)]), "label"),
    "a column that only the names of folders state": (
        partitioned("sentiment=good", "sentiment=bad"), Read(
            TWO, 12, ("ignored columns that only the names of folders state: sentiment",))),
    "parts that the names of folders state": (
        partitioned("split=train", "split=test"), Read(
            TWO, 6, (), lambda data: not any("folders state" in note for note in data.notes))),
    # Hugging Face data sets
    "several labels in each row": (
        hub({"text": TEXTS, "label": [[i % 2] for i in range(12)]}, multi_label), "label"),
    "a transform of one's own": (
        hub({"text": TEXTS, "label": LABELS}, transformed), Read(TWO, 12, ("transform",))),
    # Arrays
    "names as bytes": (npz(images=IMAGES, labels=np.array(LABELS, "S4")), Read(TWO, 12)),
    "a masked array of labels": (
        arrays(IMAGES, np.ma.array([0, 1] * 6, mask=[0] * 11 + [1])), "no label"),
    "channels first": (arrays(IMAGES.transpose(0, 3, 1, 2), LABELS), r"\(n, H, W"),
    "labels of -1 and 1": (arrays(IMAGES, [-1, 1] * 6), Read(("-1", "1"), 12)),
    "labels that count from one, with names": (
        arrays(IMAGES, [1, 2, 3] * 4, classes=["a", "b", "c"]), "declared classes"),
    "one column for each class": (arrays(IMAGES, np.eye(3, dtype=int)[[0, 1, 2] * 4]), "label"),
    "texts with a missing one": (
        arrays(np.array([*TEXTS[:11], float("nan")], object), LABELS), "text"),
    "data sets put together whose classes differ": (concatenated, "class"),
    "labels as tensors of floats": (
        lambda root: as_dataset(Items(["a", "b"], 0, lambda i: torch.tensor(float(i)))),
        Read(("a", "b"), 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_nasty_input(name: str, tmp_path: Path) -> None:
    read, expected = CASES[name]
    if isinstance(expected, str):
        with pytest.raises(AutomorphError, match=expected):
            read(tmp_path)
        return
    data = read(tmp_path)
    assert data.classes == expected.classes
    assert len(data.train) == expected.rows
    for part in expected.notes:
        assert part in "\n".join(data.notes)
    assert expected.check(data)
