"""Assemble a checked data set from raw rows: labels, images, bad rows, limit, leaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.annotated import is_missing
from automorph.data.annotation import TargetKind
from automorph.data.annotation_readers import read_annotations
from automorph.data.build_options import check_keep_together, check_options
from automorph.data.chosen import Sizing
from automorph.data.class_values import is_text, visible
from automorph.data.cut import Size
from automorph.data.dataset import BadRow, Dataset, Split, left_out, strings
from automorph.data.decoding import decode_images, remark_notes
from automorph.data.deep_pixels import Window
from automorph.data.dicom_columns import with_dicom_columns
from automorph.data.images import CHANNELS, Mode
from automorph.data.label_conflicts import with_contradictions, with_copies
from automorph.data.labels import MISSING, check_classes, encode, listed
from automorph.data.leakage import LeakageAction, guard_leakage
from automorph.data.limits import check_equal_classes, choose, limit_note, limited
from automorph.data.near_duplicates import with_near_duplicates
from automorph.data.notes import Notes
from automorph.data.one_label import with_one_label
from automorph.data.photographs import photographs_in
from automorph.data.readers.raw import RawData, Rows
from automorph.data.resizing import COVER, DECODE, Decode, Resizing, with_decode
from automorph.data.set_window import no_window_needed, window_of_parts
from automorph.data.splits import split
from automorph.data.together import like_missing_notes
from automorph.data.window_record import WindowRecord
from automorph.data.windows import WindowChoice
from automorph.errors import DataError

Numbers = dict[str, NDArray[np.int64]]
_NAMED = 10  # bad rows listed in a message


def assemble(
    raw: RawData,
    *,
    size: int | Size | None = None,
    mode: Mode | None = None,
    limit: int | None = None,
    equal_classes: bool = False,
    seed: int = 0,
    skip_bad: bool = False,
    leakage: LeakageAction = "refuse",
    cache: Path | None = None,
    window: WindowChoice = None,
    resizing: Resizing | None = None,
    hold_out: bool = True,
    sizing: Sizing | None = None,
    target: TargetKind = "classes",
    label_of: str | None = None,
    decode: Decode = DECODE,
) -> Dataset:
    """Check and decode a source; see :func:`automorph.data.load_data` for the options."""
    size = (size, size) if isinstance(size, int) else size
    if label_of is not None:
        raw, target = with_one_label(raw, label_of), "classes"
    check_options(raw, size, mode, limit, window)
    check_equal_classes(limit, equal_classes=equal_classes)
    notes = Notes(raw.notes)
    raw = _drop_unlabelled(raw, notes, target)
    raw = with_dicom_columns(raw, notes)
    check_keep_together(raw)
    annotated = read_annotations(raw, target, notes)
    if annotated is None:
        labels, classes = encode(_columns(raw, "labels"), names=raw.classes, notes=notes)
    else:
        labels, classes = dict(annotated.strata), annotated.names
    groups: Numbers = {}
    group_names: tuple[str, ...] = ()
    if raw.parts["train"].subgroups is not None:
        columns = _columns(raw, "subgroups")
        groups, group_names = encode(
            columns, names=raw.subgroup_names, what="subgroup", notes=notes
        )
    bad = {part: bad_rows(raw, part, labels, groups) for part in raw.parts}
    for part, reasons in ({} if annotated is None else annotated.bad).items():
        bad[part] |= reasons
    keep = _good_rows(labels, bad)
    # Otherwise all bad rows are reported first.
    if annotated is None and (skip_bad or not any(bad.values())):
        known = {part: labels[part][rows] for part, rows in keep.items()}
        check_classes(known, classes, name=raw.name, declared=raw.classes is not None)
    if limit is not None and "test" in raw.parts:
        # Before decoding: of a large set, only the requested rows are read.
        usable = keep["train"]
        given = labels["train"][usable]
        rows = choose(given, classes, limit, seed=seed, equal_classes=equal_classes)
        keep["train"] = usable[rows]
        if len(rows) < len(usable):
            notes.add(limit_note(given, rows, equal_classes=equal_classes, target=target))
    chosen = None
    if sizing is not None and size is None and (found := photographs_in(raw, keep, limit)):
        chosen = sizing(found)
    if chosen is not None:
        size, resizing = chosen.size, chosen.resizing
        notes.add(chosen.note)
    total = sum(map(len, keep.values())) + sum(map(len, bad.values()))
    records: list[WindowRecord] = []

    def choose_window() -> Window:
        """Choose the window when the first image of more than 8 bits is read."""
        train = keep["train"]
        column = raw.parts["train"].metadata.get(raw.keep_together or "")
        chosen, record = window_of_parts(
            raw.name,
            {part: [raw.parts[part].data[row] for row in rows] for part, rows in keep.items()},
            {part: [raw.parts[part].ids[row] for row in rows] for part, rows in keep.items()},
            window,
            labels=labels["train"][train],
            classes=classes,
            subgroups=groups["train"][train] if groups else None,
            subgroup_names=group_names,
            together=None if column is None else [column[row] for row in train],
        )
        records.append(record)
        return chosen

    data, reduced = decode_parts(
        raw, keep, bad, notes, mode=mode, size=size, cache=cache, choose=choose_window,
        resizing=with_decode(resizing, decode),
    )  # fmt: skip
    resizing = with_decode(resizing, "reduced" if reduced else "exact")
    if records:
        notes.add(records[0].note())
    elif window is not None:
        raise no_window_needed(raw.name, window)
    skipped = skipped_rows(raw, bad, total, skip_bad=skip_bad)
    if skipped:
        notes.add(left_out(skipped))
    if annotated is not None and annotated.resized is not None and resizing is not None:
        annotated = annotated.resized(resizing)
    parts: dict[str, Any] = {}
    for part, rows in keep.items():
        good = rows[[row not in bad[part] for row in rows.tolist()]] if len(rows) else rows
        parts[part] = _arrays(raw.parts[part], data[part], good, labels[part], groups.get(part))
        if annotated is not None:
            made = annotated.make(part, good, parts[part].data.shape[1:])
            parts[part] = replace(parts[part], annotations=made)
    absent = [one for i, one in enumerate(classes) if not (parts["train"].labels == i).any()]
    if absent and raw.classes is not None:
        notes.add(f"declared classes without training examples: {listed(absent)}")
    if raw.domain == "image" and _is_dark(parts["train"].data):
        notes.add(
            "all pixels are 0 or 1 of 255, as if scaled to 0 to 1 and rounded: the images are black"
        )
    # Checked again: a class may have lost all its rows in decoding.
    known = {part: arrays.labels for part, arrays in parts.items()}
    if annotated is None:
        check_classes(known, classes, name=raw.name, declared=True)
    if raw.keep_together is not None:
        values = [part.metadata[raw.keep_together] for part in parts.values()]
        notes.add(*like_missing_notes(raw.keep_together, values))
    dataset = Dataset(
        raw.name,
        classes,
        subgroup_names=group_names,
        skipped=skipped,
        notes=notes.lines,
        keep_together=raw.keep_together,
        window=records[0] if records else None,
        resizing=None if size is None else resizing,
        chosen=chosen,
        annotation=None if annotated is None else annotated.annotation,
        **parts,
    )
    if limit is not None and dataset.test is None:
        whole = split(dataset, validation=0, test=0.2, seed=seed) if hold_out else dataset
        dataset = limited(whole, limit, seed=seed, equal_classes=equal_classes)
    dataset = with_copies(with_contradictions(guard_leakage(dataset, leakage=leakage)))
    # If a part is missing, `split` compares all parts when it has made it.
    return with_near_duplicates(dataset) if len(dataset.parts) == 3 else dataset


def _is_dark(images: NDArray[np.uint8]) -> bool:
    """Return whether no pixel is above 1, and some are 1."""
    return bool(len(images) and images[:16].max() <= 1 and images.max() == 1)


def _good_rows(labels: Numbers, bad: dict[str, dict[int, str]]) -> dict[str, NDArray[np.intp]]:
    """Return the rows of every part that are not known to be bad."""
    return {
        part: np.flatnonzero([row not in bad[part] for row in range(len(numbers))])
        for part, numbers in labels.items()
    }


def _arrays(
    rows: Rows,
    data: NDArray[Any],
    good: NDArray[np.intp],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
) -> Split:
    """Return a part of its good rows; ``data`` holds only those, labels and groups all rows."""
    metadata = {
        name: strings([column[row] for row in good]) for name, column in rows.metadata.items()
    }
    ids = strings([rows.ids[row] for row in good])
    return Split(data, labels[good], ids, None if groups is None else groups[good], metadata)


def _columns(raw: RawData, what: str) -> dict[str, Any]:
    columns = {part: getattr(rows, what) for part, rows in raw.parts.items()}
    lacking = [part for part, column in columns.items() if column is None]
    if lacking:
        raise DataError(
            f"{raw.name}: the {lacking[0]} split has no {what}, but the train split does. Expected "
            "them in every split."
        )
    return {
        part: column.tolist() if isinstance(column, np.ndarray) else column
        for part, column in columns.items()
    }


def _drop_unlabelled(raw: RawData, notes: Notes, target: TargetKind) -> RawData:
    """Remove parts without any label, as published test parts often are."""
    kept = dict(raw.parts)
    for part, rows in raw.parts.items():
        if target == "classes":
            numbers, _ = encode({part: list(rows.labels)}, names=raw.classes)
            empty = bool(len(numbers[part])) and bool((numbers[part] == MISSING).all())
        else:
            empty = bool(len(rows.labels)) and all(map(is_missing, rows.labels))
        if part != "train" and empty:
            del kept[part]
            notes.add(f"the {part} part has no labels and was left out")
    return replace(raw, parts=kept)


def bad_rows(raw: RawData, part: str, labels: Numbers, groups: Numbers) -> dict[int, str]:
    """Return the reasons for unusable rows that are known before decoding."""
    rows = raw.parts[part]
    bad = dict.fromkeys(np.flatnonzero(labels[part] == MISSING).tolist(), "no label")
    if groups:
        for row in np.flatnonzero(groups[part] == MISSING).tolist():
            bad.setdefault(row, "no subgroup")
    if not isinstance(rows.data, np.ndarray):
        for row, value in enumerate(rows.data):
            missing = value is None or (isinstance(value, float) and value != value)
            if missing or (raw.domain == "text" and not visible(str(value))):
                bad[row] = f"no {raw.domain}"
            elif raw.domain == "text" and not isinstance(value, str):
                bad[row] = f"no text but {type(value).__name__}"
            elif raw.domain == "text" and not is_text(value):
                bad[row] = "half of a character (a lone surrogate), which is no text"
    if raw.keep_together is not None:
        for row, value in enumerate(rows.metadata[raw.keep_together]):
            if not str(value):
                bad.setdefault(row, f"no {raw.keep_together}")
    return {**bad, **rows.bad}


def decode_parts(
    raw: RawData,
    keep: Mapping[str, NDArray[np.intp]],
    bad: dict[str, dict[int, str]],
    notes: Notes,
    *,
    mode: Mode | None,
    size: Size | None,
    cache: Path | None,
    choose: Callable[[], Window],
    resizing: Resizing | None = None,
) -> tuple[dict[str, NDArray[Any]], bool]:
    """Decode the kept rows of all parts together; add rows that fail to ``bad``.

    Without ``cache``, images stay in the user's cache (see `decode_images`); ``none`` keeps none.
    Also return whether a JPEG file was decoded smaller than it is.
    """
    if raw.domain == "text":
        return {
            part: strings([raw.parts[part].data[row] for row in rows])
            for part, rows in keep.items()
        }, False
    if all(_ready(rows, mode, size) for rows in raw.parts.values()):
        return {
            part: data if len(rows) == len(data) else np.ascontiguousarray(data[rows])
            for part, rows in keep.items()
            for data in [raw.parts[part].data]
        }, False
    at = [(part, int(row)) for part, rows in keep.items() for row in rows]
    sources = [raw.parts[part].data[row] for part, row in at]
    try:
        read = decode_images(
            sources, mode=mode, size=size, cache=None if str(cache) == "none" else cache,
            choose=choose, resizing=resizing or COVER, keep=cache is None,
        )  # fmt: skip
    except DataError as error:
        named = "" if str(error).startswith(f"{raw.name}:") else f"{raw.name}: "
        raise DataError(f"{named}{error}") from error
    for position, reason in read.bad.items():
        part, row = at[position]
        bad[part][row] = reason
    remarks = [
        (str(raw.parts[part].ids[row]), remark)
        for position, remark in read.remarks.items()
        for part, row in [at[position]]
    ]
    notes.add(*remark_notes(remarks))
    if size is not None and resizing is not None:
        notes.add(*replace(resizing, decode="reduced" if read.reduced else "exact").notes(size))
    images, start = read.images, 0
    decoded = {}
    for part, rows in keep.items():
        n = sum(row not in bad[part] for row in rows.tolist())
        decoded[part] = images[start : start + n]
        start += n
    return decoded, read.reduced


def _ready(rows: Rows, mode: Mode | None, size: Size | None) -> bool:
    data = rows.data
    if not isinstance(data, np.ndarray):
        return False
    channels = CHANNELS[mode] if mode else data.shape[3]
    return data.shape[3] == channels and size in (None, data.shape[1:3])


def skipped_rows(
    raw: RawData, bad: dict[str, dict[int, str]], total: int, *, skip_bad: bool
) -> tuple[BadRow, ...]:
    """Return the bad rows; raise DataError if they may not be skipped or no row is left."""
    found = tuple(
        BadRow(raw.parts[part].ids[row], reason)
        for part, rows in bad.items()
        for row, reason in sorted(rows.items())
    )
    if not found or (skip_bad and len(found) < total):
        return found
    lines = "\n".join(f"  {row.id}: {row.reason}" for row in found[:_NAMED])
    more = f"\n  and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    if len(found) == total:
        advice = "No usable row is left. Check the source and the chosen columns."
    else:
        advice = "Repair or remove them, or skip them with skip_bad=True (--skip-bad)."
    raise DataError(
        f"{raw.name}: {len(found):,} of {total:,} rows cannot be used:\n{lines}{more}\n{advice}"
    )
