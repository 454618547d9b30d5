"""Rows from tables: which columns hold images, texts, labels and subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automorph.data.annotation import TargetKind
from automorph.data.dataset import Domain
from automorph.data.notes import Notes, shortened
from automorph.data.readers.arrow_cells import encoded_image, pixels_of
from automorph.data.readers.part_column import rows_of_parts
from automorph.data.readers.raw import RawData, Rows, as_word, numbered
from automorph.data.readers.tables import TABLES, RawTable
from automorph.errors import DataError, UsageError
from automorph.registry import unknown

_IMAGES = (
    "image", "img", "picture", "image_path", "file_name", "filename", "filepath", "path", "file",
)  # fmt: skip
_TEXTS = ("text", "sentence", "content", "review", "question")
_LABELS = ("label", "labels", "class", "target", "category", "y")
_MASKS = ("mask", "masks", "segmentation", "segmentation_mask", "annotation", "mask_path")


@dataclass(frozen=True)
class Columns:
    """The columns that the user chose; None means: detect it by type or common name.

    Several ``subgroup`` columns make a subgroup of each combination of their values. ``metadata``
    are columns to keep unchanged; None keeps all that hold single values. Rows that share a value
    of ``keep_together`` stay in one part of every split. Unless ``labelled``, labels are neither
    needed nor read; with ``optional``, labels and subgroups are read where there are any. For
    another ``target`` than classes, ``label`` may name several columns, separated by commas.
    """

    image: str | None = None
    text: str | None = None
    label: str | None = None
    subgroup: str | Sequence[str] | None = None
    metadata: Sequence[str] | None = ()
    keep_together: str | None = None
    labelled: bool = True
    optional: bool = False
    target: TargetKind = "classes"

    @property
    def subgroups(self) -> tuple[str, ...]:
        """The subgroup columns."""
        one = isinstance(self.subgroup, str)
        return (str(self.subgroup),) if one else tuple(self.subgroup or ())

    def __post_init__(self) -> None:
        if self.image and self.text:
            raise UsageError(
                f"image={self.image!r} and text={self.text!r}: expected only one of them; examples "
                "are either images or texts."
            )
        same = [
            name for name in ("image", "text", "label") if getattr(self, name) == self.keep_together
        ]
        same += ["subgroup"] if self.keep_together in self.subgroups else []
        if self.keep_together is not None and same:
            raise UsageError(
                f"keep_together={self.keep_together!r} is also the {same[0]} column. Expected the "
                "column of what was photographed or written several times, such as a lesion, a "
                "person or a drive: all its rows go to one part, so a class or a subgroup would "
                "be missing from the others."
            )

    def refuse(self, source: str) -> None:
        """Raise UsageError if columns were chosen for a source that has none."""
        chosen = [
            f"{name}={value!r}"
            for name, given in vars(self).items()
            # Some sources without a table have columns of their own.
            if name not in ("keep_together", "labelled", "optional", "target")
            for value in ([given] if isinstance(given, str) else given or ())
        ]
        if chosen:
            raise UsageError(
                f"{source} has no columns to choose: {', '.join(chosen)} cannot be used. Choose "
                f"columns in {', '.join(f'{kind}:' for kind in TABLES)} and hub: sources."
            )


def raw_from_tables(name: str, tables: Mapping[str, RawTable], chosen: Columns) -> RawData:
    """Pick the columns of every part and name the rows ``part[row]``.

    Rows keep their number in the source if a column divides them into parts.
    """
    train = tables["train"]
    notes = Notes(note for table in tables.values() for note in table.notes)
    domain, data = _data_column(name, train, chosen, notes)
    label = _label_columns(name, train, chosen, data, notes)
    if not chosen.labelled:
        if label:
            notes.ignored("the label column", label)
        label = []
    subgroups = _subgroup_columns(name, train, chosen, notes)
    kept = _metadata(name, train, chosen, (data, *label))
    if chosen.keep_together is not None and chosen.keep_together in (data, *label):
        raise UsageError(
            f"{name}: keep_together={chosen.keep_together!r} is the column of the "
            f"{'labels' if chosen.keep_together in label else f'{domain}s'}. Expected another one."
        )
    if chosen.keep_together in train.names and chosen.keep_together not in kept:
        kept.append(chosen.keep_together)
    wanted = list(dict.fromkeys([data, *label, *subgroups, *kept]))
    for part, table in tables.items():
        lacking = [column for column in wanted if column not in table.names]
        if lacking:
            raise DataError(
                f"{name}: the {part} split lacks the columns {lacking}; it has "
                f"{list(table.names)}. Expected the columns of the train split."
            )
        for column in (*label, *subgroups):
            if _names(table, column) != _names(train, column):
                raise DataError(
                    f"{name}: the {part} split declares different classes for {column!r} from the "
                    "train split. Expected the same classes in the same order."
                )
    whole = {
        part: _rows(part, table, domain, data, label, subgroups, kept, target=chosen.target)
        for part, table in tables.items()
    }
    used = {data, *label, *subgroups, *(chosen.metadata or ())}
    parts = {
        part: whole[file] if rows is None else _taken(whole[file], part, rows)
        for part, (file, rows) in rows_of_parts(name, tables, used, notes).items()
    }
    return RawData(
        name,
        domain,
        parts,
        classes=_names(train, label[0]) if len(label) == 1 else None,
        label_columns=tuple(label),
        subgroup_names=_names(train, subgroups[0]) if len(subgroups) == 1 else None,
        notes=notes.lines,
    )


def _rows(
    part: str,
    table: RawTable,
    domain: Domain,
    data: str,
    label: Sequence[str],
    subgroups: Sequence[str],
    kept: Sequence[str],
    *,
    target: TargetKind,
) -> Rows:
    bad = dict(table.bad)
    cells = [_cell(value, table.folder, domain) for value in table.column(data)]
    for row, cell in enumerate(cells):
        if isinstance(cell, Unusable):
            bad.setdefault(row, str(cell))
    return Rows(
        data=cells,
        labels=_labels(table, label, target),
        ids=numbered(part, table.n),
        subgroups=_combined(table, subgroups),
        bad=bad,
        metadata={column: _words(table, column) for column in dict.fromkeys((*subgroups, *kept))},
    )


def _labels(table: RawTable, columns: Sequence[str], target: TargetKind) -> Sequence[Any]:
    """Return the label cell of every row; of several columns, a tuple of their cells."""
    if not columns:
        return [None] * table.n
    if len(columns) > 1:
        return list(zip(*(table.column(column) for column in columns), strict=True))
    cells = table.column(columns[0])
    if target == "masks":
        return [_cell(value, table.folder, "image") for value in cells]
    return cells


def _taken(whole: Rows, part: str, rows: Sequence[int]) -> Rows:
    """Return some rows of a table as a part."""
    return Rows(
        data=[whole.data[row] for row in rows],
        labels=[whole.labels[row] for row in rows],
        ids=[f"{part}[{row}]" for row in rows],
        subgroups=None if whole.subgroups is None else [whole.subgroups[row] for row in rows],
        bad={i: whole.bad[row] for i, row in enumerate(rows) if row in whole.bad},
        metadata={name: [words[row] for row in rows] for name, words in whole.metadata.items()},
    )


def _metadata(name: str, table: RawTable, chosen: Columns, used: Sequence[str]) -> list[str]:
    """Return the columns to keep: those named, or all others that hold single values."""
    if chosen.metadata is not None:
        return [_known(name, table, column, "metadata") for column in chosen.metadata]
    nested = set(_typed(table, "Image")) | set(_typed(table, "Sequence")) | set(used)
    return [column for column in table.names if column not in nested]


def _combined(table: RawTable, columns: Sequence[str]) -> Sequence[Any] | None:
    """Return the subgroup of every row: a column's values, or of several ``a=1, b=0``."""
    if len(columns) < 2:
        return table.column(columns[0]) if columns else None
    words = [_words(table, column) for column in columns]
    return [
        ", ".join(f"{c}={v}" for c, v in zip(columns, row, strict=True)) if all(row) else None
        for row in zip(*words, strict=True)
    ]


