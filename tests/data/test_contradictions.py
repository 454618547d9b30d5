"""Copies with different labels are reported once and change nothing."""

from __future__ import annotations

import numpy as np

from automorph.data import from_arrays, split

TEXTS = [f"text {i}" for i in range(40)]
LABELS = ["good", "bad"] * 20


def test_texts_with_both_labels_are_counted() -> None:
    data = from_arrays([*TEXTS, *TEXTS[:10]], [*LABELS, *LABELS[1:11]])
    notes = [note for note in data.notes if "label" in note]
    assert len(notes) == 1
    assert notes[0].startswith("20 of 50 texts appear under more than one label (10 distinct")
    assert "[0] (good)" in notes[0]
    assert split(data).notes[0] == notes[0]


def test_images_in_two_parts_are_counted() -> None:
    images = np.arange(40, dtype=np.uint8).repeat(16).reshape(40, 4, 4, 1)
    options = {"test": (images[:4], LABELS[1:5]), "leakage": "keep"}
    data = from_arrays(images, LABELS, **options)
    assert any(note.startswith("8 of 44 images") for note in data.notes)


def test_copies_with_the_same_label_are_counted() -> None:
    assert from_arrays([*TEXTS, *TEXTS[:10]], [*LABELS, *LABELS[:10]]).notes == (
        "10 of 50 texts are copies of an earlier one in the same part: train[40] = train[0], "
        "train[41] = train[1], train[42] = train[2]",
    )
    assert from_arrays(TEXTS, LABELS).notes == ()
