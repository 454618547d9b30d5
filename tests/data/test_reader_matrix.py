"""The same rows, with every oddity of labels and parts, through every reader."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_files import encoded, noise

from automorph.data import Dataset, as_dataset, from_arrays, load_data

# Numbers in several forms, a word that looks missing, a fraction, a code: eight labels a cycle.
CYCLE = [1, "1.0", 2, 2.0, "None", 0.5, "other", "007"]
LABELS = CYCLE * 5
PARTS = ["train"] * 24 + ["validation"] * 8 + ["test"] * 8
IMAGES = noise(3, 40, 4, 4, 3)
CLASSES = ("0.5", "007", "1", "2", "None", "other")
COUNTS = {"train": [3, 3, 6, 6, 3, 3], "validation": [1, 1, 2, 2, 1, 1], "test": [1, 1, 2, 2, 1, 1]}
NOTES = (
    "labels written in different ways: '1', '1.0' are '1'; '2', '2.0' are '2' (compared as values)",
    "labels with fractions are classes, not measurements: '0.5'",
    "labels are numbers and words: '1', '2'; 'None', 'other'",
    "label 'None' is a class of its own, not a missing value",
)
COLUMN = "parts read from the column 'split': train 25, validation 8, test 9 rows"
LEFT_OUT = "2 examples cannot be used and were left out (skip_bad): train[40]: no label; "
OPEN = "quotes that do not close were read as text: table"
HERE = {"image": "image", "label": "label", "skip_bad": True}


def rows(*, typed: bool) -> list[dict[str, Any]]:
    """The rows of a table, two without a label, and with an unclosed quote in a column."""
    found = [
        {"image": f"{i}.png", "label": label if typed else str(label), "split": part, "note": "x"}
        for i, (label, part) in enumerate(zip(LABELS, PARTS, strict=True))
    ]
    found.append({"image": "0.png", "label": None if typed else "", "split": "train", "note": "x"})
    found.append({"image": "1.png", "label": None if typed else " ", "split": "test", "note": "x"})
    found[5]["note"] = '"open'
    found[20]["note"] = 'closed"'
    return found


def pictures(root: Path) -> None:
    for i, image in enumerate(IMAGES):
        (root / f"{i}.png").write_bytes(encoded(image))


def folder(root: Path) -> Dataset:
    for i, (label, part) in enumerate(zip(LABELS, PARTS, strict=True)):
        path = root / part / str(label) / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(IMAGES[i]))
    return load_data(f"folder:{root}")


def folder_on_demand(root: Path) -> Dataset:
    folder(root)
    return load_data(f"folder:{root}", on_demand=True, size=4)


def separated(ending: str, mark: str) -> Callable[[Path], Dataset]:
    def read(root: Path) -> Dataset:
        pictures(root)
        with (root / f"table.{ending}").open("w", newline="", encoding="utf-8") as file:
            # As many programs write: no quotes, whatever the fields hold.
            writer = csv.writer(file, delimiter=mark, quoting=csv.QUOTE_NONE, quotechar=None)
            writer.writerow(rows(typed=False)[0])
            writer.writerows(row.values() for row in rows(typed=False))
        return load_data(f"csv:{root / f'table.{ending}'}", **HERE)

    return read


def lines(root: Path) -> Dataset:
    pictures(root)
    (root / "a.jsonl").write_text("\n".join(map(json.dumps, rows(typed=True))))
    return load_data(f"jsonl:{root / 'a.jsonl'}", **HERE)


def array_of_objects(root: Path) -> Dataset:
    pictures(root)
    (root / "a.json").write_text(json.dumps(rows(typed=True)))
    return load_data(f"jsonl:{root / 'a.json'}", **HERE)


def columns() -> dict[str, list[Any]]:
    found = rows(typed=False)
    table = {name: [row[name] or None for row in found] for name in found[0]}
    table["image"] = [encoded(IMAGES[int(name.partition(".")[0])]) for name in table["image"]]
    return table


def parquet(root: Path) -> Dataset:
    pq.write_table(pa.table(columns()), root / "a.parquet")
    return load_data(f"parquet:{root / 'a.parquet'}", **HERE)


def hub(root: Path) -> Dataset:
    datasets = pytest.importorskip("datasets")
    return as_dataset(datasets.Dataset.from_dict(columns()), **HERE)


def of_part(part: str) -> tuple[np.ndarray, list[Any]]:
    chosen = [i for i, one in enumerate(PARTS) if one == part]
    return IMAGES[chosen], [LABELS[i] for i in chosen]


def numpy(root: Path) -> Dataset:
    parts = {name: of_part(part) for name, part in
             (("train", "train"), ("val", "validation"), ("test", "test"))}  # fmt: skip
    arrays = {f"{name}_images": images for name, (images, _) in parts.items()}
    arrays |= {f"{name}_labels": np.array([str(one) for one in labels])
               for name, (_, labels) in parts.items()}  # fmt: skip
    np.savez(root / "a.npz", **arrays)
    return load_data(f"numpy:{root / 'a.npz'}")


def arrays(root: Path) -> Dataset:
    return from_arrays(*of_part("train"), validation=of_part("validation"), test=of_part("test"))


READERS: dict[str, tuple[Callable[[Path], Dataset], tuple[str, ...]]] = {
    "folder": (folder, ()),
    "folder on demand": (folder_on_demand, ()),
    "csv": (separated("csv", ","), (OPEN, COLUMN, LEFT_OUT)),
    "csv with semicolons": (separated("csv", ";"), (OPEN, COLUMN, LEFT_OUT)),
    "tsv": (separated("tsv", "\t"), (OPEN, COLUMN, LEFT_OUT)),
    "jsonl": (lines, (COLUMN, LEFT_OUT)),
    "json": (array_of_objects, (COLUMN, LEFT_OUT)),
    "parquet": (parquet, (COLUMN, LEFT_OUT)),
    "hub": (hub, (COLUMN, LEFT_OUT)),
    "numpy": (numpy, ()),
    "arrays": (arrays, ()),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_gives_the_same(name: str, tmp_path: Path) -> None:
    read, own = READERS[name]
    data = read(tmp_path)
    assert data.classes == CLASSES
    assert {
        part: np.bincount(split.labels, minlength=6).tolist() for part, split in data.parts.items()
    } == COUNTS
    expected = {(encoded(image), CLASSES.index(_name(label)))
                for image, label in zip(IMAGES, LABELS, strict=True)}  # fmt: skip
    found = {(encoded(np.asarray(image)), int(label)) for split in data.parts.values()
             for image, label in zip(split.data[:], split.labels, strict=True)}  # fmt: skip
    assert found == expected
    assert [note for note in data.notes if note in NOTES] == list(NOTES)
    others = [note for note in data.notes if note not in NOTES]
    assert len(others) == len(own)
    assert all(note.startswith(start) for note, start in zip(others, own, strict=True)), others


def _name(label: Any) -> str:
    return {"1.0": "1", "2.0": "2"}.get(str(label), str(label))