def _words(table: RawTable, column: str) -> list[str]:
    """Return a column as strings, classes by name; empty where a value is missing or nested."""
    names = _names(table, column)
    return [_word(value, names) for value in table.column(column)]


def _word(value: Any, names: tuple[str, ...] | None) -> str:
    if names is not None and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else ""
    return as_word(value)


def _data_column(name: str, table: RawTable, chosen: Columns, notes: Notes) -> tuple[Domain, str]:
    if chosen.image:
        return "image", _known(name, table, chosen.image, "image")
    if chosen.text:
        return "text", _known(name, table, chosen.text, "text")
    # A column of bytes may hold words, too.
    masks = _MASKS if chosen.target == "masks" else ()
    typed = [one for one in _typed(table, "Image") if one not in (*_LABELS, *masks, chosen.label)]
    if images := typed or [column for column in _IMAGES if column in table.names]:
        return "image", _guessed("image", images, notes, by="type" if typed else "name")
    if texts := [column for column in _TEXTS if column in table.names]:
        return "text", _guessed("text", texts, notes)
    raise DataError(
        f"{name}: cannot tell which column holds the images or texts; it has {list(table.names)}. "
        "Name it with image=... (--image) or text=... (--text)."
    )


def _label_columns(
    name: str, table: RawTable, chosen: Columns, data: str, notes: Notes
) -> list[str]:
    """Return the columns of the labels, usually one; none of a table that needs no labels."""
    several = [one.strip() for one in (chosen.label or "").split(",")]
    if chosen.target != "classes" and len(several) > 1 and chosen.label not in table.names:
        if chosen.optional and (lacking := [one for one in several if one not in table.names]):
            notes.add(f"no labels: there is no column {lacking[0]!r}")
            return []
        return [_known(name, table, one, "label") for one in several]
    found = _label_column(name, table, chosen, data, notes)
    return [] if found is None else [found]


