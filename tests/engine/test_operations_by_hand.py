"""Operations that torchvision's policies lack, against PIL, SciPy and manual results."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from scipy import ndimage
from torchvision.transforms import InterpolationMode, functional

from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream
from automorph.operations.colour import from_hsv, to_hsv
from pil_oracle import from_pil, to_pil

Batch = NDArray[np.uint8]
Engine = Callable[..., Batch]


def run(
    apply: Engine, name: str, images: Batch, value: float | None = None, **options: object
) -> Batch:
    """Apply an operation of the catalogue at a fixed value to every image."""
    operation = OPERATIONS[name] if value is None else OPERATIONS[name].at(value)
    sequences = Sequences.of(np.zeros((len(images), 1), np.int16))
    stream = Stream(seed=4, index=np.arange(len(images)))
    return apply(images, sequences, SearchSpace("one", (operation,)), stream, **options)


def uniforms(n: int, count: int) -> NDArray[np.float64]:
    """The uniform numbers of draws 1, 2, ... of ``run``."""
    return Stream(seed=4, index=np.arange(n)).uniform("op", count, start=1).astype(np.float64)


def grey_line(*levels: int) -> Batch:
    return np.array(levels, np.uint8).reshape(1, 1, -1, 1)


def line(image: Batch) -> list[int]:
    return image.reshape(-1).tolist()


def test_tables_by_hand(apply: Engine) -> None:
    some = grey_line(0, 5, 127, 128, 200, 255)
    assert line(run(apply, "Invert", some)) == [255, 250, 128, 127, 55, 0]
    assert line(run(apply, "Solarize", some, 128)) == [0, 5, 127, 127, 55, 0]
    assert line(run(apply, "Solarize", some, 0)) == [255, 250, 128, 127, 55, 0]
    assert line(run(apply, "SolarizeAdd", some, 30)) == [30, 35, 157, 128, 200, 255]
    assert line(run(apply, "SolarizeAdd", some, 130)) == [130, 135, 255, 128, 200, 255]
    assert line(run(apply, "Posterize", some, 1)) == [0, 0, 0, 128, 128, 128]
    assert line(run(apply, "Posterize", some, 4)) == [0, 0, 112, 128, 192, 240]
    assert line(run(apply, "Posterize", some, 0)) == [0] * 6
    assert line(run(apply, "Brightness", some, 0.5)) == [0, 2, 63, 64, 100, 127]
    assert line(run(apply, "Brightness", some, 2)) == [0, 10, 254, 255, 255, 255]
    assert line(run(apply, "AutoContrast", grey_line(10, 20, 30))) == [0, 127, 255]
    assert line(run(apply, "AutoContrast", grey_line(7, 7))) == [7, 7]
    assert line(run(apply, "Contrast", grey_line(0, 100), 0.5)) == [25, 75]


def test_flips(apply: Engine, colour_images: Batch) -> None:
    for options in ({}, {"interpolation": "bilinear"}):
        flipped = run(apply, "HorizontalFlip", colour_images, **options)
        np.testing.assert_array_equal(flipped, colour_images[:, :, ::-1])
        flipped = run(apply, "VerticalFlip", colour_images, **options)
        np.testing.assert_array_equal(flipped, colour_images[:, ::-1])


def test_cutout(apply: Engine, colour_images: Batch) -> None:
    images = np.ascontiguousarray(colour_images[:, :, :24])
    out = run(apply, "Cutout", images, 0.3)
    side = int(0.3 * 24)
    u = uniforms(len(images), 2)
    for image, result, (ux, uy) in zip(images, out, u, strict=True):
        left, top = int(ux * 24) - side // 2, int(uy * 32) - side // 2
        expected = image.copy()
        expected[max(top, 0) : top + side, max(left, 0) : left + side] = 128
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_pad_crop(apply: Engine, colour_images: Batch, interpolation: str) -> None:
    images = np.ascontiguousarray(colour_images[:, :20])
    out = run(apply, "PadCrop", images, 0.2, fill=[9, 8, 7], interpolation=interpolation)
    pad_x, pad_y = round(0.2 * 32), round(0.2 * 20)
    for image, result, (ux, uy) in zip(images, out, uniforms(len(images), 2), strict=True):
        padded = functional.pad(to_pil(image), [pad_x, pad_y], fill=(9, 8, 7))
        left, top = int(ux * (2 * pad_x + 1)), int(uy * (2 * pad_y + 1))
        expected = from_pil(functional.crop(padded, top, left, 20, 32))
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("value", [0.08, 0.5, 0.97])
def test_resized_crop(
    apply: Engine, colour_images: Batch, grey_images: Batch, value: float
) -> None:
    for images in (np.ascontiguousarray(colour_images[:, :25]), grey_images):
        height, width = images.shape[1:3]
        out = run(apply, "ResizedCrop", images, value)
        shares = []
        for image, result, u in zip(images, out, uniforms(len(images), 4), strict=True):
            area = value + (1 - value) * u[0]
            log = (2 * u[1] - 1) * min(math.log(4 / 3), -math.log(area))
            w = min(width, round(width * math.sqrt(area * math.exp(log))))
            h = min(height, round(height * math.sqrt(area * math.exp(-log))))
            left, top = int(u[2] * (width - w + 1)), int(u[3] * (height - h + 1))
            expected = functional.resized_crop(
                to_pil(image), top, left, h, w, [height, width], InterpolationMode.BILINEAR
            )
            np.testing.assert_array_equal(result, from_pil(expected))
            shares.append(w * h / (width * height))
        assert min(shares) > value - 0.05
        assert max(shares) <= 1


@pytest.mark.parametrize("value", [-0.5, -0.31, -0.001, 0.002, 0.1, 0.25, 0.5])
def test_hue(apply: Engine, colour_images: Batch, grey_images: Batch, value: float) -> None:
    out = run(apply, "Hue", colour_images, value)
    expected = [from_pil(functional.adjust_hue(to_pil(image), value)) for image in colour_images]
    np.testing.assert_array_equal(out, np.stack(expected))
    np.testing.assert_array_equal(run(apply, "Hue", grey_images, value), grey_images)
    np.testing.assert_array_equal(run(apply, "Color", grey_images, 0.3), grey_images)


def test_hsv_of_many_colours() -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (1, 512, 512, 3), dtype=np.uint8)
    colours[:, :64] //= 16
    hsv = np.stack(to_hsv(colours), axis=3)
    image = Image.fromarray(colours[0])
    np.testing.assert_array_equal(hsv[0], np.asarray(image.convert("HSV")))
    back = np.asarray(image.convert("HSV").convert("RGB"))
    np.testing.assert_array_equal(from_hsv(*np.moveaxis(hsv, 3, 0))[0], back)


@pytest.mark.parametrize("value", [0.1, 0.4, 1.0, 2.5])
def test_blur(apply: Engine, colour_images: Batch, value: float) -> None:
    """torchvision blurs in float32, so halves can be rounded the other way."""
    out = run(apply, "Blur", colour_images, value)
    size = 2 * math.ceil(3 * value) + 1
    tensor = torch.from_numpy(colour_images).permute(0, 3, 1, 2)
    theirs = (
        functional.gaussian_blur(tensor, [size, size], [value, value]).permute(0, 2, 3, 1).numpy()
    )
    apart = np.abs(out.astype(int) - theirs)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


@pytest.mark.parametrize("value", [1, 2, 3])
def test_erosion_and_dilation(apply: Engine, colour_images: Batch, value: int) -> None:
    cross = ndimage.generate_binary_structure(2, 1)
    diamond = ndimage.iterate_structure(cross, value)[None, :, :, None]
    np.testing.assert_array_equal(
        run(apply, "Dilation", colour_images, value),
        ndimage.grey_dilation(colour_images, footprint=diamond, mode="nearest"),
    )
    np.testing.assert_array_equal(
        run(apply, "Erosion", colour_images, value),
        ndimage.grey_erosion(colour_images, footprint=diamond, mode="nearest"),
    )


def test_noise_is_normal(apply: Engine) -> None:
    images = np.full((20, 32, 32, 3), 128, np.uint8)
    added = run(apply, "Noise", images, 0.1).astype(float) - 128
    assert abs(added.mean()) < 0.3
    assert abs(added.std() - 25.5) < 0.3
    assert abs((np.abs(added) < 25.5).mean() - 0.683) < 0.02
    flat = added.reshape(-1)
    assert abs(np.corrcoef(flat[:-1], flat[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(added[0].reshape(-1), added[1].reshape(-1))[0, 1]) < 0.06


def test_zoom(apply: Engine) -> None:
    images = np.array([[10, 20, 30, 40]], np.uint8).reshape(1, 1, 4, 1)
    assert line(run(apply, "Zoom", images, 2)) == [18, 23, 28, 33]  # 17.5, 22.5, ... half up
    assert line(run(apply, "Zoom", images, 0.5)) == [10, 15, 35, 40]


def test_swirl_turns_the_middle_counter_clockwise(apply: Engine) -> None:
    images = np.zeros((1, 41, 41, 1), np.uint8)
    images[0, 20, 20:25] = 255  # a line from the centre to the right
    out = run(apply, "Swirl", images, math.pi / 2)[0, ..., 0]
    assert out[17:19, 19:22].sum() > 3 * out[22:24, 19:22].sum()  # now upwards
    corner = np.zeros((1, 41, 41, 1), np.uint8)
    corner[0, :9, :9] = 255
    assert run(apply, "Swirl", corner, 0.5)[0, :3, :3].mean() > 200  # far parts hardly move


def test_elastic_moves_smoothly_and_not_too_far(apply: Engine) -> None:
    ramp = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (128, 1))
    across = np.tile(ramp[None, :, :, None], (30, 1, 1, 1))
    moved = run(apply, "Elastic", across, 0.1).astype(int) - across
    inner = moved[:, 20:-20, 20:-20, 0] / 2.0  # pixels along x
    assert 1.0 < np.abs(inner).mean() < 12.8
    assert np.abs(inner).max() <= 12.8 + 1
    assert np.abs(np.diff(inner, axis=1)).max() <= 1.5


def test_random_erasing(apply: Engine, colour_images: Batch) -> None:
    out = run(apply, "RandomErasing", colour_images, 0.4)
    changed = (out != colour_images).any(3)
    share = changed.mean((1, 2))
    assert share.max() < 0.42
    assert abs(share.mean() - 0.2) < 0.03
    for mask, image in zip(changed[:50], out[:50], strict=True):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(rows) > 3 and len(columns) > 3:
            box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.95
            assert abs(box.mean() - 127.5) < 40


def test_sample_pairing(apply: Engine, colour_images: Batch) -> None:
    out = run(apply, "SamplePairing", colour_images, 0.3)
    partners = (uniforms(200, 1)[:, 0] * 200).astype(int)
    for image, partner, result in zip(colour_images, partners, out, strict=True):
        expected = Image.blend(to_pil(image), to_pil(colour_images[partner]), 0.3)
        np.testing.assert_array_equal(result, from_pil(expected))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_alpha_is_kept_by_colours_and_moved_by_moves(
    apply: Engine, colour_images: Batch, name: str
) -> None:
    rng = np.random.default_rng(0)
    alpha = rng.integers(0, 256, (*colour_images.shape[:3], 1), dtype=np.uint8)
    images = np.concatenate([colour_images, alpha], axis=3)
    operation = OPERATIONS[name]
    value = None if operation.magnitude_free else float(operation.values(0.9, 1.0))
    out = run(apply, name, images, value)
    as_rgb = run(apply, name, colour_images, value)
    if name not in ("Noise", "RandomErasing", "Mixup"):
        np.testing.assert_array_equal(out[..., :3], as_rgb)
    if name == "Mixup":  # Another example is blended in, alpha too, by a weight for the shape.
        return
    moves = ("Shear", "Translate", "Rotate", "Flip", "Crop", "Zoom", "Swirl", "Elastic", "Pairing",
             "Affine", "D4", "Transpose", "Perspective", "Distortion")  # fmt: skip
    if any(word in name for word in moves):
        np.testing.assert_array_equal(out[..., 3:], run(apply, name, alpha, value))
    else:
        np.testing.assert_array_equal(out[..., 3:], alpha)


@pytest.mark.parametrize("name", ["Brightness", "Contrast", "Color", "Sharpness"])
def test_enhancers_of_rgba_are_those_of_pil(apply: Engine, colour_images: Batch, name: str) -> None:
    rng = np.random.default_rng(0)
    alpha = rng.integers(0, 256, (20, 32, 32, 1), dtype=np.uint8)
    images = np.concatenate([colour_images[:20], alpha], axis=3)
    enhancer = getattr(ImageEnhance, name)
    for value in (0.01, 0.6, 1.7):
        expected = [from_pil(enhancer(to_pil(image)).enhance(value)) for image in images]
        np.testing.assert_array_equal(run(apply, name, images, value), np.stack(expected))
