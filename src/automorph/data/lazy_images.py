"""Class folders too large for memory: names, labels and hashes are kept, pixels are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.dataset import BadRow, Dataset, Split, left_out, strings
from automorph.data.decoding import progress
from automorph.data.image_files import ImageFiles
from automorph.data.image_opening import strict_pillow
from automorph.data.images import Mode, Size
from automorph.data.label_conflicts import with_contradictions
from automorph.data.labels import check_classes, encode
from automorph.data.leakage import LeakageAction, guard_leakage
from automorph.data.notes import Notes
from automorph.data.readers.folders import ClassImages
from automorph.data.readers.layout import ClassFolders, layout_of
from automorph.data.splits import check_balance, choose, limit_note, limited, split
from automorph.errors import DataError, UsageError

_NAMED = 10


def read_large_folder(
    path: str,
    *,
    size: Size | None,
    mode: Mode | None = None,
    crop: float | None = None,
    decoders: int = 0,
    limit: int | None = None,
    balance: bool = False,
    seed: int = 0,
    skip_bad: bool = False,
    leakage: LeakageAction = "refuse",
) -> Dataset:
    """Make a data set of a class folder whose images are decoded on demand (see `ImageFiles`).

    Every file is read once, for its hash and header; a file with a good header and damaged pixels
    is reported when it is decoded. Equal files in two parts are detected; equal pixels in different
    files are not.
    """
    if size is None:
        raise UsageError("images decoded on demand need a size: pass size=224 (--size 224)")
    if crop is not None and not 0 < crop <= 1:
        raise UsageError(
            f"crop={crop}: expected the smallest fraction of the area to crop, in (0, 1]"
        )
    check_balance(limit, balance=balance)
    root, name = Path(path).expanduser(), f"folder:{path}"
    notes = Notes()
    parts = layout_of(root, name, notes)
    named = {part: [class_name for class_name, _ in folders] for part, folders in parts.items()}
    numbers, classes = encode(named, notes=notes)
    images = ClassImages(root, name)
    made: dict[str, Any] = {}
    skipped: list[BadRow] = []
    for part, folders in parts.items():
        names, labels = _index(images, folders, numbers[part])
        if limit is not None and part == "train" and "test" in parts:
            rows = choose(labels, classes, limit, seed=seed, balance=balance)
            if len(rows) < len(labels):
                notes.add(limit_note(labels, rows, balance=balance))
            names, labels = names[rows], labels[rows]
        files = ImageFiles(root, names, size, mode or "rgb", crop, decoders)
        made[part], bad = _inspected(files, labels)
        skipped += bad
    if skipped and not skip_bad:
        lines = "\n".join(f"  {row.id}: {row.reason}" for row in skipped[:_NAMED])
        raise DataError(
            f"{name}: {len(skipped):,} files cannot be used:\n{lines}\nRepair or remove them, or "
            "skip them with skip_bad=True (--skip-bad)."
        )
    images.note(notes)
    if skipped:
        notes.add(left_out(skipped))
    check_classes({part: a.labels for part, a in made.items()}, classes, name=name, declared=True)
    dataset = Dataset(name, classes, skipped=tuple(skipped), notes=tuple(notes), **made)
    if limit is not None and dataset.test is None:
        whole = split(dataset, validation=0, test=0.2, seed=seed)
        dataset = limited(whole, limit, seed=seed, balance=balance)
    return with_contradictions(guard_leakage(dataset, leakage=leakage))


def _index(
    images: ClassImages, folders: ClassFolders, numbers: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return names below the root and labels, class by class, without a list of a whole part."""
    names, labels = [], []
    for (class_name, folder), number in zip(folders, numbers.tolist(), strict=True):
        found = images.of(class_name, folder)
        names.append(strings([file.relative_to(images.root).as_posix() for file in found]))
        labels.append(np.full(len(found), number, np.int64))
    return np.concatenate(names), np.concatenate(labels)


def _inspected(files: ImageFiles, labels: NDArray[np.int64]) -> tuple[Split, list[BadRow]]:
    """Return the part of the usable files, with their hashes, and the list of the others."""
    digests, bad = np.empty(len(files), "S16"), []
    with strict_pillow():
        for row, (digest, reason) in enumerate(progress(files.inspect(), len(files), "Reading")):
            digests[row] = digest
            if reason is not None:
                bad.append((row, BadRow(str(files.names[row]), reason)))
    good: Any = slice(None)
    if bad:
        good = np.ones(len(files), bool)
        good[[row for row, _ in bad]] = False
    kept = files.take(np.arange(len(files))[good]) if bad else files
    part = Split(kept, labels[good], kept.names)  # type: ignore[arg-type]
    part.__dict__["digests"] = digests[good]
    return part, [row for _, row in bad]
