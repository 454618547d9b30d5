"""Columns of a source that its DICOM files state: patient, study and series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from automorph.data.dicom import COLUMNS, dicom_facts, is_dicom
from automorph.data.notes import Notes
from automorph.data.readers.raw import RawData, Rows

_PATIENT = COLUMNS[0]


def with_dicom_columns(raw: RawData, notes: Notes) -> RawData:
    """Return the source with the DICOM column that ``keep_together`` names, if it has DICOM files.

    The numbers of patients are kept only if they were asked for. Without ``keep_together``, a note
    is added if images of one patient may come into different parts.
    """
    if raw.domain == "text":
        return raw
    wanted = raw.keep_together
    if wanted is not None and (wanted in raw.parts["train"].metadata or wanted not in COLUMNS):
        return raw
    facts = {part: _facts(rows) for part, rows in raw.parts.items()}
    if not any(facts.values()):
        return raw
    if wanted is None:
        patients = {part: [one[_PATIENT] for one in found] for part, found in facts.items()}
        notes.add(*_patient_notes(patients))
        return raw
    parts = {
        part: replace(
            rows, metadata={**rows.metadata, wanted: [one[wanted] for one in facts[part]]}
        )
        for part, rows in raw.parts.items()
    }
    return replace(raw, parts=parts)


def _facts(rows: Rows) -> list[Mapping[str, str]]:
    """Return the numbers of every row's file, empty if it is not DICOM; [] if none is."""
    if not isinstance(rows.data, Sequence):
        return []
    which = [is_dicom(source) for source in rows.data]
    if not any(which):
        return []
    none = dict.fromkeys(COLUMNS, "")
    return [
        dicom_facts(source) if dicom else none
        for source, dicom in zip(rows.data, which, strict=True)
    ]


def _patient_notes(patients: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a note if patients have several images, or images in several parts."""
    known = {part: {one for one in found if one} for part, found in patients.items()}
    others = set().union(*(found for part, found in known.items() if part != "train"))
    shared = known["train"] & others
    images = [one for found in patients.values() for one in found if one]
    remedy = f"keep them together: keep_together={_PATIENT!r} (--keep-together {_PATIENT})"
    if shared:
        return [
            f"{len(shared):,} patients ({_PATIENT}) have images in the train part and in another, "
            f"so the accuracy may be overestimated; {remedy}"
        ]
    if len(patients) < 3 and len(set(images)) < len(images):
        return [
            f"{len(images):,} images are of {len(set(images)):,} patients ({_PATIENT}), and a "
            f"split may put images of one patient into several parts; {remedy}"
        ]
    return []
