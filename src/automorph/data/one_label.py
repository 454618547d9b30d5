"""One of several labels as two classes: examples with it and without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from automorph.data.annotated import has_no_labels
from automorph.data.annotation import TargetKind, check_kind
from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData
from automorph.data.several_labels import columns_of, label_matrices
from automorph.errors import UsageError
from automorph.registry import unknown


def read_as(target: str, label_of: str | None) -> TargetKind:
    """Return the kind of target whose label cells a source holds. Raises `UsageError`.

    >>> read_as("classes", "short")
    'labels'
    """
    kind = check_kind(target)
    if label_of is None:
        return kind
    if kind not in ("classes", "labels"):
        raise UsageError(
            f"label_of={label_of!r} (--label-of) chooses one of several labels, but the target is "
            f"{kind!r}; expected classes, or leave out label_of"
        )
    return "labels"


def one_label_classes(name: str) -> tuple[str, str]:
    """Return the two classes of one label.

    >>> one_label_classes("short")
    ('no short', 'short')
    """
    return f"no {name}", name


def with_one_label(raw: RawData, name: str, *, optional: bool = False) -> RawData:
    """Return rows of the classes ``no NAME`` and ``NAME``, and a note; other labels are left out.

    With ``optional``, a source without labels stays as it is. Raises `UsageError` if there is no
    such label.
    """
    if optional and has_no_labels(raw):
        return raw
    notes = Notes(raw.notes)
    several = len(raw.label_columns) > 1
    names: tuple[str, ...] = raw.label_columns
    if several and name in names:  # What other columns lack does not matter.
        place = names.index(name)
        own = {
            part: replace(rows, labels=[_entry(cell, place) for cell in rows.labels])
            for part, rows in raw.parts.items()
        }
        matrices = columns_of(replace(raw, parts=own, label_columns=(name,)))
        column = {part: matrix[:, 0] for part, matrix in matrices.items()}
    else:
        matrices, names = label_matrices(raw, notes)
        if name not in names:
            raise UsageError(unknown("label", name, names, where=f"of {raw.name} (label_of)"))
        column = {part: matrix[:, names.index(name)] for part, matrix in matrices.items()}
    classes = one_label_classes(name)
    words = [*classes, None]  # -1 is the last one.
    parts = {
        part: replace(rows, labels=[words[number] for number in column[part].tolist()])
        for part, rows in raw.parts.items()
    }
    notes.add(
        f"one label as two classes: examples without {name!r} are {classes[0]!r}; other labels "
        "are left out"
    )
    return replace(raw, parts=parts, classes=classes, label_columns=(), notes=notes.lines)


def _entry(cell: Any, place: int) -> Any:
    """Return the entry of one label column as a tuple; None of a row without labels."""
    return cell[place : place + 1] if isinstance(cell, tuple) else None
