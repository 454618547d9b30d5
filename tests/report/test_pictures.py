"""Pictures: pixels are unchanged, and sizes fit a page."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from comparisons import digits, photographs
from PIL import Image

from automorph.errors import DataError
from automorph.report.page import Picture
from automorph.report.pictures import AFTER_ORIGINAL, GAP, contact_sheet, row, strip, tiles


def opened(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(b64decode(picture.address.split(",", 1)[1])))


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((8, 8, 1), (64, 64, 1)),
        ((28, 28, 1), (56, 56, 1)),
        ((32, 32, 3), (64, 64, 3)),
        ((80, 40, 4), (80, 40, 4)),
        ((1, 1, 3), (64, 64, 3)),
        ((300, 200, 3), (104, 69, 3)),
        ((2000, 1, 1), (104, 1, 1)),
    ],
)
def test_tiles_have_a_size_to_look_at(shape: tuple[int, ...], shown: tuple[int, ...]) -> None:
    assert tiles(np.zeros((2, *shape), np.uint8)).shape == (2, *shown)


def test_small_images_grow_by_whole_pixels() -> None:
    images = digits(2)
    assert np.array_equal(tiles(images)[:, ::8, ::8], images)
    assert np.array_equal(tiles(images)[:, 7::8, 7::8], images)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_strip_holds_the_pixels(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 12, channels), np.uint8)
    if channels == 4:
        images[..., 3] = 255
    picture = strip(images, label="cat", alt="a cat")
    found = opened(picture)
    pixels = np.asarray(found.convert("RGBA"))
    assert (picture.width, picture.height) == found.size
    assert picture.address.startswith("data:image/png;base64,")
    assert picture.crisp
    wide = 12 * 4
    for place in range(3):
        left = 1 + place * (wide + GAP) + (AFTER_ORIGINAL if place else 0)
        tile = pixels[1:-1:4, left : left + wide : 4, :3]
        assert np.array_equal(tile, np.broadcast_to(images[place, ..., :3], tile.shape))
    assert pixels[0, wide + 5, 3] == 0  # the gap lets the page through


def test_the_first_image_stands_apart() -> None:
    assert row(digits(2)).width - 2 * row(digits(1)).width == GAP + AFTER_ORIGINAL - 2


def test_heavy_strips_are_packed_tighter() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), np.uint8)
    light = strip(noise, limit=40_000)
    assert light.address.startswith("data:image/webp;base64,")
    assert len(light.address) < 0.4 * len(strip(noise, limit=10**9).address)
    assert opened(light).size == (light.width, light.height)


def test_photographs_are_smooth() -> None:
    assert not strip(photographs(2, 200)).crisp


def test_images_are_left_as_they_were() -> None:
    images = digits(2)
    before = images.copy()
    strip(images)
    contact_sheet(images[:, None], ["a", "b"])
    np.testing.assert_array_equal(images, before)
    images.setflags(write=False)
    strip(images)  # They need not be writable either.


def test_a_contact_sheet_has_a_row_for_each_example() -> None:
    images = np.stack([photographs(3, 32)] * 4, axis=1)
    sheet = contact_sheet(images, ["boat", "roof", "a name much longer than the column is wide"])
    assert sheet.mode == "RGB"
    one = contact_sheet(images[:1], ["boat"])
    assert sheet.height > 2.5 * (one.height - 60)
    assert sheet.width < 700
    pixels = np.asarray(sheet)
    assert (pixels[0] == 255).all()  # white ground
    flat = {tuple(pixel) for pixel in pixels.reshape(-1, 3)[::7]}
    assert len(flat) > 100  # and pictures on it


def test_a_contact_sheet_may_be_empty() -> None:
    assert contact_sheet(np.zeros((0, 3, 8, 8, 1), np.uint8), []).width > 0


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 2), np.uint8),
    ],
    ids=["floats", "one image", "two channels"],
)
def test_other_arrays_are_refused(images: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected uint8 images"):
        strip(images)


def test_labels_must_fit_the_rows() -> None:
    with pytest.raises(DataError, match="2 labels"):
        contact_sheet(np.zeros((3, 2, 8, 8, 1), np.uint8), ["a", "b"])
