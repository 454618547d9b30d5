"""Public data sets by name, and the folders searched for them. Downloads only on request."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automorph.data.readers.cifar_svhn import (
    CIFAR10_NAMES,
    CIFAR10_PARTS,
    CIFAR100_NAMES,
    CIFAR100_PARTS,
    PICKLES,
    read_cifar,
    read_svhn,
)
from automorph.data.readers.columns import Columns, raw_from_tables
from automorph.data.readers.hub import download_raw
from automorph.data.readers.raw import RawData, Rows, numbered
from automorph.data.readers.tables import read_tables
from automorph.errors import DataError, MissingExtraError

_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


@dataclass(frozen=True)
class PublicSet:
    """A public set: description, folders below a root, name on the Hub, reader.

    The first folder that exists is read. ``columns`` are those of the tables on the Hub.
    """

    name: str
    about: str
    folders: tuple[str, ...]
    hub: str
    read: Callable[[str, Path], RawData]
    columns: Columns = field(default_factory=Columns)


def read_known(
    name: str, *, root: str | os.PathLike[str] | None = None, download: bool = False
) -> RawData:
    """Read a public set from disk; download it only if it is missing and the user asked."""
    if name == "digits":
        return read_digits()
    entry = KNOWN[name]
    folders = candidate_folders(entry, root)
    for folder in folders:
        if folder.is_dir():
            return entry.read(name, folder)
    if download:
        return download_raw(entry.hub, name=name, columns=entry.columns)
    raise DataError(
        f"{name} is not on this machine: looked for {' and '.join(map(str, folders))}. Set "
        f"AUTOMORPH_DATA to the folder that holds {' or '.join(entry.folders)}, or download it "
        f"with download=True (--download).{_on_pickles(name, root)}"
    )


def read_digits() -> RawData:
    """Read scikit-learn's embedded digits: 0 to 16 scaled to 0 to 255, uint8 (1797, 8, 8, 1)."""
    # Read directly: importing scikit-learn takes seconds, reading 57 kB does not.
    found = find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "The digits come with scikit-learn, which is not installed: pip install scikit-learn."
        )
    file = Path(found.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    table = np.loadtxt(file, delimiter=",")
    images = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    rows = Rows(images, table[:, -1].astype(np.int64), numbered("digits", len(images)))
    return RawData("digits", "image", {"train": rows}, classes=_DIGITS)


def data_roots(root: str | os.PathLike[str] | None = None) -> tuple[Path, ...]:
    """Return the folders searched for data sets: ``root``, else $AUTOMORPH_DATA, else ./data."""
    chosen = root or os.environ.get("AUTOMORPH_DATA") or "data"
    return (Path(chosen).expanduser(),)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, plain or as ``.gz`` beside it (LeCun's MNIST page)."""
    packed = path.with_name(path.name + ".gz")
    try:
        if path.exists():
            content = path.read_bytes()
        elif packed.exists():
            content = gzip.decompress(packed.read_bytes())
        else:
            raise DataError(
                f"neither {path} nor {packed.name} exists. Download the data set again."
            )
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{packed}: damaged ({error}). Download the data set again.") from error
    rank = content[3] if len(content) > 3 and content[:3] == b"\0\0\x08" else 0
    shape = tuple(int(size) for size in np.frombuffer(content[4 : 4 + 4 * rank], ">u4"))
    values = np.frombuffer(content[4 + 4 * rank :], np.uint8)
    if not rank or len(shape) != rank or values.size != int(np.prod(shape)):
        raise DataError(
            f"{path}: not a complete idx file of bytes ({values.size:,} values, header {shape}). "
            "Download the data set again."
        )
    return values.reshape(shape).copy()


def _read_idx_set(name: str, folder: Path) -> RawData:
    parts = {}
    for part, stem in (("train", "train"), ("test", "t10k")):
        images = read_idx(folder / f"{stem}-images-idx3-ubyte")[..., None]
        labels = read_idx(folder / f"{stem}-labels-idx1-ubyte")
        if len(images) != len(labels):
            raise DataError(
                f"{folder}: {len(images):,} {part} images but {len(labels):,} labels. Download "
                "the data set again."
            )
        parts[part] = Rows(images, labels, numbered(part, len(images)))
    classes = _CLOTHES if name == "fashion-mnist" else _DIGITS
    return RawData(name, "image", parts, classes=classes)


def _read_cifar10(name: str, folder: Path) -> RawData:
    if any(folder.glob("*.bin")):
        return read_cifar(name, folder, CIFAR10_PARTS, CIFAR10_NAMES, "label")
    tables = read_tables("parquet", str(folder))
    return raw_from_tables(name, tables, Columns(image="img", label="label"))


def _read_cifar100(name: str, folder: Path) -> RawData:
    columns = KNOWN[name].columns
    if any(folder.glob("*.bin")):
        return read_cifar(name, folder, CIFAR100_PARTS, CIFAR100_NAMES, columns.label or "")
    return raw_from_tables(name, read_tables("parquet", str(folder)), columns)


def _on_pickles(name: str, root: str | os.PathLike[str] | None) -> str:
    """Return a sentence about the pickles of a set, if they lie in a root."""
    folder = PICKLES.get(name.partition("-")[0], "-")
    if not any((one / folder).is_dir() for one in data_roots(root)):
        return ""
    return (
        f" The folder {folder} holds Python pickles, which are not read, because unpickling can "
        "run code: use the binary version of the data set, or pass torchvision's data set object."
    )


def candidate_folders(entry: PublicSet, root: str | os.PathLike[str] | None) -> list[Path]:
    """Return the folders in which a set may lie, in order of preference."""
    return [root / folder for root in data_roots(root) for folder in entry.folders]


KNOWN = {
    entry.name: entry
    for entry in (
        PublicSet(
            "mnist",
            "70,000 grey digits, 28x28, 10 classes",
            ("MNIST/raw",),
            "ylecun/mnist",
            _read_idx_set,
        ),
        PublicSet(
            "fashion-mnist",
            "70,000 grey pictures of clothing, 28x28, 10 classes",
            ("FashionMNIST/raw",),
            "zalando-datasets/fashion_mnist",
            _read_idx_set,
        ),
        PublicSet(
            "cifar10",
            "60,000 colour images, 32x32, 10 classes",
            ("cifar10/plain_text", "cifar-10-batches-bin"),
            "uoft-cs/cifar10",
            _read_cifar10,
        ),
        PublicSet(
            "cifar100",
            "60,000 colour images, 32x32, 100 classes",
            ("cifar-100-binary", "cifar100/cifar100"),
            "uoft-cs/cifar100",
            _read_cifar100,
            Columns(image="img", label="fine_label", metadata=("coarse_label",)),
        ),
        PublicSet(
            "cifar100-coarse",
            "the images of cifar100 under their 20 superclasses",
            ("cifar-100-binary", "cifar100/cifar100"),
            "uoft-cs/cifar100",
            _read_cifar100,
            Columns(image="img", label="coarse_label", metadata=("fine_label",)),
        ),
        PublicSet(
            "svhn",
            "99,289 colour house numbers, 32x32, 10 classes (without the extra images)",
            ("svhn", "SVHN"),
            "ufldl-stanford/svhn:cropped_digits",
            read_svhn,
        ),
    )
}
