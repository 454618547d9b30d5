"""Broken files, columns, labels and options: a table of cases and messages."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_files import bomb, class_folders, encoded, noise
from PIL import Image

from automorph.data import as_dataset, from_arrays, load_data
from automorph.errors import AutomorphError, DataError, UsageError


@dataclass(frozen=True)
class Case:
    """A source below a folder, its options, and the words that the message must contain."""

    id: str
    make: Callable[[Path], str]
    words: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    error: type[AutomorphError] = DataError


def with_file(content: bytes, name: str = "x.png", folder: str = "cats") -> Callable[[Path], str]:
    """Class folders of good images with one more file."""

    def make(root: Path) -> str:
        class_folders(root / "pets")
        (root / "pets" / folder / name).write_bytes(content)
        return f"folder:{root}/pets"

    return make


def with_text(name: str, *lines: str, encoding: str = "utf-8") -> Callable[[Path], str]:
    """A table of texts, written verbatim."""

    def make(root: Path) -> str:
        (root / name).write_bytes("\n".join(lines).encode(encoding))
        return f"{name.partition('.')[2]}:{root / name}"

    return make


def with_labels(labels: Any, names: list[str] | None = None) -> Callable[[Path], str]:
    """A Parquet file of texts with these labels."""

    def make(root: Path) -> str:
        table = pa.table({"text": [f"text {i}" for i in range(len(labels))], "label": labels})
        if names:
            features = {"label": {"_type": "ClassLabel", "names": names}}
            about = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": about})
        pq.write_table(table, root / "t.parquet")
        return f"parquet:{root}/t.parquet"

    return make


def with_arrays(**arrays: Any) -> Callable[[Path], str]:
    def make(root: Path) -> str:
        np.savez(root / "a.npz", **arrays)
        return f"numpy:{root}/a.npz"

    return make


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def truncated_parquet(root: Path) -> str:
    source = with_labels([0, 1, 0, 1])(root)
    path = root / "t.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    return source


def two_parquet_parts(root: Path) -> str:
    pq.write_table(pa.table({"text": list("abcd"), "label": [0, 1, 0, 1]}), root / "train.parquet")
    pq.write_table(pa.table({"text": list("ef"), "kind": [0, 1]}), root / "test.parquet")
    return f"parquet:{root}"


def only_a_test_part(root: Path) -> str:
    pq.write_table(pa.table({"text": ["a"], "label": [0]}), root / "test-0.parquet")
    pq.write_table(pa.table({"text": ["b"], "label": [1]}), root / "test-1.parquet")
    return f"parquet:{root}"


def damaged_idx(root: Path) -> str:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\3" + b"x" * 99)[:-9])
    return "mnist"


def short_idx(root: Path) -> str:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    header = bytes([0, 0, 8, 3]) + np.array([5, 28, 28], ">u4").tobytes()
    (raw / "train-images-idx3-ubyte").write_bytes(header + b"x" * 99)
    return "mnist"


def unseen_class(root: Path) -> str:
    class_folders(root / "train")
    class_folders(root / "test", classes=("cats", "dgos"), shape=(8, 8, 3))
    return f"folder:{root}"


def same_picture_in_both(root: Path) -> str:
    class_folders(root / "train")
    class_folders(root / "test", n=1)
    return f"folder:{root}"


def flat_folder(root: Path) -> str:
    (root / "1.png").write_bytes(encoded(noise(1, 4, 4)))
    return f"folder:{root}"


def empty_class(root: Path) -> str:
    class_folders(root)
    (root / "cows").mkdir()
    return f"folder:{root}"


def nothing_good(root: Path) -> str:
    class_folders(root)
    for path in root.rglob("*.png"):
        path.write_bytes(b"")
    return f"folder:{root}"


def no_prefix(root: Path) -> str:
    (root / "rows.csv").write_text("text,label\n")
    return str(root / "rows.csv")


JPEG = encoded(noise(9, 32, 32, 3), "JPEG")
PNG = encoded(noise(9, 32, 32, 3))
TEXTS = [f"text {i}" for i in range(8)]
FOUR = noise(1, 4, 5, 5, 3)

CASES = [
    # broken files
    Case("zero bytes", with_file(b""), ("1 of 9 rows", "cats/x.png: zero bytes", "--skip-bad")),
    Case("text named .png", with_file(b"hello"), ("cats/x.png: not an image",)),
    Case("truncated JPEG", with_file(JPEG[:-200], "x.jpg"), ("cats/x.jpg: damaged or truncated",)),
    Case("truncated PNG", with_file(PNG[:-900]), ("cats/x.png: damaged or truncated",)),
    Case("damaged PNG", with_file(PNG[:60] + b"\0\0" + PNG[62:]), ("cats/x.png: damaged",)),
    Case("bomb", with_file(bomb()), ("cats/x.png:", "limit of 89,478,485 pixels", "bomb")),
    Case("small bomb", with_file(bomb(9500, 9500)), ("limit of 89,478,485 pixels",)),
    Case(
        "float TIFF",
        with_file(saved(Image.fromarray(np.ones((8, 8), np.float32)), "TIFF"), "x.tif"),
        ("cats/x.tif: 32-bit pixels have no standard range",),
    ),
    Case("no alpha", with_file(PNG), ("9 of 9 rows", "no alpha", "No usable row is left"),
         {"mode": "rgba"}),
    Case("two sizes", with_file(PNG), ("2 different sizes", "8x8 (8), 32x32 (1)", "--size")),
    Case("all broken", nothing_good, ("8 of 8 rows", "No usable row is left"), {"skip_bad": True}),
    Case("missing file", with_text("a.csv", "path,label", *(f"{i}.png,{i % 2}" for i in range(8))),
         ("8 of 8 rows", "train[0]: no such file",)),
    Case("truncated Parquet", truncated_parquet, ("t.parquet: not a complete Parquet file",)),
    Case("damaged idx.gz", damaged_idx, ("idx3-ubyte.gz: damaged", "Download")),
    Case("short idx", short_idx, ("not a complete idx file", "99 values, header (5, 28, 28)")),
    # folders
    Case("no folder", lambda root: f"folder:{root}/nix", ("not found", "sub-folder for each")),
    Case("no class folders", flat_folder, ("no class folders", "it contains 1.png")),
    Case("empty class folder", empty_class, ("cows contains no images",)),
    Case("unseen class", unseen_class, ("the train split lacks: 'dgos'",)),
    Case("same picture in both", same_picture_in_both, ("the same examples are in more than one",
         "train/cats/0.png = test/cats/0.png", "--leakage drop")),
    # columns
    Case(
        "unknown column",
        with_text("a.csv", "text,label", "a,0"),
        ("unknown column 'lable' of", "requested as label", "of text, label",
         "Did you mean 'label'?"),
        {"label": "lable"},
    ),
    Case("no label column", with_text("a.csv", "text,u,v", "a,0,1"), ("which column", "--label")),
    Case("no image column", with_text("a.csv", "u,label", "a,0"), ("--image", "--text", "['u'")),
    Case("empty CSV", with_text("a.csv"), ("an empty file", "header")),
    Case("CSV with header only", with_text("a.csv", "text,label"), ("no labelled examples",)),
    Case("column twice", with_text("a.csv", "text,label,label", "a,0,1"), ("appear twice",)),
    Case("ragged row", with_text("a.csv", "text,label", "a,0", "b,1,2", "c,1"),
         ("1 of 3 rows", "line 3 of a.csv: 3 fields, but the header has 2")),
    Case("not UTF-8", with_text("a.csv", "text,label", "é,0", encoding="latin-1"), ("UTF-8",)),
    Case("broken JSON line", with_text("a.jsonl", '{"text": "a", "label": 0}', '{"text"'),
         ("train[1]: line 2 of a.jsonl: not JSON",)),
    Case("JSON line no object", with_text("a.jsonl", '{"text": "a", "label": 0}', "[1]"),
         ("train[1]: line 2 of a.jsonl: a list, not an object",)),
    Case("parts differ", two_parquet_parts, ("test split lacks the columns ['label']",)),
    Case("no train part", only_a_test_part, ("found the parts test but no train part",)),
    Case("nothing there", lambda root: f"parquet:{root}/*.parquet", ("nothing found", "pattern")),
    Case("empty text", with_text("a.csv", "text,label", "a,0", " ,1"), ("train[1]: no text",)),
    # labels
    Case("missing labels", with_text("a.csv", "text,label", "a,", "b,0", "c,1", "d,0", "e,1"),
         ("1 of 5 rows", "train[0]: no label")),
    Case("NaN labels", with_labels([0.0, 1.0, float("nan"), 1.0]), ("train[2]: no label",)),
    Case("fractions", with_labels(np.linspace(0, 1, 60)), ("58 different fractions", "--label")),
    Case("one value a row", with_labels(list(range(60))), ("60 different labels in 60",)),
    Case("one class", with_labels(["cat"] * 9), ("all 9 train examples", "'cat'", "two classes")),
    Case("beyond the names", with_labels([0, 1, 7], ["a", "b"]), ("not among the 2", "7")),
    Case("several labels", with_labels([[0, 1], [1]]), ("a label is a list", "target='labels'")),
    Case("one fraction in two spellings",
         with_text("a.csv", "text,label", *(f"t{i},1.{'1' if i % 2 else '10'}" for i in range(8))),
         ("'1.1' and '1.10' are the same number", "one spelling of each", "v1.10")),
    Case("infinite label", with_labels([0.0, float("inf")] * 4), ("a label is infinite", "finite")),
    # arrays
    Case("pickled npz", with_arrays(images=FOUR, labels=np.array([{}, 1, 2, 3], object)),
         ("Python objects", "array of strings")),
    Case("no labels", with_arrays(images=FOUR), ("lacks one of labels, train_labels, y_train",)),
    Case("no images", with_arrays(a=FOUR), ("contains a", "x_train and y_train")),
    Case("float images", with_arrays(images=FOUR / 255, labels=[0, 1] * 2), ("float64", "255")),
    Case("channels first", with_arrays(images=FOUR.transpose(0, 3, 1, 2), labels=[0, 1] * 2),
         ("shape (4, 3, 5, 5)", "transpose(0, 2, 3, 1)")),
    Case("lengths differ", with_arrays(images=FOUR, labels=[0, 1]), ("4 train", "shape (2,)")),
    Case("one-hot", with_arrays(images=FOUR, labels=np.eye(4)), ("argmax",)),
    # sources and options
    Case("unknown source", lambda _: "cifar", ("Did you mean 'cifar10'?",), error=UsageError),
    Case("no prefix", no_prefix, ("For this path write csv:",), error=UsageError),
    Case("not on disk", lambda _: "cifar10", ("not on this", "AUTOMORPH_DATA", "--download")),
    Case("columns of digits", lambda _: "digits", ("no columns", "label='y'"), {"label": "y"},
         UsageError),
    Case("image and text", with_labels([0, 1]), ("one of them",), {"image": "a", "text": "b"},
         UsageError),
    Case("size of texts", with_labels([0, 1] * 4), ("contains texts",), {"size": 32}, UsageError),
    Case("size 0", lambda _: "digits", ("at least 1",), {"size": 0}, UsageError),
    Case("unknown mode", lambda _: "digits", ("'grey'",), {"mode": "gray"}, UsageError),
    Case("limit 0", lambda _: "digits", ("limit=0",), {"limit": 0}, UsageError),
    Case("limit below classes", lambda _: "digits", ("at least 10",), {"limit": 3}, UsageError),
    Case("unknown leakage", lambda _: "digits", ("'refuse'",), {"leakage": "no"}, UsageError),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_data_says_what_is_wrong(case: Case, tmp_path: Path) -> None:
    source = case.make(tmp_path)

    with pytest.raises(case.error) as error:
        load_data(source, root=tmp_path, **case.options)

    message = str(error.value)
    assert [word for word in case.words if word not in message] == [], message
    assert error.value.exit_status == 2
    assert "Traceback" not in message


def test_many_bad_rows_are_counted_and_the_first_ten_named(tmp_path: Path) -> None:
    class_folders(tmp_path, n=30)
    for i in range(15):
        (tmp_path / "cats" / f"{i}.png").write_bytes(b"")
    with pytest.raises(DataError) as error:
        load_data(f"folder:{tmp_path}")
    lines = str(error.value).splitlines()
    assert "15 of 60 rows" in lines[0]
    assert len(lines) == 13
    assert lines[11] == "  and 5 more"


def test_a_normalised_tensor_is_refused() -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.randn(8, 3, 4, 4), torch.arange(8) % 2)
    with pytest.raises(DataError, match="leave normalisation"):
        as_dataset(data)


def test_a_stream_is_refused() -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": TEXTS, "label": [0, 1] * 4})
    with pytest.raises(DataError, match="without streaming=True"):
        as_dataset(rows.to_iterable_dataset())


def test_data_of_no_known_type() -> None:
    with pytest.raises(UsageError, match="data of type int"):
        as_dataset(3)
    with pytest.raises(UsageError, match="has predefined splits"):
        as_dataset("digits", test=(FOUR, [0, 1, 0, 1]))


def test_parts_of_another_size() -> None:
    with pytest.raises(DataError, match="same kind and size"):
        from_arrays(FOUR, [0, 1] * 2, test=(noise(1, 2, 6, 6, 3), [0, 1]))


def test_a_hub_that_cannot_be_reached_is_said_clearly(tmp_path: Path) -> None:
    """The real code path, offline, in a separate process because the switch is read at import."""
    pytest.importorskip("datasets")
    code = (
        "from automorph.data import load_data\n"
        "from automorph.errors import DataError\n"
        "for source in ('mnist', 'hub:someone/nothing'):\n"
        "    try: load_data(source, download=True, root='nowhere')\n"
        "    except DataError as error: print(error)\n"
    )
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={**os.environ, **offline},
    )  # fmt: skip
    first, second = found.stdout.strip().splitlines()
    assert "hub:ylecun/mnist could not be loaded" in first
    assert "hub:someone/nothing could not be loaded" in second
    assert "network connection" in second


@pytest.mark.parametrize("missing", [None, float("nan")])
@pytest.mark.parametrize("row", [0, 5])
def test_missing_texts_are_refused_with_their_rows(missing: object, row: int) -> None:
    datasets = pytest.importorskip("datasets")
    texts: list[object] = [f"text {i}" for i in range(12)]
    texts[row] = missing
    columns = {"text": texts if missing is None else [t if t == t else None for t in texts]}
    hub = datasets.Dataset.from_dict({**columns, "label": [0, 1] * 6})
    for source in ((texts, [0, 1] * 6), (np.array(texts, object), [0, 1] * 6), hub):
        with pytest.raises(DataError, match=rf"1 of 12 rows.*\n  train\[{row}\]: no text"):
            as_dataset(source)
        assert len(as_dataset(source, skip_bad=True).train) == 11
