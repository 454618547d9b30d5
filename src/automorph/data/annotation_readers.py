"""What reads the label cells of a source, by kind of target."""

from __future__ import annotations

from collections.abc import Callable

from automorph.data.annotated import Annotated
from automorph.data.annotation import TargetKind
from automorph.data.masks import read_masks
from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData
from automorph.data.several_labels import read_several_labels
from automorph.data.values import read_values

AnnotationReader = Callable[[RawData, Notes], Annotated]
READERS: dict[TargetKind, AnnotationReader] = {
    "labels": read_several_labels,
    "masks": read_masks,
    "values": read_values,
}


def read_annotations(raw: RawData, target: TargetKind, notes: Notes) -> Annotated | None:
    """Return the annotations of a source; None where labels are classes."""
    return None if target == "classes" else READERS[target](raw, notes)
