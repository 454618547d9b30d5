"""Unlabelled examples: read from any source, without its labels, to train beside labelled ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from automorph.data.dataset import Dataset, Split, check_alike, strings
from automorph.data.decode_like import decode_like, no_labels
from automorph.data.deep_pixels import OWN, Window
from automorph.data.loading import read_source
from automorph.data.near_duplicates import near_duplicates_note
from automorph.data.notes import Notes
from automorph.data.pool import HELD_OUT, guard_unlabelled
from automorph.data.readers.columns import Columns
from automorph.data.readers.hub import raw_from_huggingface
from automorph.data.readers.in_memory import raw_from_arrays
from automorph.data.readers.raw import RawData
from automorph.errors import DataError, UsageError

_GIVEN = "memory"


def with_unlabelled(
    dataset: Dataset,
    source: Any,
    *,
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    size: int | tuple[int, int] | None = None,
    skip_bad: bool = False,
    root: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    download: bool = False,
) -> Dataset:
    """Return the data set with unlabelled examples for training, ``Dataset.unlabelled``.

    ``source`` is a ``DATA`` string, images uint8 (n, H, W[, C]), a list of texts, a Hugging Face
    data set, or a `Dataset` or `Split`. Of a source with several parts, the train part is taken;
    labels are ignored; both are noted. The options are those of `load_data`; a folder may also hold
    its images without class folders. Images get the channels and the window of ``dataset``.
    Examples that are also in the validation or test part are dropped (`guard_unlabelled`).

    Raises DataError for examples of another kind or size, or that cannot be read.

    >>> from automorph.data import load_data, split
    >>> data = with_unlabelled(split(load_data("digits")), "digits")
    >>> len(data.unlabelled), data.notes[-1]
    (1077, 'unlabelled examples that are also in the training part: 1,077')
    """
    if dataset.train.on_demand and dataset.domain == "image":
        raise UsageError(
            "unlabelled examples cannot be combined with images that are decoded on demand, whose "
            "pixels are not compared; expected images in memory or in a cache: leave out on_demand "
            "(--on-demand), and use cache=FOLDER (--cache FOLDER) for large sets"
        )
    notes = Notes(dataset.notes)
    if isinstance(source, (Dataset, Split)):
        pool, name = _of_split(source, notes)
    else:
        together = dataset.keep_together
        columns = Columns(image, text, label, metadata=(), keep_together=together, labelled=False)
        raw = _read(source, columns, root, download)
        both = (size, size) if isinstance(size, int) else size
        pool, name = _decoded(dataset, raw, notes, both, skip_bad, cache), raw.name
    check_alike(pool, dataset.train, data=dataset.name)
    notes.add(f"unlabelled examples: {len(pool):,} from {name}, used without labels")
    guarded = guard_unlabelled(dataset.replace(unlabelled=pool, notes=notes.lines))
    notes = Notes(guarded.notes)
    for part in HELD_OUT:
        if (
            part in guarded.parts
            and (note := near_duplicates_note(guarded, "unlabelled", part)) is not None
        ):
            notes.add(note)
    return guarded.replace(notes=notes.lines)


def _of_split(source: Dataset | Split, notes: Notes) -> tuple[Split, str]:
    part = source
    if isinstance(source, Dataset):
        part = source.train
        _note_parts(list(source.parts), notes)
    assert isinstance(part, Split)
    pool = Split(part.data, no_labels(len(part)), part.ids, metadata=part.metadata)
    return pool, source.name if isinstance(source, Dataset) else _GIVEN


def _read(
    source: Any, columns: Columns, root: str | os.PathLike[str] | None, download: bool
) -> RawData:
    if isinstance(source, (str, os.PathLike)):
        return read_source(os.fspath(source), columns, root, download)
    if type(source).__module__.partition(".")[0] == "datasets":
        return raw_from_huggingface(source, name=_GIVEN, columns=columns)
    if not hasattr(source, "shape") and not (
        isinstance(source, Sequence) and not isinstance(source, tuple)
    ):
        raise UsageError(
            f"unlabelled examples of type {type(source).__name__}: expected a DATA string, images "
            "uint8 (n, H, W, C), a list of texts, or a Hugging Face data set, without labels"
        )
    return raw_from_arrays({"train": (source, [None] * len(source))}, name=_GIVEN)


def _decoded(
    dataset: Dataset,
    raw: RawData,
    notes: Notes,
    size: tuple[int, int] | None,
    skip_bad: bool,
    cache: str | os.PathLike[str] | None,
) -> Split:
    """Decode the train part of a source as the images of ``dataset`` were."""
    _note_parts(list(raw.parts), notes)
    raw = replace(raw, parts={"train": raw.parts["train"]}, keep_together=dataset.keep_together)
    notes.add(*(f"unlabelled examples: {note}" for note in raw.notes))
    if raw.domain != dataset.domain:  # Before decoding: the options below are for images.
        check_alike(_empty(raw.domain), dataset.train, data=dataset.name)
    own = Notes()
    pool, _ = decode_like(
        raw, own, channels=dataset.train.data.shape[1:][-1:], size=size, skip_bad=skip_bad,
        cache=cache, choose=lambda: _window_of(dataset), resizing=dataset.resizing,
    )["train"]  # fmt: skip
    notes.add(*(f"unlabelled examples: {note}" for note in own))
    return pool


def _window_of(dataset: Dataset) -> Window:
    """Return the window of the labelled images; unlabelled ones must look the same."""
    record = dataset.window
    if record is None:
        raise DataError(
            f"the unlabelled images have more than 8 bits, but those of {dataset.name} do not; "
            "expected the same: convert them to 8 bits as the labelled ones were"
        )
    if record.low is None or record.high is None:
        return OWN
    return Window(record.low, record.high)


def _note_parts(parts: Sequence[str], notes: Notes) -> None:
    if others := [part for part in parts if part != "train"]:
        notes.add(f"unlabelled examples: the train part; left out: {', '.join(others)}")


def _empty(domain: str) -> Split:
    data = strings([]) if domain == "text" else np.zeros((0, 1, 1, 1), np.uint8)
    return Split(data, no_labels(0))
