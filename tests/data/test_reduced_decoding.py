"""JPEG files decoded at the scale that the size allows, and what says so."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automorph.data import Resizing, load_data, read_image, split, with_unlabelled
from automorph.data.cut import Cut, scale_for
from automorph.data.images import read_with_remarks
from automorph.errors import UsageError
from automorph.training import Task, as_task, decode_begun, decoded_as, task_identity, train

REDUCED = Resizing(decode="reduced")


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth colours with edges: what photographs are made of."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    image = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).copy()
    image[height // 3 : height // 2, width // 4 : width // 2] = rng.integers(0, 256, 3)
    return Image.fromarray(image)


def jpeg(width: int = 200, height: int = 150, *, orientation: int = 1, seed: int = 0) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    picture(width, height, seed).save(stream, "JPEG", quality=90, exif=exif)
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(24):
        home = tmp_path / "photos" / ("cats", "dogs")[number % 2]
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{number}.jpg").write_bytes(jpeg(seed=number))
    return tmp_path / "photos"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("sides", [(201, 151), (155, 207)])
def test_pixels_hardly_differ_and_are_not_shifted(sides, orientation):
    content = jpeg(*sides, orientation=orientation)
    for size in ((32, 32), (20, 36)):
        for box in (None, lambda whole: (3, 5, whole[0] - 11, whole[1] - 7)):
            whole = read_with_remarks(content, size=size, box=box)
            found = read_with_remarks(content, size=size, box=box, resizing=REDUCED)
            assert (whole.scale, found.scale) == (1, 4)
            apart = np.abs(whole.pixels.astype(int) - found.pixels)
            assert apart.mean() < 1.2
            shifted = np.abs(np.roll(whole.pixels, 1, 1).astype(int) - found.pixels)
            assert apart.mean() < shifted.mean() / 3


def test_scale_is_the_smallest_that_covers_the_size():
    found = {
        side: read_with_remarks(jpeg(256, 256), size=(side, side), resizing=REDUCED).scale
        for side in (16, 32, 33, 64, 65, 128, 129, 256, 300)
    }
    assert found == {16: 8, 32: 8, 33: 4, 64: 4, 65: 2, 128: 2, 129: 1, 256: 1, 300: 1}
    assert scale_for((0.0, 0.0, 100.0, 63.0), (32, 32)) == 1


def test_crop_share_counts_only_what_is_kept():
    half = Resizing("bicubic", 0.5, "reduced")
    assert read_with_remarks(jpeg(256, 256), size=(64, 64), resizing=half).scale == 2


def test_other_files_and_full_decoding_stay_as_they_were():
    stream = io.BytesIO()
    picture(200, 150).save(stream, "PNG")
    for content in (stream.getvalue(), picture(200, 150), np.asarray(picture(200, 150))):
        found = read_with_remarks(content, size=(32, 32), resizing=REDUCED)
        assert found.scale == 1
        np.testing.assert_array_equal(found.pixels, read_image(content, size=(32, 32)))
    assert Cut(None, None, REDUCED).of(picture(8, 9)).size == (8, 9)
    with pytest.raises(UsageError, match="decode='fast'"):
        Resizing(decode="fast")  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk(mode):
    stream = io.BytesIO()
    picture(256, 256).convert(mode).save(stream, "JPEG", quality=95)
    whole, found = (
        read_with_remarks(stream.getvalue(), size=(32, 32), resizing=Resizing(decode=one))
        for one in ("exact", "reduced")
    )
    assert found.scale == 8
    assert found.pixels.shape == whole.pixels.shape
    assert np.abs(whole.pixels.astype(int) - found.pixels).mean() < 2


def test_data_say_how_they_were_decoded(folder):
    source = f"folder:{folder}"
    data, exact = load_data(source, size=32), load_data(source, size=32, decode="exact")
    assert data.resizing == REDUCED
    assert exact.resizing is None
    assert any("--decode exact" in note for note in data.notes)
    assert not any("--decode" in note for note in exact.notes)
    assert data.hash != exact.hash
    # Nothing is said where nothing was reduced.
    assert load_data(source, size=96).resizing is None
    files = load_data(source, size=32, on_demand=True)
    assert files.resizing == REDUCED
    np.testing.assert_array_equal(np.asarray(files.train.data), data.train.data)
    assert load_data(source, size=96, on_demand=True).resizing is None
    more = with_unlabelled(split(exact), source, size=32)
    np.testing.assert_array_equal(more.unlabelled.data[0], exact.train.data[0])


def task_for(folder: Path, run: Path, **options: object) -> Task:
    recipe = {"epochs": 1}
    return as_task(
        f"folder:{folder}", size=32, model="cnn:4", recipe=recipe, run_folder=run, **options
    )


def test_runs_go_on_as_they_were_begun(folder, tmp_path):
    """A run of an earlier version recorded nothing, and decoded in full."""
    assert decode_begun(tmp_path) is None
    for decode in ("exact", "reduced"):
        run = tmp_path / decode
        task = task_for(folder, run, decode=decode)
        train(task, None, folder=run, progress=False)
        assert decode_begun(run) == decoded_as(run) == decode
        again = task_for(folder, run)
        assert task_identity(again) == task_identity(task)
        resized = task_identity(task)["data"].get("resizing")
        assert resized == (None if decode == "exact" else REDUCED.to_dict())
