"""Images resized as a pretrained network wants them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from picture_files import noise
from PIL import Image, ImageOps

from automorph.data import Resizing, load_data, read_image, split, with_unlabelled
from automorph.data.cache import Store
from automorph.data.decoding import decode_images
from automorph.data.resizing import COVER
from automorph.errors import UsageError

BICUBIC = Resizing("bicubic", 0.875)


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture without sharp edges, in which a shift by part of a pixel changes little."""
    small = Image.fromarray(noise(seed, 6, 8, 3))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path):
    for number in range(24):
        home = tmp_path / "ab"[number % 2]
        home.mkdir(exist_ok=True)
        pixels = smooth(60 + number, 90, seed=number)
        Image.fromarray(pixels).save(home / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("shape", [(375, 500), (500, 375), (300, 300), (120, 200)])
def test_the_default_gives_the_pixels_of_before(shape):
    image = Image.fromarray(smooth(*shape))

    found = read_image(image, size=(64, 64))

    wanted = ImageOps.fit(image, (64, 64), method=Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(found, np.asarray(wanted))


@pytest.mark.parametrize("shape", [(375, 500), (500, 375), (256, 256)])
def test_a_pretrained_networks_resizing_is_that_of_timm(shape):
    timm_data = pytest.importorskip("timm.data")
    image = Image.fromarray(smooth(*shape))
    transform = timm_data.create_transform(
        (3, 224, 224), crop_pct=0.875, interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1)
    )
    wanted = 255 * transform(image).numpy().transpose(1, 2, 0)

    found = read_image(image, size=(224, 224), resizing=BICUBIC).astype(float)

    # timm rounds the place of the crop to whole pixels.
    assert np.abs(found - wanted).mean() < 1
    other = read_image(image, size=(224, 224)).astype(float)
    assert np.abs(other - wanted).mean() > 5


def test_an_image_that_has_the_size_is_left_alone():
    pixels = noise(0, 32, 32, 3)

    np.testing.assert_array_equal(read_image(pixels, size=(32, 32), resizing=BICUBIC), pixels)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    found = read_image(stream.getvalue(), size=(32, 32), resizing=BICUBIC)
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("wrong", [{"interpolation": "cubic"}, {"crop_share": 0}])
def test_other_values_are_refused(wrong):
    with pytest.raises(UsageError, match="expected"):
        Resizing(**wrong)


def test_the_choice_is_noted_and_part_of_the_identity(folder):
    plain = load_data(f"folder:{folder}", size=48)
    chosen = load_data(f"folder:{folder}", size=48, resizing=BICUBIC)

    assert plain.resizing is None
    assert chosen.resizing == BICUBIC
    assert plain.hash != chosen.hash
    assert not any("resized" in note for note in plain.notes)
    assert any("bicubic" in note and "87.5 %" in note for note in chosen.notes)
    assert split(chosen).resizing == BICUBIC


def test_files_read_on_demand_give_the_same_pixels(folder):
    there = load_data(f"folder:{folder}", size=48, resizing=BICUBIC)

    files = load_data(f"folder:{folder}", size=48, resizing=BICUBIC, on_demand=True)

    np.testing.assert_array_equal(files.train.data[:], there.train.data)
    assert files.train.data.describe()["resizing"] == BICUBIC.to_dict()
    plain = load_data(f"folder:{folder}", size=48, on_demand=True)
    assert "resizing" not in plain.train.data.describe()


def test_unlabelled_images_are_resized_like_the_others(folder):
    data = split(load_data(f"folder:{folder}", size=48, resizing=BICUBIC))

    more = with_unlabelled(data, f"folder:{folder}", size=48)

    wanted = set(data.train.digests.tolist())
    assert wanted <= set(more.unlabelled.digests.tolist())


def test_a_cache_of_other_pixels_is_not_used(folder, tmp_path):
    sources = sorted(folder.glob("*/*.png"))
    cache = tmp_path / "cache"

    plain = decode_images(sources, size=(48, 48), cache=cache)
    chosen = decode_images(sources, size=(48, 48), cache=cache, resizing=BICUBIC)

    assert (plain.images != chosen.images).any()
    # A cache of an earlier version is found.
    assert Store.of(cache, sources, None, (48, 48)).load() is not None
    again = decode_images(sources, size=(48, 48), cache=cache, resizing=COVER)
    np.testing.assert_array_equal(again.images, plain.images)
