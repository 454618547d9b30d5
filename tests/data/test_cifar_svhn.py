"""CIFAR and SVHN, read from small files in the formats of their authors."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_files import encoded, noise
from scipy.io import loadmat, savemat

from automorph.data import list_sources, load_data
from automorph.errors import DataError

TRAIN, TEST = noise(1, 200, 32, 32, 3), noise(2, 20, 32, 32, 3)
FINE = tuple(f"thing_{i}" for i in range(100))
COARSE = tuple(f"kind_{i}" for i in range(20))


def records(images: np.ndarray, *labels: np.ndarray) -> bytes:
    """Return the records of the binary version: the labels, then red, green and blue planes."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([*(one[:, None] for one in labels), planes], axis=1).tobytes()


def numbers(n: int, classes: int) -> np.ndarray:
    return (np.arange(n) % classes).astype(np.uint8)


@pytest.fixture
def cifar100(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    for part, images in (("train", TRAIN), ("test", TEST)):
        fine = numbers(len(images), 100)
        (folder / f"{part}.bin").write_bytes(records(images, fine // 5, fine))
    (folder / "fine_label_names.txt").write_text("\n".join(FINE) + "\n")
    (folder / "coarse_label_names.txt").write_text("\n".join(COARSE) + "\n")
    return tmp_path


def test_cifar100_has_the_fine_labels_and_keeps_the_coarse_ones(cifar100: Path) -> None:
    data = load_data("cifar100", root=cifar100)
    assert data.classes == FINE
    np.testing.assert_array_equal(data.train.data, TRAIN)
    assert data.train.labels.tolist() == [i % 100 for i in range(200)]
    assert data.train.metadata["coarse_label"][:6].tolist() == ["kind_0"] * 5 + ["kind_1"]
    assert data.test is not None
    np.testing.assert_array_equal(data.test.data, TEST)


def test_cifar100_with_coarse_labels(cifar100: Path) -> None:
    data = load_data("cifar100-coarse", root=cifar100)
    assert data.classes == COARSE
    assert data.train.labels.tolist() == [i % 100 // 5 for i in range(200)]
    assert data.train.metadata["fine_label"][7] == "thing_7"


@pytest.mark.parametrize(("name", "classes"), [("cifar100", FINE), ("cifar100-coarse", COARSE)])
def test_cifar100_as_parquet_is_the_same(
    cifar100: Path, tmp_path: Path, name: str, classes: tuple[str, ...]
) -> None:
    folder = tmp_path / "hub" / "cifar100" / "cifar100"
    folder.mkdir(parents=True)
    for part, images in (("train", TRAIN), ("test", TEST)):
        fine = numbers(len(images), 100).astype(np.int64)
        cells = [{"bytes": encoded(image), "path": None} for image in images]
        table = pa.table({"img": cells, "fine_label": fine, "coarse_label": fine // 5})
        pq.write_table(table, folder / f"{part}-00000-of-00001.parquet")
    ours = load_data(name, root=cifar100)
    theirs = load_data(name, root=tmp_path / "hub")
    np.testing.assert_array_equal(ours.train.data, theirs.train.data)
    np.testing.assert_array_equal(ours.train.labels, theirs.train.labels)
    assert len(theirs.classes) == len(classes)


def test_cifar10_in_its_binary_version(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for number in range(5):
        part = slice(40 * number, 40 * number + 40)
        content = records(TRAIN[part], numbers(40, 10))
        (folder / f"data_batch_{number + 1}.bin").write_bytes(content)
    (folder / "test_batch.bin").write_bytes(records(TEST, numbers(20, 10)))
    (folder / "batches.meta.txt").write_text("\n".join("abcdefghij") + "\n\n")
    data = load_data("cifar10", root=tmp_path)
    assert data.classes == tuple("abcdefghij")
    np.testing.assert_array_equal(data.train.data, TRAIN)
    assert data.train.labels.tolist() == [i % 10 for i in range(200)]


class Shout:
    """An object whose unpickling would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "code ran")


def test_pickles_are_not_read(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for folder in ("cifar-100-python", "cifar-10-batches-py"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train").write_bytes(pickle.dumps(Shout(mark)))
    for name in ("cifar10", "cifar100", "cifar100-coarse"):
        with pytest.raises(DataError, match="Python pickles, which are not read"):
            load_data(name, root=tmp_path)
    assert not mark.exists()


def write_svhn(folder: Path, part: str, images: np.ndarray, **options: bool) -> None:
    folder.mkdir(exist_ok=True)
    labels = numbers(len(images), 10).astype(np.uint8)
    labels[labels == 0] = 10
    content = {"X": images.transpose(1, 2, 3, 0), "y": labels[:, None]}
    savemat(folder / f"{part}_32x32.mat", content, **options)


@pytest.mark.parametrize("packed", [True, False])
def test_svhn(tmp_path: Path, packed: bool) -> None:
    folder = tmp_path / "svhn"
    write_svhn(folder, "train", TRAIN, do_compression=packed)
    write_svhn(folder, "test", TEST)
    data = load_data("svhn", root=tmp_path)
    assert data.classes == tuple("0123456789")
    np.testing.assert_array_equal(data.train.data, TRAIN)
    assert data.train.labels.tolist() == [i % 10 for i in range(200)]
    assert data.test is not None
    assert data.test.labels.tolist() == [i % 10 for i in range(20)]
    assert not data.notes or "extra" not in " ".join(data.notes)
    write_svhn(folder, "extra", TEST)
    assert any("extra_32x32.mat" in note for note in load_data("svhn", root=tmp_path).notes)


def test_damaged_files_are_refused(cifar100: Path) -> None:
    file = cifar100 / "cifar-100-binary" / "train.bin"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"expected records of 3,074 bytes\. Download"):
        load_data("cifar100", root=cifar100)
    file.write_bytes(bytes([0, 100]) + content[2:])
    with pytest.raises(DataError, match="has the fine_label 100, but fine_label_names"):
        load_data("cifar100", root=cifar100)
    file.unlink()
    with pytest.raises(DataError, match=r"train\.bin cannot be read"):
        load_data("cifar100", root=cifar100)

    folder = cifar100 / "svhn"
    write_svhn(folder, "train", TRAIN)
    with pytest.raises(DataError, match=r"test_32x32\.mat does not exist"):
        load_data("svhn", root=cifar100)
    write_svhn(folder, "test", TEST)
    path = folder / "train_32x32.mat"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:100], b"", b"no such file format" * 40):
        path.write_bytes(content)
        with pytest.raises(DataError, match="Download the data set again"):
            load_data("svhn", root=cifar100)
    for X, y in ((TRAIN[..., :1], [1] * 200), (TRAIN, [0] * 200), (TRAIN, [1] * 10)):
        file = io.BytesIO()
        savemat(file, {"X": X.transpose(1, 2, 3, 0), "y": np.array(y)[:, None]})
        path.write_bytes(file.getvalue())
        assert "X" in loadmat(path)
        with pytest.raises(DataError, match="labels from 1 to 10"):
            load_data("svhn", root=cifar100)


def test_the_sets_are_listed(cifar100: Path) -> None:
    found = {source.name: source.found for source in list_sources(root=cifar100)}
    assert (found["cifar100"], found["cifar100-coarse"], found["svhn"]) == (True, True, False)
