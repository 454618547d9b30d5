"""Single compiled operations give the pixels of the reference path, in place and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from native_programs import pictures
from numpy.typing import NDArray

from automorph import native
from automorph.engine import apply_native, apply_reference
from automorph.operations import KERNELS, OPERATIONS, Operation, SearchSpace, Sequences, Stream

# As many as shapes would meet each of them with one shape only.
OUTSIDE = (
    ("nearest", 7),
    ("bilinear", 7),
    ("nearest", "edge"),
    ("bilinear", "edge"),
    ("nearest", 200),
    ("nearest", "reflect"),
    ("bilinear", "reflect"),
)
COMPILED = tuple(
    name
    for name in OPERATIONS
    if KERNELS[OPERATIONS[name].kernel].compiled and KERNELS[OPERATIONS[name].kernel].native is None
)
DRAWN = tuple(name for name in OPERATIONS if KERNELS[OPERATIONS[name].kernel].native is not None)
SHAPES = ((1, 1), (1, 9), (7, 1), (2, 3), (19, 37), (30, 24))
SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "GaussianBlur": ({"sigma": (0.0, 0.0)}, {"sigma": (0.5, 9.0)}, {"side": (3, 9)}),
    "BoxBlur": ({"side": (3, 41)}, {"side": (65, 71)}),
    "MedianBlur": ({"side": (5, 15)}, {"side": (15, 19)}),
    "MotionBlur": ({"side": (9, 31), "shifted": 0},),
    "BrightnessContrast": ({"by": "mean", "contrast": (-2, 3)},),
    "HueSaturationValue": ({"rule": "multiply", "saturation": (0.5, 2), "value": (0.5, 2)},
                           {"hue": (-1, 1), "saturation": (-200, 200), "value": (-99, 99)}),
    "CLAHE": ({"clip": (0.01, 3.0), "tiles": (1, 1)}, {"clip": (40.0, 1e4), "tiles": (3, 64)}),
    "Erasing": (
        {"content": "noise", "count": (0, 3)}, {"content": "normal", "deviation": (40.0,)},
        {"draws": "kornia", "ratio": (0.5, 0.9), "content": "one-normal", "deviation": (70.0,)},
        {"draws": "kornia", "fill": (9.6,)}, {"draws": "albumentations", "scale": (0.1, 0.9)},
    ),
    "CoarseDropout": (
        {"unit": "share", "height": (0.1, 0.5), "width": (0.0, 0.9), "content": "normal",
         "fill": (128.0,), "deviation": (30.0,)},
        {"content": "noise", "count": (5, 9), "height": (1.0, 30.0), "width": (2.0, 3.0)},
    ),
    "Affine": ({"order": "albumentations", "rotate": (-180, 180), "shear_x": (-40, 40)},),
    "RandomCrop": ({"height": 5.0, "width": 3.0, "unit": "px"},),
    "RandomResizedCrop": ({"scale": (0.01, 0.1)},),
    "Perspective": ({"scale": 1.0},),
    "GridDistortion": ({"steps": 3, "limit": (-0.9, 2.0)}, {"normalized": 0}),
    "OpticalDistortion": ({"mode": "fisheye", "limit": (-3, 3)},),
    "ElasticTransform": ({"noise": "uniform", "sigma": 2.0, "alpha_x": 20.0, "alpha_y": 9.0},),
}  # fmt: skip
"""Other settings than an operation's own, as imported pipelines have them."""


