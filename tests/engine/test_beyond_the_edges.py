"""What lies outside an image: its edge repeated, or its mirror image, on every path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from automorph import native
from automorph.engine import apply, apply_native, apply_reference
from automorph.engine.torch import apply_on_device
from automorph.errors import UsageError
from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream

MOVES = SearchSpace("moves", tuple(
    OPERATIONS[name]
    for name in ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "PadCrop",
                 "HorizontalFlip", "VerticalFlip", "Invert", "Cutout")
))  # fmt: skip
SHAPES = [(12, 32, 32, 3), (12, 17, 23, 1), (12, 2, 3, 4), (6, 1, 1, 3), (6, 5, 1, 3)]


def noise(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def drawn(n: int) -> Sequences:
    rng = np.random.default_rng(1)
    return Sequences.of(rng.integers(0, len(MOVES), (n, 4)), rng.random((n, 4)).astype(np.float32))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("fill", ["edge", "reflect"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("mode", ["exact", "fused"])
def test_every_path_gives_the_same(
    shape: tuple[int, ...], fill: str, interpolation: Any, mode: Any
) -> None:
    images, sequences, stream = noise(shape), drawn(shape[0]), Stream(index=np.arange(shape[0]))
    options: dict[str, Any] = {"fill": fill, "interpolation": interpolation, "mode": mode}
    wanted = apply_reference(images, sequences, MOVES, stream, **options)
    for variant in native.variants():
        with native.using(variant):
            found = apply_native(images, sequences, MOVES, stream, **options)
        np.testing.assert_array_equal(found, wanted, err_msg=variant)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    there = apply_on_device(tensor, sequences, MOVES, stream, **options)
    np.testing.assert_array_equal(there.permute(0, 2, 3, 1).numpy(), wanted)


@pytest.mark.parametrize(("fill", "mode"), [("edge", "edge"), ("reflect", "reflect")])
def test_a_crop_is_that_of_a_padded_image(fill: str, mode: Any) -> None:
    images = noise((40, 16, 16, 3))
    crop = SearchSpace("crop", (OPERATIONS["PadCrop"].between(0, 0.25),))
    out = apply(images, Sequences.of([[0]] * 40, 1.0), crop, Stream(index=np.arange(40)), fill=fill)
    padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)), mode=mode)
    for image, whole in zip(out, padded, strict=True):
        windows = (whole[y : y + 16, x : x + 16] for y in range(9) for x in range(9))
        assert any((image == window).all() for window in windows)


@pytest.mark.parametrize(("fill", "mode"), [("edge", "nearest"), ("reflect", "mirror")])
@pytest.mark.parametrize("value", [0.3, -0.8])
def test_a_shear_reads_where_scipy_reads(fill: str, mode: str, value: float) -> None:
    image = noise((1, 20, 20, 1))
    space = SearchSpace("shear", (OPERATIONS["ShearX"].at(value),))
    out = apply(image, Sequences.of([[0]], 1.0), space, Stream(), fill=fill,
                interpolation="bilinear")  # fmt: skip
    y, x = np.mgrid[0:20, 0:20].astype(float)
    theirs = map_coordinates(
        image[0, ..., 0].astype(float), [y, x + value * (y + 0.5)], order=1, mode=mode
    )
    # Ours are truncated, as Pillow's are.
    assert np.abs(out[0, ..., 0] - theirs).max() < 1.01


def test_constant_images_stay_constant() -> None:
    images = np.full((64, 24, 24, 3), 200, np.uint8)
    moves = MOVES.without("Invert", "Cutout")
    sequences = Sequences.of(np.arange(64 * 3).reshape(64, 3) % len(moves), 1.0)
    for fill in ("edge", "reflect"):
        out = apply(images, sequences, moves, Stream(index=np.arange(64)), fill=fill,
                    interpolation="bilinear")  # fmt: skip
        assert (out == 200).all()


def test_other_words_are_refused() -> None:
    images = noise((1, 4, 4, 3))
    with pytest.raises(UsageError, match="got fill='wrap'; expected a number from 0 to 255, 3"):
        apply(images, Sequences.of([[0]]), MOVES, Stream(), fill="wrap")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_cutout_paints_in_its_colour_on_every_path(channels: int) -> None:
    images, colour = noise((20, 12, 12, channels)), (9, 80, 255)[: min(channels, 3)]
    cutout = replace(OPERATIONS["Cutout"], fill=colour)
    space = SearchSpace("cutout", (cutout,))
    sequences, stream = Sequences.of([[0]] * 20, 1.0), Stream(index=np.arange(20))
    wanted = apply_reference(images, sequences, space, stream)
    changed = (wanted != images).any(-1)
    painted = wanted[changed][:, : len(colour)]
    assert len(painted)
    assert (painted == colour).all()
    if channels == 4:
        assert (wanted[..., 3] == images[..., 3]).all()
    for variant in native.variants():
        with native.using(variant):
            found = apply_native(images, sequences, space, stream)
        np.testing.assert_array_equal(found, wanted, err_msg=variant)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    there = apply_on_device(tensor, sequences, space, stream)
    np.testing.assert_array_equal(there.permute(0, 2, 3, 1).numpy(), wanted)


def test_a_colour_must_fit_the_channels() -> None:
    space = SearchSpace("cutout", (replace(OPERATIONS["Cutout"], fill=(1, 2)),))
    for path in (apply_reference, apply):
        with pytest.raises(UsageError, match="3, one for each colour channel of these images"):
            path(noise((1, 8, 8, 3)), Sequences.of([[0]]), space, Stream())
