"""Data in memory or in ``.npz`` files: arrays, torch data sets."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.data.annotation import TargetKind
from automorph.data.array_checks import check_images
from automorph.data.dataset import Domain
from automorph.data.notes import Notes, shortened
from automorph.data.readers.raw import RawData, Rows, as_word, numbered
from automorph.errors import DataError, UsageError

Pair = tuple[Any, ArrayLike]
_NPZ = {  # common names: of this package and MedMNIST, and of Keras
    "train": (("images", "train_images", "x_train"), ("labels", "train_labels", "y_train")),
    "validation": (("val_images", "x_val"), ("val_labels", "y_val")),
    "test": (("test_images", "x_test"), ("test_labels", "y_test")),
}


def raw_from_arrays(
    parts: Mapping[str, tuple[Any, ...]],
    *,
    name: str = "arrays",
    classes: Iterable[object] | None = None,
    subgroup_names: Iterable[object] | None = None,
    target: TargetKind = "classes",
) -> RawData:
    """Check ``(images or texts, labels[, subgroups])`` of every part and name the rows.

    Images: uint8 (n, H, W, C) or (n, H, W); texts: a sequence of strings. Labels: (n,) or (n, 1);
    of another target than classes (n, k), a sequence of lists, or masks (n, H, W).
    """
    domains = set()
    rows = {}
    for part, (data, labels, *rest) in parts.items():
        _check_indexes(part, data, labels, *rest)
        domain, values = _examples(data)
        domains.add(domain)
        given = _cells(labels, target) if target != "classes" else labels
        columns = [_column(column, len(values), part) for column in (given, *rest)]
        ids = numbered(part, len(values))
        rows[part] = Rows(values, columns[0], ids, columns[1] if rest else None)
    if len(domains) > 1:
        raise DataError(f"{name}: images in one part and texts in another. Expected one kind.")
    return RawData(
        name,
        domains.pop(),
        rows,
        classes=tuple(map(str, classes)) if classes is not None else None,
        subgroup_names=tuple(map(str, subgroup_names)) if subgroup_names is not None else None,
        label_columns=_label_columns(parts["train"][1], classes) if target == "labels" else (),
    )


def _label_columns(labels: Any, names: Iterable[object] | None) -> tuple[str, ...]:
    """Return the names of the columns of an array of labels ``(n, k)``; none for lists."""
    values = detached(labels)
    if getattr(values, "ndim", 1) != 2:
        return ()
    width = values.shape[1]
    if width < 2:
        raise DataError(
            f"labels have shape {values.shape}; expected at least two columns. With one label, "
            "each example is of one of two classes: use target='classes' (--target classes)"
        )
    columns = tuple(map(str, getattr(labels, "columns", range(width)) if names is None else names))
    if len(columns) != width:
        raise DataError(
            f"labels have {width} columns, but {len(columns)} names were given; expected a name "
            "for each column: classes=[..]"
        )
    return columns


def with_groups(raw: RawData, groups: Any, keep_together: str | None = None) -> RawData:
    """Return the rows with a column of groups, whose equal values stay in one part.

    ``groups`` are the values of the training part ``(n,)``, or of every part by its name.
    """
    if keep_together is not None:
        raise UsageError(
            f"{raw.name} has no columns, so keep_together={keep_together!r} cannot be used. "
            "Expected the values themselves: groups=ARRAY, one for each example."
        )
    if groups is None:
        return raw
    given = groups if isinstance(groups, Mapping) else {"train": groups}
    if lacking := [part for part in raw.parts if part not in given]:
        raise UsageError(
            f"{raw.name}: groups were given for {', '.join(given)}, but not for "
            f"{', '.join(lacking)}. Expected those of every part: groups={{'train': .., "
            f"'{lacking[0]}': ..}}."
        )
    parts = {}
    for part, rows in raw.parts.items():
        values = detached(given[part])
        values = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
        if values.shape != (len(rows.ids),):
            raise DataError(
                f"{raw.name}: groups of {part} have shape {values.shape}: expected "
                f"({len(rows.ids)},), one for each example."
            )
        words = [as_word(value) for value in values.tolist()]
        parts[part] = replace(rows, metadata={**rows.metadata, "groups": words})
    return replace(raw, parts=parts, keep_together="groups")


def read_npz(
    path: str, *, labelled: bool = True, optional: bool = False, target: TargetKind = "classes"
) -> RawData:
    """Read arrays from an ``.npz`` file, without unpickling anything.

    Names: ``images``, ``labels`` (or ``x_train``, ``train_images``, ...), ``x_test`` and ``y_test``
    (or ``test_images``, ...), the same with ``val``; optionally ``subgroups`` (or
    ``train_subgroups``, ...) and ``classes``. Unless ``labelled``, labels are not read; with
    ``optional``, they may be missing.
    """
    file = Path(path).expanduser()
    name = f"numpy:{path}"
    if not file.is_file():
        raise DataError(f"{name}: no such file. Expected an .npz file of arrays.")
    try:
        with np.load(file, allow_pickle=False) as found:
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise DataError(f"{name}: a single array. Expected an .npz with images and labels.")
            arrays = {key: found[key] for key in found.files}
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{name}: not a complete .npz file ({error}). Write it again.") from error
    except ValueError as error:  # NumPy's error for pickled objects
        raise DataError(
            f"{name}: contains Python objects ({error}). Expected plain arrays; save labels as "
            "numbers or as an array of strings (dtype U)."
        ) from error
    parts = {}
    used = {"classes"}
    for part, (images, labels) in _NPZ.items():
        data, column = (_first(arrays, names, used) for names in (images, labels))
        if data is not None and (not labelled or (optional and column is None)):
            column = [None] * len(data)
        if (data is None) != (column is None):
            lacking = images if data is None else labels
            raise DataError(
                f"{name}: the {part} split lacks one of {', '.join(lacking)}; the file contains "
                f"{', '.join(arrays)}."
            )
        if data is not None:
            prefix = {"train": "", "validation": "val_", "test": "test_"}[part]
            groups = _first(arrays, (f"{prefix}subgroups", f"{part}_subgroups"), used)
            parts[part] = (data, column) if groups is None else (data, column, groups)
    if "train" not in parts:
        raise DataError(
            f"{name}: contains {', '.join(arrays) or 'nothing'}. Expected images and labels (or "
            "x_train and y_train, or train_images and train_labels)."
        )
    notes = Notes()
    if unused := [key for key in arrays if key not in used]:
        notes.ignored("arrays", unused)
    classes = arrays.get("classes") if labelled else None
    raw = raw_from_arrays(parts, name=name, classes=classes, target=target)
    notes.add(*raw.notes)
    return replace(raw, notes=notes.lines)


def _first(arrays: Mapping[str, Any], names: Iterable[str], used: set[str]) -> Any:
    """Return the first array with one of these names and mark it as used, or None."""
    found = next((name for name in names if name in arrays), None)
    if found is None:
        return None
    used.add(found)
    return arrays[found]


def _examples(data: Any) -> tuple[Domain, Any]:
    values = detached(data)
    if not isinstance(values, np.ndarray):
        values = list(values)
        if any(isinstance(value, str) for value in values):
            return "text", values  # NumPy would turn None into "None"; missing texts are bad rows.
        values = _stacked(values)
    if values.dtype.kind in "UT":
        return "text", values.tolist()
    if values.dtype == object and any(isinstance(value, str) for value in values.reshape(-1)):
        return "text", values.tolist()
    if values.ndim == 3:
        values = values[..., None]
    values = np.ascontiguousarray(values) if values.dtype == np.uint8 else values
    check_images(values)
    return "image", values


def _stacked(images: Any) -> NDArray[Any]:
    """Return images as one array. Raises DataError if their sizes differ."""
    try:
        return np.asarray(images)
    except ValueError as error:  # NumPy's error for ragged lists
        shapes = sorted({np.shape(image) for image in images})
        raise DataError(
            f"the images have {len(shapes)} different shapes: {shortened(list(map(str, shapes)))}. "
            "Expected one shape: resize them, or save them as files and load these with a size."
        ) from error


def _check_indexes(part: str, *columns: Any) -> None:
    """Refuse series of pandas whose rows do not correspond."""
    indexes = [column.index for column in columns if type(column).__module__.startswith("pandas")]
    if any(not index.equals(indexes[0]) for index in indexes[1:]):
        raise DataError(
            f"the examples and labels of {part} have different indexes. Expected series of the "
            "same rows in the same order: align them with labels.loc[examples.index], or, if they "
            "correspond by position, use .reset_index(drop=True)."
        )


def _column(column: Any, n: int, part: str) -> Any:
    values = detached(column)
    if isinstance(values, Sequence) and not isinstance(values, str):
        values = _objects(values)  # NumPy would turn None into "None" and True into 1.
    values = values if isinstance(values, np.ndarray) else np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        raise DataError(
            f"{part} labels have shape {values.shape}: expected ({n},). For one-hot rows use "
            "labels.argmax(axis=1); for several labels of one example, target='labels'."
        )
    if values.shape != (n,):
        raise DataError(
            f"{n:,} {part} examples but labels of shape {values.shape}: expected ({n},)."
        )
    return values


def _cells(column: Any, target: TargetKind) -> NDArray[Any]:
    """Return one cell for each row: a mask, a tuple of a row's entries, or what it is."""
    values = detached(column)
    whole = hasattr(values, "ndim") and target != "masks"
    rows = np.asarray(values).tolist() if whole else list(values)
    cells = np.empty(len(rows), object)
    for number, row in enumerate(rows):
        cells[number] = tuple(row) if isinstance(row, list) else row
    return cells


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    """Return a list as an array without converting its elements to one type."""
    plain = [detached(value) for value in values]
    if any(np.ndim(value) for value in plain):
        return np.asarray(plain)
    array = np.empty(len(plain), object)
    array[:] = plain
    return array


def detached(value: Any) -> Any:
    """Convert a tensor to an array without importing torch."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value
