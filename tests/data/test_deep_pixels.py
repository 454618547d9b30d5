"""Images of more than 8 bits: read exactly, mapped to 8 bits by one stated window."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from deep_files import deep_folder, exif_chunk, png16, tiff16
from picture_files import class_folders, encoded, noise
from PIL import Image

from automorph.data import as_dataset, load_data, read_image, split
from automorph.data.deep_pixels import Window
from automorph.data.image_opening import BadImageError, strict_pillow
from automorph.data.images import read_with_remarks
from automorph.errors import DataError, UsageError

DEEP = np.random.default_rng(0).integers(0, 65536, (7, 9, 4)).astype(np.uint16)
ROUNDED = np.rint(DEEP / 65535 * 255).astype(np.uint8)


def ppm(values: np.ndarray) -> bytes:
    height, width, _ = values.shape
    return b"P6 %d %d 65535\n" % (width, height) + values.astype(">u2").tobytes()


COLOURS = DEEP[..., :3]
FILES = {
    "PNG": png16(COLOURS),
    "TIFF": tiff16(COLOURS),
    "big-endian TIFF": tiff16(COLOURS, ">"),
    "PPM": ppm(COLOURS),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_colours_of_sixteen_bits_are_rounded_like_grey_levels(content: bytes) -> None:
    np.testing.assert_array_equal(read_image(content), ROUNDED[..., :3])


def test_a_compressed_tiff_of_sixteen_bits() -> None:
    cv2 = pytest.importorskip("cv2")
    _, content = cv2.imencode(".tiff", COLOURS[..., ::-1])
    np.testing.assert_array_equal(read_image(content.tobytes()), ROUNDED[..., :3])


def test_alpha_of_sixteen_bits() -> None:
    np.testing.assert_array_equal(read_image(png16(DEEP), mode="rgba"), ROUNDED)
    pair = read_image(png16(DEEP[..., :2]))
    np.testing.assert_array_equal(pair, ROUNDED[..., :1])  # grey, as with 8 bits
    kept = read_image(png16(DEEP), mode="rgba", window=Window(0, 100))
    np.testing.assert_array_equal(kept[..., 3], ROUNDED[..., 3])  # no window for alpha


def test_orientation_of_deep_images() -> None:
    turned = read_image(png16(DEEP[..., :3], more=exif_chunk(6)))
    np.testing.assert_array_equal(turned, np.rot90(ROUNDED[..., :3], -1))


def test_pil_images_are_read_again_and_again() -> None:
    image = Image.open(BytesIO(png16(DEEP[..., 0])))
    images = [image, Image.open(BytesIO(png16(DEEP[..., 1])))] * 10
    for _ in range(2):
        data = as_dataset([(one, k % 2) for k, one in enumerate(images)])
        assert data.window is not None
        np.testing.assert_array_equal(read_image(image), ROUNDED[..., :1])


def test_a_pil_image_that_was_not_loaded_keeps_its_bits() -> None:
    with Image.open(BytesIO(png16(DEEP[..., :3]))) as image:
        np.testing.assert_array_equal(read_image(image), ROUNDED[..., :3])


@pytest.mark.parametrize("exif", [b"no TIFF header", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"II*"])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG", "TIFF"])
def test_broken_exif_leaves_an_image_readable(form: str, exif: bytes, tmp_path: Path) -> None:
    pixels = noise(0, 8, 12, 3)
    options = {"lossless": True} if form == "WEBP" else {}
    content = encoded(pixels, form, **options if form == "TIFF" else {"exif": exif, **options})
    with strict_pillow():  # silences Pillow's warnings
        whole = np.asarray(Image.open(BytesIO(content)).convert("RGB"))
        found, remark, _ = read_with_remarks(content)
    np.testing.assert_array_equal(found, whole)
    seen_by_pillow = form != "TIFF" and (form != "JPEG" or exif.startswith(b"Exif"))
    assert bool(remark) == seen_by_pillow


def test_broken_exif_is_noted(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", n=6)
    broken = encoded(noise(99, 8, 8, 3), exif=b"no TIFF header")
    (root / "cats/x.png").write_bytes(broken)
    cached = {"cache": tmp_path / "cache"}
    for options in ({}, cached, cached, {"on_demand": True, "size": 8}):
        data = load_data(f"folder:{root}", **options)
        assert [note for note in data.notes if "EXIF" in note] == [
            "1 image: the EXIF data cannot be read, so the image may be turned or mirrored "
            "(cats/x.png)"
        ]


def test_levels_that_one_threshold_separates_stay_apart(tmp_path: Path) -> None:
    data = load_data(f"folder:{deep_folder(tmp_path)}")
    means = data.train.data.mean(axis=(1, 2, 3))
    low = means[data.train.labels == data.classes.index("low")]
    high = means[data.train.labels == data.classes.index("high")]
    assert high.min() - low.max() > 100  # of 255; all levels were 3 and 4 before
    assert data.window is not None
    assert (data.window.images, data.window.sampled) == (40, 24)
    assert "percentiles 0.1 and 99.9 of 24 training images" in data.notes[0]
    assert "--window" in data.notes[0]


@pytest.mark.parametrize("published", [False, True])
def test_the_window_depends_on_training_images_only(tmp_path: Path, published: bool) -> None:
    if published:
        deep_folder(tmp_path / "data", part="train")
        deep_folder(tmp_path / "data", part="test", seed=1)
    else:
        deep_folder(tmp_path / "data")
    source = f"folder:{tmp_path / 'data'}"
    parts = split(load_data(source))
    for k, name in enumerate((*parts.test.names, *parts.validation.names)):
        other = np.random.default_rng(k).choice([0, 60_000], (8, 8))
        (tmp_path / "data" / name).write_bytes(png16(other))
    again = split(load_data(source, leakage="keep"))
    assert again.train.names == parts.train.names
    assert (again.window.low, again.window.high) == (parts.window.low, parts.window.high)


def test_a_given_window_and_the_identity(tmp_path: Path) -> None:
    root = deep_folder(tmp_path / "x")
    source = f"folder:{root}"
    wide, narrow = (load_data(source, window=(low, 1200)) for low in (0, 800))
    assert wide.hash != narrow.hash
    assert (narrow.window.low, narrow.window.high) == (800, 1200)
    assert "as given" in narrow.notes[0]
    stored = np.asarray(Image.open(root / narrow.train.names[0])).astype(int)
    expected = np.floor((stored.clip(800, 1200) - 800) * 255 / 400 + 0.5)
    np.testing.assert_array_equal(narrow.train.data[0, ..., 0], expected)
    cached = [load_data(source, window=(800, 1200), cache=tmp_path / "c") for _ in range(2)]
    assert {one.hash for one in cached} == {narrow.hash}
    assert {one.notes for one in cached} == {narrow.notes}


def test_images_read_on_demand_have_the_same_window(tmp_path: Path) -> None:
    source = f"folder:{deep_folder(tmp_path)}"
    memory = load_data(source, mode="rgb")
    files = load_data(source, on_demand=True, size=8)
    assert files.window == memory.window
    np.testing.assert_array_equal(files.train.data[:5], memory.train.data[:5])
    assert json.dumps(files.train.data.describe())
    other = load_data(source, on_demand=True, size=8, window=(0, 2000))
    assert other.train.data.describe() != files.train.data.describe()


def test_colour_images_get_a_window_too(tmp_path: Path) -> None:
    for name, level in (("a", 900), ("b", 1100)):
        (tmp_path / name).mkdir()
        for i in range(10):
            values = np.full((8, 8, 3), level + i, np.uint16)
            (tmp_path / name / f"{i}.png").write_bytes(png16(values))
    data = load_data(f"folder:{tmp_path}")
    assert np.ptp(data.train.data) == 255


def test_eight_and_sixteen_bits_share_the_whole_range(tmp_path: Path) -> None:
    deep_folder(tmp_path / "x")
    (tmp_path / "x/low/8.png").write_bytes(encoded(noise(0, 8, 8)))
    data = load_data(f"folder:{tmp_path / 'x'}")
    assert (data.window.low, data.window.high) == (0, 65535)
    assert "since 1 other images have 8 bits" in data.notes[0]
    with pytest.raises(DataError, match=r"different kinds: 40 with 16-bit.*8-bit.*low/8\.png"):
        load_data(f"folder:{tmp_path / 'x'}", window=(0, 4095))


def test_thirty_two_bits_and_fractions(tmp_path: Path) -> None:
    for name, level in (("a", 0.25), ("b", 0.75)):
        (tmp_path / name).mkdir()
        for i in range(10):
            image = Image.fromarray(np.full((8, 8), level + i / 1000, np.float32))
            image.save(tmp_path / name / f"{i}.tif")
    data = load_data(f"folder:{tmp_path}")
    assert np.ptp(data.train.data) == 255
    broken = Image.fromarray(np.full((8, 8), np.nan, np.float32))
    broken.save(tmp_path / "a/0.tif")
    with pytest.raises(DataError, match=r"a/0\.tif: pixels that are not finite"):
        load_data(f"folder:{tmp_path}")
    with pytest.raises(BadImageError, match=r"no standard range: pass window="):
        read_image(tmp_path / "b/0.tif")


def test_windows_that_cannot_be_used(tmp_path: Path) -> None:
    eight = f"folder:{class_folders(tmp_path / 'pets')}"
    with pytest.raises(UsageError, match=r"no image of .* has more than 8 bits"):
        load_data(eight, window=(0, 100))
    with pytest.raises(UsageError, match=r"no image of .* has more than 8 bits"):
        load_data(eight, window="percentiles", on_demand=True, size=8)
    for wrong in ((5, 5), (1,), "all", (0, float("inf"))):
        with pytest.raises(UsageError, match="window="):
            load_data(eight, window=wrong)
    shutil.rmtree(tmp_path / "pets")
    with pytest.raises(DataError, match=r"no linear window \(VOI\)"):
        load_data(f"folder:{deep_folder(tmp_path / 'deep', n=5)}", window="voi")


def test_white_is_zero_in_tiff_of_sixteen_bits(tmp_path: Path) -> None:
    values = (np.arange(64).reshape(8, 8) * 1000).astype(np.uint16)
    for name, kind, stored in (("black", 1, values), ("white", 0, 65535 - values)):
        Image.fromarray(stored).save(tmp_path / f"{name}.tif", tiffinfo={262: kind})
        with Image.open(tmp_path / f"{name}.tif") as image:
            assert image.tag_v2[262] == kind
    np.testing.assert_array_equal(
        read_image(tmp_path / "white.tif"), read_image(tmp_path / "black.tif")
    )