def _label_column(
    name: str, table: RawTable, chosen: Columns, data: str, notes: Notes
) -> str | None:
    """Return the column of the labels; of a table without labels, which needs none, None."""
    needed = chosen.labelled and not chosen.optional
    if chosen.label and (needed or chosen.label in table.names):
        return _known(name, table, chosen.label, "label")
    if chosen.label and chosen.optional:
        notes.add(f"no labels: there is no column {chosen.label!r}")
        return None
    masks = chosen.target == "masks"
    names, kind = ((*_MASKS, "label"), "Image") if masks else (_LABELS, "ClassLabel")
    named = [column for column in names if column in table.names and column != data]
    typed = [column for column in _typed(table, kind) if column not in (*named, data)]
    if not chosen.labelled:
        return next(iter([*named, *typed]), None)
    if named or typed:
        by = "name" if named else "type"
        return _guessed("label", [*named, *typed], notes, by=by)
    if chosen.optional:
        return None
    raise DataError(
        f"{name}: cannot tell which column holds the labels; it has {list(table.names)}. Name it "
        "with label=... (--label)."
    )


def _subgroup_columns(name: str, table: RawTable, chosen: Columns, notes: Notes) -> list[str]:
    """Return the columns of subgroups; where they are optional, none unless all are there."""
    lacking = [column for column in chosen.subgroups if column not in table.names]
    if lacking and chosen.optional:
        notes.add(f"no subgroups: there is no column {lacking[0]!r}")
        return []
    return [_known(name, table, column, "subgroup") for column in chosen.subgroups]


def _guessed(what: str, columns: list[str], notes: Notes, *, by: str = "name") -> str:
    """Return the first of the columns that may be meant, and note the others."""
    first, *others = columns
    also = f", not {shortened([repr(column) for column in others])}" if others else ""
    notes.guessed(
        f"{what} column", first, because=f"by its {by}{also}", choose=f"{what}=... (--{what})"
    )
    return first


def _known(name: str, table: RawTable, column: str, what: str) -> str:
    if column in table.names:
        return column
    where = f"of {name}, requested as {what}"
    raise DataError(unknown("column", column, table.names, where=where))


def _typed(table: RawTable, kind: str) -> list[str]:
    return [column for column in table.names if _feature(table, column).get("_type") == kind]


def _names(table: RawTable, column: str) -> tuple[str, ...] | None:
    feature = _feature(table, column)
    inner = feature.get("feature")  # That of a list of classes.
    feature = inner if isinstance(inner, Mapping) else feature
    return tuple(feature["names"]) if feature.get("_type") == "ClassLabel" else None


def _feature(table: RawTable, column: str) -> Mapping[str, Any]:
    feature = table.features.get(column)
    return feature if isinstance(feature, Mapping) else {}


class Unusable(str):
    """Why a cell is no image."""


def _cell(value: Any, folder: Path, domain: Domain) -> Any:
    """Convert a cell to bytes, pixels or a path (image), or return it (text); None if missing."""
    if domain == "text" or value is None:
        return value
    if isinstance(value, Mapping) and "data" not in value:
        # The Hugging Face image: bytes, or the path of a file.
        data, path = value.get("bytes"), value.get("path")
        return data if data is not None else path and folder / path
    if isinstance(value, Mapping | list | np.ndarray):
        if (encoded := encoded_image(value)) is not None:
            return encoded
        pixels = pixels_of(value)
        return Unusable(pixels) if isinstance(pixels, str) else pixels
    if isinstance(value, str):
        return folder / value.strip() if value.strip() else None
    return value
