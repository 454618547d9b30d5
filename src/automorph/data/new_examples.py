"""New examples for a trained network: read as in its training, with labels where there are any."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotated import Annotated
from automorph.data.annotation import TargetKind
from automorph.data.class_values import class_value
from automorph.data.dataset import Split
from automorph.data.decode_like import decode_like
from automorph.data.deep_pixels import OWN, Window
from automorph.data.labels import MISSING, encode, listed
from automorph.data.loading import read_source
from automorph.data.new_annotations import masks_of, new_labels, new_masks, new_values
from automorph.data.notes import Notes
from automorph.data.one_label import read_as, with_one_label
from automorph.data.readers.columns import Columns
from automorph.data.readers.in_memory import raw_from_arrays
from automorph.data.readers.raw import RawData
from automorph.data.resizing import Resizing
from automorph.errors import DataError, UsageError


@dataclass(frozen=True, eq=False)
class NewExamples:
    """Parts by name, whose labels are -1 where unknown, with their subgroups as words, if any.

    ``matrices`` are several labels of each example ``(n, k)``, whose rows are -1 where unknown,
    values float64 ``(n, k)``, NaN where unknown, or masks uint8 ``(n, H, W)``, 255 where unknown.
    """

    splits: Mapping[str, Split]
    subgroups: Mapping[str, Sequence[str]]
    notes: tuple[str, ...]
    matrices: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def read_new_examples(
    source: Any,
    *,
    classes: Sequence[str],
    shape: tuple[int, ...],
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    subgroup: str | Sequence[str] | None = None,
    window: tuple[float | None, float | None] | None = None,
    resizing: Resizing | None = None,
    skip_bad: bool = False,
    root: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    download: bool = False,
    target: TargetKind = "classes",
    ignoring: bool = False,
    label_of: str | None = None,
) -> NewExamples:
    """Read all examples of a source as those were read on which a network was trained.

    ``source`` is a ``DATA`` string, images uint8 (n, H, W[, C]) or a list of texts. ``classes`` are
    those of the network; ``shape`` is (H, W, C) of its images, () for texts; ``window`` are the
    values that become 0 and 255 in images of more than 8 bits ((None, None): each file's own), and
    ``resizing`` says how they are brought to their size. A
    source needs no labels, a folder no class folders, a table no column of subgroups; labels that
    are no classes are noted and count as unknown. The other options are those of `load_data`.

    ``ignoring``: 255 marked pixels to ignore in the masks of the training. ``label_of``: one of
    several labels that is two classes here; see `load_data`.

    Raises DataError for examples of another kind, or that cannot be read.
    """
    kind = read_as(target, label_of)
    columns = Columns(image, text, label, subgroup, metadata=(), optional=True, target=kind)
    raw = _raw(source, columns, root, download)
    if label_of is not None:
        raw = with_one_label(raw, label_of, optional=True)
    notes = Notes(raw.notes)
    wanted = "image" if shape else "text"
    if raw.domain != wanted:
        raise DataError(
            f"{raw.name} contains {raw.domain}s, but the network was trained on {wanted}s; "
            "expected the same kind: choose another source, or another column with image=... "
            "(--image) or text=... (--text)"
        )
    several: Mapping[str, NDArray[Any]] = {}
    masks: Annotated | None = None
    if target == "masks":
        masks = new_masks(raw, classes, notes, ignoring=ignoring)
        labels = {part: np.zeros(len(rows.ids), np.int64) for part, rows in raw.parts.items()}
    elif target == "labels":
        several = new_labels(raw, classes, notes, chosen=label is not None)
        labels = {part: one[:, 0].astype(np.int64) for part, one in several.items()}
    elif target == "values":
        several = new_values(raw, classes, notes, chosen=label is not None)
        labels = {part: np.zeros(len(one), np.int64) for part, one in several.items()}
    else:
        labels = _labels(raw, classes, notes, chosen=label is not None)
    words = _subgroups(raw, notes)
    found = decode_like(
        raw, notes, channels=shape[2:], size=(shape[0], shape[1]) if shape else None,
        choose=_window(raw.name, window), resizing=resizing, skip_bad=skip_bad, cache=cache,
    )  # fmt: skip
    parts = {
        part: replace(split, labels=labels[part][rows]) for part, (split, rows) in found.items()
    }
    groups = {
        part: [words[part][row] for row in rows.tolist()]
        for part, (_, rows) in found.items()
        if part in words
    }
    matrices = {part: several[part][rows] for part, (_, rows) in found.items() if part in several}
    if target == "masks":
        matrices = {
            part: masks_of(masks, part, rows, shape, resizing) for part, (_, rows) in found.items()
        }
    return NewExamples(parts, groups, notes.lines, matrices)


def _raw(
    source: Any, columns: Columns, root: str | os.PathLike[str] | None, download: bool
) -> RawData:
    if isinstance(source, str | os.PathLike):
        return read_source(os.fspath(source), columns, root, download)
    columns.refuse("an array")
    if isinstance(source, tuple) or not (hasattr(source, "shape") or isinstance(source, Sequence)):
        raise UsageError(
            f"examples of type {type(source).__name__}: expected a DATA string, images uint8 "
            "(n, H, W, C), a list of texts, or a Dataset"
        )
    return raw_from_arrays({"train": (source, [None] * len(source))}, name="memory")


def _labels(
    raw: RawData, classes: Sequence[str], notes: Notes, *, chosen: bool
) -> dict[str, NDArray[np.int64]]:
    """Return positions in ``classes`` by part; -1 where there is no label, or no such class."""
    columns = {part: list(rows.labels) for part, rows in raw.parts.items()}
    try:
        numbers, names = encode(columns, names=raw.classes, notes=notes)
    except DataError as error:
        if chosen:
            raise
        notes.ignored(f"labels, which cannot be read as classes ({error})")
        return {part: np.full(len(column), MISSING, np.int64) for part, column in columns.items()}
    position = {class_value(name): place for place, name in enumerate(classes)}
    places = np.array([*(position.get(class_value(name), MISSING) for name in names), MISSING])
    labels = {part: places[found] for part, found in numbers.items()}
    lost = sum(
        int(((labels[part] == MISSING) & (found != MISSING)).sum())
        for part, found in numbers.items()
    )
    if lost:
        strange = [n for n, place in zip(names, places[:-1], strict=True) if place == MISSING]
        notes.ignored(
            f"labels that are no classes of the network ({lost:,} examples)", [listed(strange, 3)]
        )
    return labels


def _subgroups(raw: RawData, notes: Notes) -> dict[str, list[str]]:
    """Return the subgroup of every row by part, empty where it is missing."""
    columns = {
        part: list(rows.subgroups) for part, rows in raw.parts.items() if rows.subgroups is not None
    }
    if not columns:
        return {}
    numbers, names = encode(columns, names=raw.subgroup_names, what="subgroup", notes=notes)
    words = [*names, ""]  # MISSING is the last one.
    return {part: [words[number] for number in found.tolist()] for part, found in numbers.items()}


def _window(name: str, known: tuple[float | None, float | None] | None) -> Callable[[], Window]:
    def choose() -> Window:
        """Return the window of the training, when the first image of more than 8 bits is read."""
        if known is None:
            raise DataError(
                f"{name} holds images of more than 8 bits, but the network was trained on images "
                "of 8 bits, or its window is not known; expected the values that became black and "
                "white in training: pass window=(LOW, HIGH) (--window LOW,HIGH)"
            )
        low, high = known
        return OWN if low is None or high is None else Window(float(low), float(high))

    return choose
