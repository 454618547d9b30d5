"""One image of any kind to uint8 (H, W, C)."""

from __future__ import annotations

import subprocess
import sys
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import bomb, encoded, noise
from PIL import Image

from automorph.data import read_image
from automorph.data.decoding import read_images
from automorph.data.image_opening import MAX_PIXELS, BadImageError, strict_pillow
from automorph.data.images import image_size
from automorph.errors import DataError

RGB = noise(0, 6, 9, 3)
GREY = noise(1, 6, 9)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "TGA"])
def test_lossless_files_come_back_pixel_for_pixel(form: str) -> None:
    np.testing.assert_array_equal(read_image(encoded(RGB, form)), RGB)
    np.testing.assert_array_equal(read_image(encoded(GREY, form)), GREY[..., None])


def test_webp_lossless_comes_back_pixel_for_pixel() -> None:
    np.testing.assert_array_equal(read_image(encoded(RGB, "WEBP", lossless=True)), RGB)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_not_clipped(form: str) -> None:
    values = np.array([[0, 1, 127, 128, 129, 255, 256, 257, 32767, 65407, 65408, 65535]], np.uint16)

    found = read_image(encoded(values, form))

    expected = np.rint(values / 65535 * 255).astype(np.uint8)
    np.testing.assert_array_equal(found[..., 0], expected)


def test_palette_images_become_rgb() -> None:
    palette = Image.fromarray(RGB).quantize(16)
    for form in ("PNG", "GIF"):
        stream = BytesIO()
        palette.save(stream, form)
        np.testing.assert_array_equal(
            read_image(stream.getvalue()), np.asarray(palette.convert("RGB"))
        )


def test_palette_with_transparency_gives_no_warning() -> None:
    palette = Image.fromarray(RGB).quantize(16)
    stream = BytesIO()
    palette.save(stream, "PNG", transparency=bytes(range(16)))
    images, bad = read_images([stream.getvalue()])
    assert images.shape == (1, 6, 9, 3)
    assert not bad


def test_cmyk_jpeg_becomes_rgb() -> None:
    flat = np.full((8, 8, 3), (200, 40, 90), np.uint8)
    stream = BytesIO()
    Image.fromarray(flat).convert("CMYK").save(stream, "JPEG", quality=95)

    found = read_image(stream.getvalue())

    assert found.shape == (8, 8, 3)
    assert np.abs(found.astype(int) - flat).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(orientation: int, form: str) -> None:
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :8] = 255  # one bright corner, at the top left
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(undo[orientation](upright))
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if form == "WEBP" else {}
    data = encoded(stored, form, exif=exif, **lossless)

    found = read_image(data)

    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 8
    assert image_size(data) == upright.shape[:2]


def test_one_bit_and_grey_alpha_are_grey() -> None:
    bits = Image.fromarray(GREY > 127)
    assert bits.mode == "1"
    np.testing.assert_array_equal(read_image(bits)[..., 0], (GREY > 127) * np.uint8(255))
    pair = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(GREY[::-1])])
    np.testing.assert_array_equal(read_image(pair)[..., 0], GREY)


def test_alpha_is_kept_only_when_asked_for() -> None:
    rgba = noise(2, 5, 5, 4)
    np.testing.assert_array_equal(read_image(encoded(rgba)), rgba[..., :3])
    np.testing.assert_array_equal(read_image(encoded(rgba), mode="rgba"), rgba)
    with pytest.raises(BadImageError, match="no alpha"):
        read_image(encoded(RGB), mode="rgba")


def test_mode_turns_grey_to_rgb_and_back() -> None:
    np.testing.assert_array_equal(
        read_image(encoded(GREY), mode="rgb"), GREY[..., None].repeat(3, 2)
    )
    grey = np.asarray(Image.fromarray(RGB).convert("L"))[..., None]
    np.testing.assert_array_equal(read_image(encoded(RGB), mode="grey"), grey)


def test_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(np.full((4, 4), v, np.uint8)) for v in (10, 200)]
    stream = BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    assert (read_image(stream.getvalue()) == 10).all()


