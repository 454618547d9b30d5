"""Class folders too large for memory: names, labels and hashes are kept, pixels are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.cut import Size
from automorph.data.dataset import BadRow, Dataset, Split, left_out, strings
from automorph.data.decoding import progress, remark_notes
from automorph.data.dicom import dicom_facts, is_dicom
from automorph.data.image_files import ImageFiles
from automorph.data.image_opening import strict_pillow
from automorph.data.images import Depth, Mode
from automorph.data.label_conflicts import with_contradictions, with_copies
from automorph.data.labels import check_classes, encode
from automorph.data.leakage import LeakageAction, guard_leakage
from automorph.data.limits import check_equal_classes, choose, limit_note, limited
from automorph.data.notes import Notes
from automorph.data.readers.folders import ClassImages
from automorph.data.readers.layout import ClassFolders, layout_of
from automorph.data.resizing import COVER, DECODE, Decode, Resizing, with_decode
from automorph.data.set_window import no_window_needed, window_of_parts
from automorph.data.splits import split
from automorph.data.window_record import WindowRecord
from automorph.data.windows import WindowChoice, check_choice
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
    equal_classes: bool = False,
    seed: int = 0,
    skip_bad: bool = False,
    leakage: LeakageAction = "refuse",
    keep_together: str | None = None,
    window: WindowChoice = None,
    resizing: Resizing | None = None,
    decode: Decode = DECODE,
) -> Dataset:
    """Make a data set of a class folder whose images are decoded on demand (see `ImageFiles`).

    Every file is read once, for its hash and header; a file with a good header and damaged pixels
    is reported when it is decoded. Equal files in two parts are detected; equal pixels in different
    files are not. Of the columns of `automorph.data.dicom`, ``keep_together`` may name one.
    """
    check_choice(window)
    if size is None:
        raise UsageError("images decoded on demand need a size: pass size=224 (--size 224)")
    if crop is not None and not 0 < crop <= 1:
        raise UsageError(
            f"crop={crop}: expected the smallest fraction of the area to crop, in (0, 1]"
        )
    check_equal_classes(limit, equal_classes=equal_classes)
    root, name = Path(path).expanduser(), f"folder:{path}"
    notes = Notes()
    parts = layout_of(root, name, notes)
    named = {part: [class_name for class_name, _ in folders] for part, folders in parts.items()}
    numbers, classes = encode(named, notes=notes)
    images = ClassImages(root, name)
    made: dict[str, Any] = {}
    skipped: list[BadRow] = []
    deep, remarks, reduced = 0, [], False
    for part, folders in parts.items():
        names, labels = _index(images, folders, numbers[part])
        if limit is not None and part == "train" and "test" in parts:
            rows = choose(labels, classes, limit, seed=seed, equal_classes=equal_classes)
            if len(rows) < len(labels):
                notes.add(limit_note(labels, rows, equal_classes=equal_classes))
            names, labels = names[rows], labels[rows]
        files = ImageFiles(
            root, names, size, mode or "rgb", crop, decoders,
            resizing=with_decode(resizing, decode) or COVER,
        )  # fmt: skip
        made[part], bad, depths = _inspected(files, labels, keep_together)
        reduced |= decode == "reduced" and any(one.jpeg is not None for one in depths)
        deep += sum(depth.kind is not None for depth in depths)
        remarks += [(str(n), d.remark) for n, d in zip(names, depths, strict=True) if d.remark]
        skipped += bad
    if skipped and not skip_bad:
        lines = "\n".join(f"  {row.id}: {row.reason}" for row in skipped[:_NAMED])
        raise DataError(
            f"{name}: {len(skipped):,} files cannot be used:\n{lines}\nRepair or remove them, or "
            "skip them with skip_bad=True (--skip-bad)."
        )
    images.note(notes)
    notes.add(*remark_notes(remarks))
    if skipped:
        notes.add(left_out(skipped))
    check_classes({part: a.labels for part, a in made.items()}, classes, name=name, declared=True)
    record = None
    if deep:
        made, record = _windowed(made, name, classes, window, keep_together)
        notes.add(record.note())
    elif window is not None:
        raise no_window_needed(name, window)
    resizing = with_decode(resizing, "reduced" if reduced else "exact")
    if not reduced:
        made = {part: _changed(one, resizing=resizing or COVER) for part, one in made.items()}
    if resizing is not None:
        notes.add(*resizing.notes(size))
    dataset = Dataset(
        name, classes, skipped=tuple(skipped), notes=notes.lines, keep_together=keep_together,
        window=record, resizing=resizing, **made,
    )  # fmt: skip
    if limit is not None and dataset.test is None:
        whole = split(dataset, validation=0, test=0.2, seed=seed)
        dataset = limited(whole, limit, seed=seed, equal_classes=equal_classes)
    return with_copies(with_contradictions(guard_leakage(dataset, leakage=leakage)))


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


def _inspected(
    files: ImageFiles, labels: NDArray[np.int64], keep_together: str | None
) -> tuple[Split, list[BadRow], list[Depth]]:
    """Return the part of the usable files, with their hashes, the others, and all depths."""
    digests, bad, depths = np.empty(len(files), "S16"), [], []
    with strict_pillow():
        for row, found in enumerate(progress(files.inspect(), len(files), "Reading")):
            digests[row], reason, depth = found
            if depth.jpeg is not None and not files.reduces(depth.jpeg):
                depth = replace(depth, jpeg=None)
            depths.append(depth)
            if reason is not None:
                bad.append((row, BadRow(str(files.names[row]), reason)))
    metadata = {}
    if keep_together is not None:
        values = [_dicom_value(files.root / name, keep_together) for name in files.names.tolist()]
        known = {row for row, _ in bad}
        bad += [
            (row, BadRow(str(files.names[row]), f"no {keep_together}"))
            for row, value in enumerate(values)
            if not value and row not in known
        ]
        metadata = {keep_together: strings(values)}
    good: Any = slice(None)
    if bad:
        good = np.ones(len(files), bool)
        good[[row for row, _ in bad]] = False
    kept = files.take(np.arange(len(files))[good]) if bad else files
    metadata = {name: column[good] for name, column in metadata.items()}
    part = Split(kept, labels[good], kept.names, metadata=metadata)  # type: ignore[arg-type]
    part.__dict__["digests"] = digests[good]
    return part, [row for _, row in bad], depths


def _dicom_value(path: Path, column: str) -> str:
    return dicom_facts(path).get(column, "") if is_dicom(path) else ""


def _windowed(
    parts: Mapping[str, Split],
    name: str,
    classes: tuple[str, ...],
    choice: WindowChoice,
    keep_together: str | None,
) -> tuple[dict[str, Split], WindowRecord]:
    """Return the parts with the window of all their files of more than 8 bits."""
    paths = {
        part: [one.data.root / str(file) for file in one.data.names]  # type: ignore[attr-defined]
        for part, one in parts.items()
    }
    labels = {part: one.labels for part, one in parts.items()}
    together = None
    if keep_together is not None:
        together = parts["train"].metadata[keep_together].tolist()
    window, record = window_of_parts(
        name, paths, {part: one.names for part, one in parts.items()}, choice,
        labels=labels["train"], classes=classes, together=together,
    )  # fmt: skip
    return {part: _changed(one, window=window) for part, one in parts.items()}, record


def _changed(part: Split, **options: Any) -> Split:
    """Return a part whose files are read in another way."""
    files: Any = replace(part.data, **options)  # type: ignore[type-var]
    return part.with_data(files, np.arange(len(part)))
