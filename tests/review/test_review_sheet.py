"""What the page shows of images, masks, values and texts."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.cli.preview import some_examples
from automorph.data import Dataset, from_arrays, split
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace, find_operation, named_space
from automorph.review import Sheet, make_sheet, render_review
from automorph.review.sheet import magnitudes_of

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3)).astype(np.uint8)
ROTATE = SearchSpace("mine", (named_space("randaugment")["Rotate"],))


def sheet_of(data: Dataset, space: SearchSpace = ROTATE, *, steps: int = 6) -> Sheet:
    data = split(data)
    part, captions = some_examples(data, 2)
    return make_sheet(data, space, part, captions, steps=steps)


def test_every_magnitude_of_an_operation_draws_alike() -> None:
    space = SearchSpace("mine", (named_space("everything")["PadCrop"],))
    first, again = (sheet_of(from_arrays(IMAGES, np.arange(40) % 2), space) for _ in range(2))
    assert first.rows[0].lines == again.rows[0].lines


def test_signed_operations_have_two_lines_that_grow() -> None:
    sheet = sheet_of(from_arrays(IMAGES, np.arange(40) % 2), steps=3)
    up, down = sheet.rows[0].lines
    assert [view.words for view in up.views] == ["10 deg", "20 deg", "30 deg"]
    assert [view.words for view in down.views] == ["-10 deg", "-20 deg", "-30 deg"]
    assert [view.kept for view in up.views] == [(-30, 0), (-30, 10), (-30, 20)]
    assert [view.kept for view in down.views] == [(0, 30), (-10, 30), (-20, 30)]


def test_values_stand_beside_their_images() -> None:
    values = np.linspace(0, 1, 40).astype(np.float32)
    sheet = sheet_of(from_arrays(IMAGES, values, target="values"))
    assert all(any(char.isdigit() for char in caption) for caption in sheet.captions)
    page = render_review(sheet, file_name="space.json", served=False)
    assert all(caption in page for caption in sheet.captions)


def test_masks_lie_over_their_images_and_move_with_them() -> None:
    masks = np.zeros((40, 12, 12), np.uint8)
    masks[:, :6] = 1
    black = np.zeros_like(IMAGES) + np.arange(40, dtype=np.uint8)[:, None, None, None]
    sheet = sheet_of(from_arrays(black, masks, target="masks"))
    shown = sheet.rows[0].lines[0].views
    assert sheet.original is not None
    assert shown[-1].picture is not None
    assert shown[-1].picture.address != sheet.original.address


def test_texts_are_shown_as_differences() -> None:
    texts = np.array([f"a <b>good</b> film number {k} with many words in it" for k in range(40)])
    space = named_space("texts-plain")
    sheet = sheet_of(from_arrays(texts, np.arange(40) % 2), space)
    page = render_review(sheet, file_name="space.json", served=False)
    assert "<del>" in page
    assert "<b>" not in page
    assert len(sheet.rows) > 2


def test_wrong_spaces_are_refused_and_mixing_is_left_out() -> None:
    with pytest.raises(UsageError, match="for images"):
        sheet_of(from_arrays(IMAGES, np.arange(40) % 2), named_space("texts-plain"))
    both = SearchSpace("mine", (*ROTATE, find_operation("SamplePairing")))
    sheet = sheet_of(from_arrays(IMAGES, np.arange(40) % 2), both)
    assert [row.name for row in sheet.rows] == ["Rotate"]
    assert sheet.remarks == ["Not shown, because they mix examples: SamplePairing."]


def test_operations_without_an_identity_show_their_weakest_value() -> None:
    free = Operation("free", kernel="Solarize", low=2, high=4)
    assert magnitudes_of(free, 2) == [0.0, 0.5, 1.0]