def test_size_covers_and_crops_at_the_centre() -> None:
    pixels = np.zeros((40, 80), np.uint8)
    pixels[:, 20:60] = 255  # the middle square
    assert (read_image(pixels, size=(20, 20))[2:-2, 2:-2] == 255).all()
    assert read_image(encoded(RGB), size=(12, 5)).shape == (12, 5, 3)


def test_arrays_and_pil_images_are_read_like_files() -> None:
    np.testing.assert_array_equal(read_image(RGB), RGB)
    np.testing.assert_array_equal(read_image(Image.fromarray(RGB)), RGB)
    with pytest.raises(BadImageError, match="float32"):
        read_image(RGB.astype(np.float32))


def test_reading_changes_nothing_in_pillow() -> None:
    before = (list(warnings.filters), Image.MAX_IMAGE_PIXELS)
    images, bad = read_images([encoded(RGB), bomb(), bomb(9500, 9500)])
    assert len(images) == 1
    assert set(bad) == {1, 2}
    assert before == (list(warnings.filters), Image.MAX_IMAGE_PIXELS)


def test_bombs_are_refused_before_they_are_decoded() -> None:
    for width, height in ((50_000, 50_000), (9500, 9500)):
        assert width * height > MAX_PIXELS
        with strict_pillow(), pytest.raises(BadImageError, match="limit of 89,478,485 pixels"):
            read_image(bomb(width, height))


def test_no_interpreter_is_started_for_a_disguised_eps(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    stream = BytesIO()
    Image.fromarray(RGB).save(stream, "EPS")
    path.write_bytes(stream.getvalue())
    with pytest.raises(BadImageError, match="not an image"):
        read_image(path)


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA"]),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=12),
    cut=st.floats(0, 1),
)
def test_damage_of_any_kind_is_reported_or_survived(
    form: str, flips: list[tuple[int, int]], cut: float
) -> None:
    data = bytearray(encoded(RGB, form))
    for at, bits in flips:
        data[at % len(data)] ^= bits
    with strict_pillow():
        try:
            found = read_image(bytes(data[: int(len(data) * cut)]))
        except BadImageError:
            return
    assert found.dtype == np.uint8
    assert found.ndim == 3


def test_a_batch_is_grey_only_if_all_are() -> None:
    grey, colour = noise(3, 4, 4), noise(4, 4, 4, 3)
    assert read_images([grey, grey])[0].shape == (2, 4, 4, 1)
    mixed = read_images([grey, colour, grey])[0]
    np.testing.assert_array_equal(mixed[1], colour)
    np.testing.assert_array_equal(mixed[2], grey[..., None].repeat(3, 2))
    assert mixed.flags.c_contiguous


@pytest.mark.parametrize("side", [8, 128])  # below and above the size at which threads start
def test_many_images_keep_their_order_and_bad_ones_are_all_found(side: int) -> None:
    pictures = [noise(i, side, side) for i in range(200)]
    for i, picture in enumerate(pictures):
        picture[0, 0] = i
    sources = [encoded(picture) for picture in pictures]
    sources[7] = b""
    sources[150] = sources[150][: len(sources[150]) // 2]
    sources[199] = b"not a picture"

    images, bad = read_images(sources)

    assert images[:, 0, 0, 0].tolist() == [i for i in range(200) if i not in (7, 150, 199)]
    assert sorted(bad) == [7, 150, 199]
    assert bad[7] == "zero bytes"
    assert "truncated" in bad[150]


def test_sizes_are_counted() -> None:
    sources = [np.zeros((4, 6), np.uint8)] * 3 + [encoded(noise(1, 5, 5))]
    with pytest.raises(
        DataError, match=r"2 different sizes \(height x width\): 4x6 \(3\), 5x5 \(1\)"
    ):
        read_images(sources)
    assert read_images(sources, size=(4, 4))[0].shape == (4, 4, 4, 1)


def test_a_bar_is_shown_only_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    read_images([np.zeros((2, 2), np.uint8)] * 3000)
    assert capfd.readouterr() == ("", "")


def test_importing_the_room_stays_light() -> None:
    code = (
        "import sys, automorph.data as data, numpy as np; "
        "data.from_arrays(np.arange(16, dtype=np.uint8).reshape(4, 2, 2), [0, 1, 0, 1]); "
        "heavy = {'torch', 'datasets', 'pandas', 'pyarrow', 'rich', 'sklearn'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