@dataclass(frozen=True)
class _Case:
    """An operation on images of some shape, in one of the ways to resample."""

    operation: Operation
    number: int

    def through(self, apply: Any) -> NDArray[np.uint8]:
        """Return the images after the operation, at magnitudes from 0 to 1."""
        k = self.number
        rng = np.random.default_rng(k)
        images = pictures(rng, (5, *SHAPES[k % len(SHAPES)], (1, 3, 4)[k // len(SHAPES)]))
        interpolation, fill = OUTSIDE[k % len(OUTSIDE)]
        return _applied(
            apply, images, self.operation, interpolation=interpolation, fill=fill, seed=k
        )

    @cache  # noqa: B019 - the cases are few, and compared with every variant
    def expected(self) -> NDArray[np.uint8]:
        """Return what the reference path makes."""
        return self.through(apply_reference)


def _cases(name: str) -> list[_Case]:
    own = OPERATIONS[name]
    others = [own.with_settings(**settings) for settings in SETTINGS.get(name, ())]
    for settings in SETTINGS.get(name, ()):
        assert set(settings) <= set(KERNELS[name].settable)
    return [_Case(one, k) for one in (own, *others) for k in range(3 * len(SHAPES))]


def _applied(
    apply: Any, images: NDArray[np.uint8], operation: Operation, *, seed: int, **options: Any
) -> NDArray[np.uint8]:
    magnitude = np.linspace(0, 1, len(images))[:, None]
    sequences = Sequences.of(np.zeros((len(images), 1), np.int16), magnitude)
    stream = Stream(seed=seed, epoch=3, index=np.arange(len(images)) * 7919, copy=2)
    out: NDArray[np.uint8] = apply(
        images, sequences, SearchSpace("one", (operation,)), stream, **options
    )
    return out


@pytest.mark.parametrize("name", COMPILED)
def test_pixels_are_those_of_the_reference_path(variant: str, name: str) -> None:
    for case in _cases(name):
        np.testing.assert_array_equal(case.through(apply_native), case.expected(), str(case))


@pytest.mark.parametrize("name", COMPILED)
def test_photographs(variant: str, name: str) -> None:
    """Smooth images with fine detail, where rounding is often close."""
    rng = np.random.default_rng(1)
    coarse = np.kron(rng.integers(0, 256, (2, 14, 14, 3)), np.ones((1, 8, 8, 1)))
    images = np.clip(coarse + rng.normal(0, 3, coarse.shape), 0, 255).astype(np.uint8)
    for interpolation in ("nearest", "bilinear"):
        ours, theirs = (
            _applied(apply, images, OPERATIONS[name], interpolation=interpolation, seed=5)
            for apply in (apply_native, apply_reference)
        )
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", COMPILED)
def test_some_rows_at_any_position(variant: str, name: str) -> None:
    rng = np.random.default_rng(2)
    images = pictures(rng, (6, 17, 20, 3))
    space = SearchSpace("two", (OPERATIONS[name], OPERATIONS["Invert"]))
    # Each row is a sequence of 1: Invert, 0: the operation, -1: nothing.
    sequences = Sequences.of(
        [[1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 0, 0], [-1, 0, 1], [1, -1, 0]], 0.7
    )
    stream = Stream(seed=4, index=np.arange(6))
    for prefixes in (False, True):
        ours, theirs = (
            apply(images, sequences, space, stream, prefixes=prefixes)
            for apply in (apply_native, apply_reference)
        )
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_values(variant: str, name: str) -> None:
    """Imported pipelines draw values that the magnitude does not decide."""
    rng = np.random.default_rng(3)
    images = pictures(rng, (6, 17, 20, 3))
    space = SearchSpace("two", (OPERATIONS[name].with_settings(value="drawn"), OPERATIONS["Hue"]))
    sequences = Sequences.of([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [0, 0]], 0.5)
    for options in ({}, {"mode": "fused"}, {"prefixes": True}, {"interpolation": "bilinear"}):
        ours, theirs = (
            apply(images, sequences, space, Stream(seed=9, index=np.arange(6)), **options)
            for apply in (apply_native, apply_reference)
        )
        np.testing.assert_array_equal(ours, theirs)


def test_kinds_are_those_of_the_header() -> None:
    path = native.__path__[0] + "/core/steps.hpp"
    with open(path, encoding="utf-8") as file:
        body = file.read().split("enum Kind")[1].split("{")[1].split("}")[0]
    names = [line.strip(" ,") for line in body.splitlines() if line.strip()]
    assert [name.lower().replace("_", "-") for name in names] == list(native.KINDS)
