"""Masks read from tables, folders and arrays, and how they are resized with their images."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from automorph.data import from_arrays, load_data, split
from automorph.errors import DataError, UsageError


def png(pixels, mode=None, palette=None):
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    if mode:
        image = image.convert(mode)
    if palette:
        image.putpalette(palette)
    image.save(stream, "PNG")
    return stream.getvalue()


def pair(n=12, size=(16, 20), classes=3, seed=0):
    """Images whose grey level is a code of their mask."""
    random = np.random.default_rng(seed)
    masks = random.integers(0, classes, (n, *size), np.uint8)
    return (masks * 80)[..., None].repeat(3, 3), masks


def table(path, images, masks, **columns):
    rows = {"image": [png(one) for one in images], "mask": masks, **columns}
    pq.write_table(pa.table(rows), path)
    return f"parquet:{path}"


def test_masks_of_a_table_are_its_numbers(tmp_path):
    images, masks = pair()
    source = table(tmp_path / "a.parquet", images, [png(m) for m in masks], label=[0, 1] * 6)
    data = load_data(source, target="masks")
    assert (data.target, data.predicted) == ("masks", ("class 0", "class 1", "class 2"))
    np.testing.assert_array_equal(data.train.annotations, masks)
    assert any("'mask' (guessed by its name, not 'label'" in note for note in data.notes)
    whole = split(data)
    assert sum(len(part) for part in whole.parts.values()) == 12


def test_zero_and_255_are_two_classes_and_noted():
    images, masks = pair(classes=2)
    data = from_arrays(images, masks * 255, target="masks")
    np.testing.assert_array_equal(data.train.annotations, masks)
    assert data.annotation.ignore is None
    assert "masks of 0 and 255: 255 is read as class 1" in data.notes


def test_255_among_numbers_is_ignored_and_noted():
    images, masks = pair()
    masks[:5, 0] = 255
    data = from_arrays(images, masks, target="masks")
    assert (data.annotation.width, data.annotation.ignore) == (3, 255)
    assert any("255 are ignored (5 of 12 masks" in note for note in data.notes)


def test_palettes_are_read_by_index(tmp_path):
    images, masks = pair()
    palette = [255, 0, 0, 0, 255, 0, 0, 0, 255]
    cells = [png(m, palette=palette) for m in masks]
    assert Image.open(io.BytesIO(cells[0])).mode == "P"
    data = load_data(table(tmp_path / "a.parquet", images, cells), label="mask", target="masks")
    np.testing.assert_array_equal(data.train.annotations, masks)
    assert "masks with a palette are read by its index" in data.notes


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "1"])
def test_masks_of_0_and_255_in_other_modes(mode, tmp_path):
    images, masks = pair(classes=2)
    cells = [png(m * 255, mode) for m in masks]
    data = load_data(table(tmp_path / "a.parquet", images, cells), label="mask", target="masks")
    np.testing.assert_array_equal(data.train.annotations, masks)
    assert any("stored in colour" in note for note in data.notes) == mode.startswith("RGB")


def test_given_names_fix_the_classes():
    images, masks = pair()
    names = ("sky", "road", "tree", "never seen")
    data = from_arrays(images, masks, classes=names, target="masks")
    assert data.predicted == names
    assert "classes without pixels in the training masks: 'never seen'" in data.notes


@pytest.mark.parametrize("size", [(8, 8), (5, 7), (16, 16), (32, 40)])
def test_masks_are_cropped_as_their_images(size):
    """Where the resized image shows a pure colour, the mask has its class."""
    blocks = np.random.default_rng(1).integers(0, 2, (6, 4, 5), np.uint8)
    masks = blocks.repeat(16, 1).repeat(16, 2)
    images = (masks * 200)[..., None].repeat(3, 3)
    data = from_arrays(images, masks, target="masks", size=size)
    assert data.train.annotations.shape == data.train.data.shape[:3]
    levels = data.train.data[..., 0]
    pure = np.isin(levels, [0, 200])
    assert pure.mean() > 0.1
    np.testing.assert_array_equal(levels[pure] // 200, data.train.annotations[pure])


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


LAYOUTS = {
    "pair": ("images/{}.png", "masks/{}.png"),
    "endings": ("imgs/{}.png", "labels/{}_mask.png"),
    "parts above": ("train/images/{}.png", "train/masks/{}.png"),
    "parts below": ("images/train/{}.png", "masks/train/{}.png"),
    "beside": ("{}.png", "{}_mask.png"),
    "VOC": ("JPEGImages/{}.png", "SegmentationClass/{}.png"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_masks_of_folders_are_paired_by_name(layout, tmp_path):
    images, masks = pair()
    for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
        for place, content in zip(LAYOUTS[layout], (image, mask), strict=True):
            write(tmp_path / place.format(f"no {number:02}"), png(content))
    data = load_data(f"folder:{tmp_path}", target="masks")
    np.testing.assert_array_equal(data.train.data, images)
    np.testing.assert_array_equal(data.train.annotations, masks)
    shown = [one.format("no 00") for one in LAYOUTS[layout]]
    assert f"masks are paired with images by their names: {' and '.join(shown)}" in data.notes


def test_images_without_mask_are_refused_by_name_or_skipped(tmp_path):
    images, masks = pair()
    for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
        write(tmp_path / f"images/{number}.png", png(image))
        write(tmp_path / f"masks/{number + (number > 9)}.png", png(mask))
    source = f"folder:{tmp_path}"
    with pytest.raises(DataError, match=r"1 of 12 rows.*\n  images/10.png: no mask of its name"):
        load_data(source, target="masks")
    data = load_data(source, target="masks", skip_bad=True)
    assert len(data.train) == 11
    assert "ignored masks without an image: masks/12.png" in data.notes


def bad_masks(mask):
    images, masks = pair()
    return images, [*masks[:-1], mask]


_GOOD = pair()[1][0]
CASES = {
    "other size": (
        bad_masks(_GOOD[:8]),
        r"train\[11\]: mask: its size is 8x20, but that of the image",
    ),
    "fractions": (bad_masks(_GOOD / 2), "float64 values: expected whole numbers"),
    "NaN": (bad_masks(np.full(_GOOD.shape, np.nan)), "NaN: expected whole numbers"),
    "negative": (bad_masks(_GOOD.astype(int) - 1), "values from -1 to 1"),
    "large": (bad_masks(_GOOD.astype(int) * 500), "values from 0 to 1000"),
    "none": (bad_masks(None), "mask: there is none"),
    "ignored": (bad_masks(np.full_like(_GOOD, 255)), "all pixels are 255, which is ignored"),
    "shape": (bad_masks(np.zeros((2, 16, 20), int)), r"shape \(2, 16, 20\): expected \(H, W\)"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mask_that_cannot_be_used_is_named(case):
    (images, masks), words = CASES[case]
    with pytest.raises(DataError, match=rf"(?s)1 of 12 rows cannot be used.*{words}"):
        from_arrays(images, masks, target="masks")
    assert len(from_arrays(images, masks, target="masks", skip_bad=True).train) == 11


def test_values_beyond_the_given_classes():
    images, masks = pair(classes=4)
    with pytest.raises(DataError, match=r"the value 3 is beyond the 3 classes \(0 to 2\)"):
        from_arrays(images, masks, classes=("a", "b", "c"), target="masks")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1], "all pixels of the masks are 1. Expected at least two classes"),
        ([0, 128], "0, 128, with wide gaps"),
        (list(range(200)), "200 different values, as pictures have"),
    ],
)
def test_values_that_are_no_class_numbers(values, words):
    images, _ = pair()
    masks = np.resize(np.array(values, np.uint8), images.shape[:3])
    with pytest.raises(DataError, match=words):
        from_arrays(images, masks, target="masks")


@pytest.mark.parametrize("form", ["JPEG", "colour"])
def test_files_that_hold_no_class_numbers(form, tmp_path):
    images, masks = pair()
    colour = np.random.default_rng(0).integers(0, 255, (*masks[0].shape, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(masks[0] if form == "JPEG" else colour).save(
        stream, "JPEG" if form == "JPEG" else "PNG"
    )
    cells = [*(png(m) for m in masks[:-1]), stream.getvalue()]
    source = table(tmp_path / "a.parquet", images, cells)
    words = "compression changes numbers" if form == "JPEG" else "picture in colour"
    with pytest.raises(DataError, match=words):
        load_data(source, label="mask", target="masks")


def test_texts_have_no_masks():
    with pytest.raises(UsageError, match="contains texts"):
        from_arrays(["a", "b", "c"], [0, 1, 0], target="masks")


def test_a_folder_without_masks(tmp_path):
    for number, image in enumerate(pair()[0]):
        write(tmp_path / f"cats/{number}.png", png(image))
    with pytest.raises(DataError, match=r"no image has a mask of its name.*images/a.jpg and"):
        load_data(f"folder:{tmp_path}", target="masks")
