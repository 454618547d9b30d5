"""Every kind of source, read from real files that the tests create."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_files import class_folders, encoded, noise

from automorph.data import Dataset, as_dataset, from_arrays, list_sources, load_data
from automorph.errors import DataError

IMAGES = noise(5, 8, 6, 5, 3)
LABELS = [0, 1, 0, 1, 0, 1, 0, 1]
TEST_IMAGES = noise(6, 4, 6, 5, 3)


def write_parquet(
    path: Path,
    images: np.ndarray = IMAGES,
    *,
    labels: Any = LABELS,
    names: list[str] | None = None,
    **columns: Any,
) -> Path:
    """Write a Parquet file in the layout of the Hugging Face Hub."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"bytes": encoded(image), "path": f"{i}.png"} for i, image in enumerate(images)]
    table = pa.table({"img": cells, "label": labels, **columns})
    if names:
        features = {"img": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": names}}
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(metadata)
    pq.write_table(table, path)
    return path


def write_csv(folder: Path, header: str, rows: list[str], name: str = "table.csv") -> Path:
    """Write a CSV file and the pictures 0.png, 1.png, ... next to it."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(IMAGES):
        (folder / f"{i}.png").write_bytes(encoded(image))
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def check_examples(data: Dataset, classes: tuple[str, ...]) -> None:
    assert data.classes == classes
    np.testing.assert_array_equal(data.train.data, IMAGES)
    assert data.train.labels.tolist() == LABELS
    assert data.train.data.flags.c_contiguous


def test_digits_are_scaled_to_eight_bits() -> None:
    data = load_data("digits")
    assert repr(data) == "Dataset('digits', 10 classes, train=Split(1,797 of 8x8x1))"
    assert (data.train.data.min(), data.train.data.max()) == (0, 255)
    assert np.unique(data.train.data).size == 17
    assert data.train.names[17] == "digits[17]"


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    data = load_data("digits")
    pixels, labels = load_digits(return_X_y=True)
    np.testing.assert_array_equal(data.train.data.reshape(1797, 64), np.rint(pixels * 255 / 16))
    np.testing.assert_array_equal(data.train.labels, labels)


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_packed_or_not(tmp_path: Path, packed: bool) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for stem, n in (("train", 30), ("t10k", 10)):
        pixels, labels = noise(n, n, 28, 28), np.arange(n, dtype=np.uint8) % 10
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            content = header + array.tobytes()
            path = raw / f"{stem}-{kind}-ubyte"
            if packed:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
            else:
                path.write_bytes(content)

    data = load_data("mnist", root=tmp_path)

    np.testing.assert_array_equal(data.train.data[..., 0], noise(30, 30, 28, 28))
    assert data.train.labels.tolist() == [i % 10 for i in range(30)]
    assert data.test is not None
    assert data.test.data.shape == (10, 28, 28, 1)
    large = load_data("mnist", root=tmp_path, size=32, mode="rgb")
    assert large.train.data.shape == (30, 32, 32, 3)


def test_class_folders(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets")
    (root / "cats" / "notes.txt").write_text("mine")
    (root / "cats" / ".DS_Store").write_text("")
    (root / "dogs" / "more").mkdir()
    (root / "dogs" / "more" / "9.PNG").write_bytes(encoded(noise(999, 8, 8, 3)))

    data = load_data(f"folder:{root}")

    assert data.classes == ("cats", "dogs")
    assert data.train.labels.tolist() == [0] * 4 + [1] * 5
    assert data.train.names[0] == "cats/0.png"
    assert data.train.names[-1] == "dogs/more/9.PNG"
    np.testing.assert_array_equal(data.train.data[1], noise(1, 8, 8, 3))
    assert data.notes == (
        "ignored files without an image extension: 1 .txt",
        "sub-folders read with their class: dogs/more",
    )


def test_class_folders_with_parts(tmp_path: Path) -> None:
    for seed, (folder, n) in enumerate(
        {"train/a": 4, "train/b": 4, "val/a": 2, "val/b": 2, "test/b": 1}.items()
    ):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(n):
            (tmp_path / folder / f"{i}.png").write_bytes(encoded(noise(10 * seed + i, 5, 5)))
    (tmp_path / "more").mkdir()

    data = load_data(f"folder:{tmp_path}")

    assert {name: len(part) for name, part in data.parts.items()} == {
        "train": 8, "validation": 4, "test": 1,
    }  # fmt: skip
    assert data.test is not None
    assert data.test.labels.tolist() == [1]
    assert data.test.names == ["test/b/0.png"]
    assert data.train.data.shape == (8, 5, 5, 1)
    assert data.notes == ("ignored folders that are not parts: more",)


@pytest.mark.parametrize("on_demand", [False, True])
def test_what_macos_leaves_in_archives_is_passed_over(tmp_path: Path, on_demand: bool) -> None:
    root = class_folders(tmp_path / "pets", n=6)
    for folder in (root / "__MACOSX", root / "cats" / "__MACOSX", root / ".cache"):
        folder.mkdir()
        (folder / "._0.png").write_bytes(b"resource fork")
        (folder / "0.png").write_bytes(b"resource fork")
    (root / "cats" / "a.heic").write_bytes(b"")

    data = load_data(f"folder:{root}", on_demand=on_demand, size=8)

    assert data.classes == ("cats", "dogs")
    assert len(data.train) == 12
    assert data.notes == (
        # Of folders that systems add nothing is said; anybody may have made a hidden one.
        "ignored hidden images and folders of images: .cache",
        "ignored files without an image extension: 1 .heic. HEIC is not supported: convert "
        "it to JPEG or PNG",
    )


def test_a_folder_of_heic_says_what_to_do(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets")
    (root / "birds").mkdir()
    (root / "birds" / "1.HEIC").write_bytes(b"")
    with pytest.raises(DataError, match="convert it to JPEG"):
        load_data(f"folder:{root}")


def test_parquet_with_class_names_in_the_schema(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-00000-of-00002.parquet", IMAGES[:5], labels=LABELS[:5])
    write_parquet(tmp_path / "train-00001-of-00002.parquet", IMAGES[5:], labels=LABELS[5:])
    write_parquet(tmp_path / "test-00000-of-00001.parquet", TEST_IMAGES, labels=LABELS[:4])
    plain = load_data(f"parquet:{tmp_path}")
    check_examples(plain, ("0", "1"))
    assert plain.test is not None
    np.testing.assert_array_equal(plain.test.data, TEST_IMAGES)
    assert plain.train.names[6] == "train[6]"

    file = write_parquet(tmp_path / "one.parquet", names=["cat", "dog", "cow"])
    check_examples(load_data(f"parquet:{file}"), ("cat", "dog", "cow"))
    check_examples(load_data(f"parquet:{tmp_path}/one*.parquet"), ("cat", "dog", "cow"))


def test_parquet_columns_and_subgroups_by_option(tmp_path: Path) -> None:
    file = write_parquet(
        tmp_path / "a.parquet", breed=["x", "y"] * 4, patch=[True, True, False, False] * 2
    )
    data = load_data(f"parquet:{file}", image="img", label="breed", subgroup="patch")
    check_examples(data, ("x", "y"))
    assert data.subgroup_names == ("False", "True")
    assert data.train.subgroups is not None
    assert data.train.subgroups.tolist() == [1, 1, 0, 0] * 2


def test_csv_with_paths_beside_it(tmp_path: Path) -> None:
    rows = [f"{i}.png,{'cat' if i % 2 else 'ant'},x" for i in range(8)]
    path = write_csv(tmp_path, "\ufefffile,label,note", rows)
    check_examples(load_data(f"csv:{path}"), ("ant", "cat"))
    tabs = write_csv(tmp_path, "file\tlabel", [f"{i}.png\t{i % 2}" for i in range(8)], "table.tsv")
    check_examples(load_data(f"csv:{tabs}"), ("0", "1"))


def test_a_table_as_spreadsheets_of_many_countries_write_it(tmp_path: Path) -> None:
    """Semicolons, quotes and line breaks inside fields, a text longer than csv's own limit."""
    texts = ['was "gut", fand\nich; 😀', "naïve, oder?", "lang " * 40_000, "a;b"] * 2
    file = tmp_path / "umfrage.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as opened:
        writer = csv.writer(opened, delimiter=";")
        writer.writerow(["Nr, laufend", "Urteil", "Text"])
        writer.writerows([n, "nein" if n % 2 else "ja", text] for n, text in enumerate(texts))
    data = load_data(f"csv:{file}", text="Text", label="Urteil", leakage="keep")
    assert data.classes == ("ja", "nein")
    assert data.train.data.tolist() == texts
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_table_saved_as_unicode_text(tmp_path: Path, encoding: str) -> None:
    texts = [f"größer 😀 {n}" for n in range(8)]
    lines = ["text\tlabel", *(f"{text}\t{n % 2}" for n, text in enumerate(texts))]
    file = tmp_path / "table.csv"
    file.write_bytes("\r\n".join(lines).encode(encoding))
    data = load_data(f"csv:{file}", text="text", label="label")
    assert data.train.data.tolist() == texts


def test_numbers_as_class_names_are_sorted_as_numbers(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "path,label", [f"{i}.png,{(10, 9)[i % 2]}" for i in range(8)])
    data = load_data(f"csv:{path}")
    assert data.classes == ("9", "10")
    assert data.train.labels.tolist() == [1, 0] * 4


def test_jsonl_images_and_texts(tmp_path: Path) -> None:
    write_csv(tmp_path, "", [])
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"img": f"{i}.png", "y": i % 2}) for i in range(8)))
    check_examples(load_data(f"jsonl:{path}"), ("0", "1"))

    texts = ["line\u2028separator", "two words", "три", "four"]
    path.write_text(
        "\n".join(
            json.dumps({"text": text, "label": i % 2}, ensure_ascii=False)
            for i, text in enumerate(texts)
        ),
        "utf-8",
    )
    data = load_data(f"jsonl:{path}")
    assert data.domain == "text"
    assert data.train.data.tolist() == texts
    assert data.train.take([2]).data.tolist() == ["три"]


