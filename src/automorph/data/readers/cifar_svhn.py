"""CIFAR-10, CIFAR-100 and SVHN in the formats in which their authors publish them.

CIFAR comes as Python pickles, too; those are not read, because unpickling can run code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData, Rows, numbered
from automorph.errors import DataError

SIDE = 32
_PIXELS = 3 * SIDE * SIDE
_AGAIN = "Download the data set again."
PICKLES = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
"""The folders of pickles, by data set."""
CIFAR10_PARTS = {
    "train": [f"data_batch_{number}.bin" for number in range(1, 6)],
    "test": ["test_batch.bin"],
}
CIFAR10_NAMES = {"label": "batches.meta.txt"}
CIFAR100_PARTS = {"train": ["train.bin"], "test": ["test.bin"]}
CIFAR100_NAMES = {
    "coarse_label": "coarse_label_names.txt",
    "fine_label": "fine_label_names.txt",
}
"""Each label byte of a record, in order, and the file of its names."""


def read_cifar(
    name: str,
    folder: Path,
    parts: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    label: str,
) -> RawData:
    """Read the binary version: per image, one byte for each label and 3,072 bytes, RGB in planes.

    ``label`` is the label to learn; the others become metadata. Raises DataError for damaged files.
    """
    known = {what: _names(folder / file) for what, file in names.items()}
    rows = {}
    for part, files in parts.items():
        records = np.concatenate([_records(folder / file, len(names)) for file in files])
        labels = dict(zip(names, records[:, : len(names)].T, strict=True))
        for what, values in labels.items():
            if values.max(initial=0) >= len(known[what]):
                raise DataError(
                    f"{folder}: a {part} image has the {what} {values.max()}, but "
                    f"{names[what]} has {len(known[what])} names. {_AGAIN}"
                )
        planes = records[:, len(names) :].reshape(-1, 3, SIDE, SIDE)
        rows[part] = Rows(
            np.ascontiguousarray(planes.transpose(0, 2, 3, 1)),
            labels.pop(label).astype(np.int64),
            numbered(part, len(records)),
            metadata={
                what: [known[what][value] for value in values] for what, values in labels.items()
            },
        )
    return RawData(name, "image", rows, classes=known[label])


def read_svhn(name: str, folder: Path) -> RawData:
    """Read the cropped digits: ``train_32x32.mat`` and ``test_32x32.mat`` (MATLAB 5)."""
    rows = {}
    for part in ("train", "test"):
        images, labels = _matlab(folder / f"{part}_32x32.mat")
        rows[part] = Rows(images, labels, numbered(part, len(images)))
    notes = Notes()
    if (folder / "extra_32x32.mat").exists():
        notes.ignored("the extra training images", ["extra_32x32.mat"])
    return RawData(name, "image", rows, classes=tuple("0123456789"), notes=notes.lines)


def _matlab(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images ``(n, 32, 32, 3)`` and labels; the file calls the digit 0 a 10."""
    from scipy.io import loadmat

    if not path.exists():
        raise DataError(f"{path} does not exist. {_AGAIN}")
    try:
        found: dict[str, Any] = loadmat(path, variable_names=("X", "y"))
    except Exception as error:  # scipy raises what its parser meets: ValueError, TypeError, zlib's
        raise DataError(f"{path}: damaged ({type(error).__name__}: {error}). {_AGAIN}") from error
    images, labels = (np.asarray(found.get(what, ())) for what in ("X", "y"))
    fits = images.dtype == np.uint8 and images.shape[:-1] == (SIDE, SIDE, 3)
    if not fits or labels.shape != (images.shape[-1], 1) or not np.isin(labels, range(1, 11)).all():
        raise DataError(
            f"{path}: X is {images.dtype} of shape {images.shape} and y of shape {labels.shape}; "
            f"expected bytes (32, 32, 3, n) and n labels from 1 to 10. {_AGAIN}"
        )
    turned = np.ascontiguousarray(images.transpose(3, 0, 1, 2))
    return turned, labels[:, 0].astype(np.int64) % 10


def _names(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the names cannot be read ({error}). {_AGAIN}") from error
    return tuple(lines)


def _records(path: Path, labels: int) -> NDArray[np.uint8]:
    try:
        values = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}). {_AGAIN}") from error
    if not values.size or values.size % (labels + _PIXELS):
        raise DataError(
            f"{path}: has {values.size:,} bytes; expected records of {labels + _PIXELS:,} bytes. "
            f"{_AGAIN}"
        )
    return values.reshape(-1, labels + _PIXELS)