@pytest.mark.parametrize(
    "keys",
    [
        ("images", "labels", "test_images", "test_labels"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_npz(tmp_path: Path, keys: tuple[str, ...]) -> None:
    path = tmp_path / "arrays.npz"
    column = np.array(LABELS)[:, None]  # the layout of MedMNIST
    np.savez(path, **dict(zip(keys, (IMAGES, column, TEST_IMAGES, column[:4]), strict=True)))
    data = load_data(f"numpy:{path}")
    check_examples(data, ("0", "1"))
    assert data.test is not None
    assert len(data.test) == 4


def test_npz_with_names_and_subgroups(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    np.savez(path, images=IMAGES, labels=LABELS, classes=["cat", "dog"], subgroups=["u", "v"] * 4)
    data = load_data(f"numpy:{path}")
    check_examples(data, ("cat", "dog"))
    assert data.subgroup_names == ("u", "v")


def test_paths_are_also_looked_for_below_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "arrays.npz", images=IMAGES, labels=LABELS)
    check_examples(load_data("numpy:arrays.npz", root=tmp_path), ("0", "1"))
    monkeypatch.setenv("AUTOMORPH_DATA", str(tmp_path))
    check_examples(load_data("numpy:arrays.npz"), ("0", "1"))


def test_limit_reads_only_what_it_needs(tmp_path: Path) -> None:
    rows = [f"{i}.png,{i % 2}" for i in range(8)]
    write_csv(tmp_path, "path,label", rows, "train.csv")
    (tmp_path / "test").mkdir()
    write_csv(tmp_path / "test", "path,label", ["new.png,1"], "test.csv")
    (tmp_path / "test" / "new.png").write_bytes(encoded(TEST_IMAGES[0]))
    kept = load_data(f"csv:{tmp_path}", limit=4).train.names
    lost = next(f"{i}.png" for i in range(8) if f"train[{i}]" not in kept)
    (tmp_path / lost).unlink()

    data = load_data(f"csv:{tmp_path}", limit=4)

    assert data.train.names == kept
    assert "4 of 8 training examples kept" in "; ".join(data.notes)


def test_what_telephones_save_is_told_by_its_name(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets")
    (root / "cats" / "9.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(DataError, match=r"cats/9\.jpg: HEIC is not supported: convert it"):
        load_data(f"folder:{root}")


def test_bad_rows_are_skipped_and_listed_when_allowed(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets")
    (root / "cats" / "1.png").write_bytes(b"")
    (root / "dogs" / "2.png").write_text("not a picture")

    data = load_data(f"folder:{root}", skip_bad=True)

    assert data.train.names == [
        "cats/0.png", "cats/2.png", "cats/3.png", "dogs/0.png", "dogs/1.png", "dogs/3.png",
    ]  # fmt: skip
    assert data.train.labels.tolist() == [0] * 3 + [1] * 3
    np.testing.assert_array_equal(data.train.data[3], noise(100, 8, 8, 3))
    assert [(row.id, row.reason) for row in data.skipped] == [
        ("cats/1.png", "zero bytes"),
        ("dogs/2.png", "not an image that Pillow can read"),
    ]
    assert data.notes == (
        "2 examples cannot be used and were left out (skip_bad): cats/1.png: zero bytes; "
        "dogs/2.png: not an image that Pillow can read",
    )


def test_a_test_part_without_labels_is_left_out(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", names=["cat", "dog"])
    write_parquet(tmp_path / "test.parquet", TEST_IMAGES, labels=[-1] * 4, names=["cat", "dog"])
    data = load_data(f"parquet:{tmp_path}")
    assert data.test is None
    assert data.notes[-1] == "the test part has no labels and was left out"


def test_floats_without_fraction_are_classes(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "a.parquet", labels=[0.0, 1.0] * 4)
    check_examples(load_data(f"parquet:{file}"), ("0", "1"))


def test_a_cache_is_mapped_and_found_again(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", n=20)
    (root / "cats" / "1.png").write_bytes(b"")
    options: dict[str, Any] = {"skip_bad": True, "cache": tmp_path / "cache"}
    plain = load_data(f"folder:{root}", skip_bad=True)

    first = load_data(f"folder:{root}", **options)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    again = load_data(f"folder:{root}", **options)

    assert isinstance(again.train.data, np.memmap)
    assert first.hash == again.hash == plain.hash
    assert first.skipped == again.skipped == plain.skipped
    assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert {path.suffix for path in stamps} == {".npy", ".json"}


def test_parts_of_a_mapped_set_stay_mapped(tmp_path: Path) -> None:
    from automorph.data import split, split_hashes

    root = class_folders(tmp_path / "pets", n=20)
    sources = load_data(f"folder:{root}", cache=tmp_path / "cache"), load_data(f"folder:{root}")
    mapped, plain = map(split, sources)
    for name, part in mapped.parts.items():
        assert isinstance(part.data, np.memmap)
        np.testing.assert_array_equal(part.data, plain.parts[name].data)
    assert split_hashes(mapped) == split_hashes(plain)
    assert not isinstance(mapped.train.take([0]).data, np.memmap)
    # A different seed gives parts of the same size from the same file; they must not be mixed up.
    for seed in (1, 2):
        other, expected = (split(split(data, test=0, seed=seed)) for data in sources)
        assert isinstance(other.train.data, np.memmap)
        assert other.hash == expected.hash
        assert split_hashes(other) == split_hashes(expected)


def test_a_changed_file_is_decoded_anew(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets")
    before = load_data(f"folder:{root}", cache=tmp_path / "cache")
    (root / "cats" / "0.png").write_bytes(encoded(noise(77, 8, 8, 3)))
    after = load_data(f"folder:{root}", cache=tmp_path / "cache")
    assert before.hash != after.hash
    np.testing.assert_array_equal(after.train.data[0], noise(77, 8, 8, 3))


def test_list_sources(tmp_path: Path) -> None:
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    found = {source.name: source for source in list_sources(root=tmp_path)}
    assert found["digits"].found is True
    assert found["mnist"].found is True
    assert found["cifar10"].found is False
    folders = (tmp_path / "cifar10" / "plain_text", tmp_path / "cifar-10-batches-bin")
    assert found["cifar10"].where == tuple(map(str, folders))
    assert found["folder:PATH"].found is None


def test_as_dataset_takes_what_the_user_holds() -> None:
    data = from_arrays(IMAGES, LABELS)
    assert as_dataset(data) is data
    assert as_dataset("digits", limit=100).name == "digits"
    pair = as_dataset((IMAGES, LABELS), test=(TEST_IMAGES, LABELS[:4]), name="mine")
    check_examples(pair, ("0", "1"))
    assert pair.test is not None
    assert pair.name == "mine"


def test_torch_data_sets() -> None:
    torch = pytest.importorskip("torch")
    tensors = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)
    labels = torch.tensor(LABELS)
    check_examples(as_dataset(torch.utils.data.TensorDataset(tensors, labels)), ("0", "1"))
    floats = torch.utils.data.TensorDataset(tensors / 255, labels)
    check_examples(as_dataset(floats), ("0", "1"))


def test_torchvision_folder_gives_the_same_as_ours(tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    root = class_folders(tmp_path / "pets")
    theirs = as_dataset(torchvision.datasets.ImageFolder(str(root)))
    ours = load_data(f"folder:{root}")
    assert theirs.hash == ours.hash
    assert theirs.classes == ours.classes


def test_hugging_face_data_sets() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"img": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    )
    cells = [{"bytes": encoded(image), "path": None} for image in IMAGES]
    data = datasets.Dataset.from_dict({"img": cells, "label": LABELS}, features=features)
    check_examples(as_dataset(data), ("cat", "dog"))
    chosen = as_dataset(data.select([4, 1, 2, 3]).add_column("g", ["x", "y"] * 2), subgroup="g")
    np.testing.assert_array_equal(chosen.train.data, IMAGES[[4, 1, 2, 3]])
    both = datasets.DatasetDict({"train": data, "validation": data.select([0])})
    assert len(as_dataset(both, leakage="drop").parts["train"]) == 7
