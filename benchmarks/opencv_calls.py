"""The OpenCV calls that do the work of each operation, on one image ``(H, W, 3)`` into another.

What depends only on the size or on the drawn numbers (maps, kernels, tables) is made beforehand
where OpenCV's users would keep it too; what an image needs anew is inside the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

Call = Callable[[Any, Any], Any]
"""Reads the first image and writes the second."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13
_EDGE, _MIRROR = cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101


def calls(side: int, flag: int) -> dict[str, Call]:
    """Return the calls for images of a side, with an interpolation of OpenCV for affine maps."""
    rng = np.random.default_rng(0)
    return {**_moves(side, flag), **_colours(), **_filters(side, rng), **_warps(side, flag, rng)}


def _affine(rows: list[list[float]], flag: int) -> Call:
    matrix = np.array(rows, np.float64)
    options = flag | cv2.WARP_INVERSE_MAP
    return lambda a, b: cv2.warpAffine(a, matrix, a.shape[1::-1], dst=b, flags=options)


def _moves(side: int, flag: int) -> dict[str, Call]:
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), 67.5, 1.0)
    small = cv2.getRotationMatrix2D((side / 2, side / 2), 15, 1.0)
    return {
        "ShearX": _affine([[1, 0.5, 0], [0, 1, 0]], flag),
        "ShearY": _affine([[1, 0, 0], [0.5, 1, 0]], flag),
        "TranslateX": _affine([[1, 0, side / 4], [0, 1, 0]], flag),
        "TranslateY": _affine([[1, 0, 0], [0, 1, side / 4]], flag),
        "PadCrop": _affine([[1, 0, 9], [0, 1, 9]], flag),
        "Rotate": _affine(turn.tolist(), flag),
        "Affine": _affine(small.tolist(), flag),
        "HorizontalFlip": lambda a, b: cv2.flip(a, 1, b),
        "VerticalFlip": lambda a, b: cv2.flip(a, 0, b),
        "Transpose": lambda a, b: cv2.transpose(a, b),
        "RandomRotate90": lambda a, b: cv2.rotate(a, cv2.ROTATE_90_CLOCKWISE, b),
        "D4": lambda a, b: cv2.rotate(a, cv2.ROTATE_90_CLOCKWISE, b),
    }


def _table(f: Callable[[Any], Any]) -> Call:
    table = np.clip(f(np.arange(256.0)), 0, 255).astype(np.uint8)
    return lambda a, b: cv2.LUT(a, table, b)


def _colours() -> dict[str, Call]:
    three = np.stack([np.clip(np.arange(256) + k, 0, 255) for k in (5, 10, 15)], -1)
    three = np.ascontiguousarray(three[None].astype(np.uint8))
    shifted = np.stack([(np.arange(256) + k) % 256 for k in (64, 0, 0)], -1)
    shifted = np.ascontiguousarray(shifted[None].astype(np.uint8))
    clahe = cv2.createCLAHE(20.0, (8, 8))

    def contrast(a: Any, b: Any) -> None:
        mean = cv2.mean(cv2.cvtColor(a, cv2.COLOR_RGB2GRAY))[0]
        cv2.LUT(a, np.clip(mean + 1.5 * (np.arange(256) - mean), 0, 255).astype(np.uint8), b)

    def autocontrast(a: Any, b: Any) -> None:
        tables = []
        for plane in cv2.split(a):
            low, high, _, _ = cv2.minMaxLoc(plane)
            scaled = (np.arange(256) - low) * (255 / max(high - low, 1))
            tables.append(np.clip(scaled, 0, 255).astype(np.uint8))
        cv2.LUT(a, np.stack(tables, -1)[None], b)

    def equalize(a: Any, b: Any) -> None:
        cv2.merge([cv2.equalizeHist(plane) for plane in cv2.split(a)], b)

    def color(a: Any, b: Any) -> None:
        grey = cv2.cvtColor(cv2.cvtColor(a, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        cv2.addWeighted(a, 1.5, grey, -0.5, 0, b)

    def hsv(a: Any, b: Any) -> None:
        turned = cv2.LUT(cv2.cvtColor(a, cv2.COLOR_RGB2HSV_FULL), shifted)
        cv2.cvtColor(turned, cv2.COLOR_HSV2RGB_FULL, b)

    def equalize_tiles(a: Any, b: Any) -> None:
        light, one, other = cv2.split(cv2.cvtColor(a, cv2.COLOR_RGB2LAB))
        cv2.cvtColor(cv2.merge([clahe.apply(light), one, other]), cv2.COLOR_LAB2RGB, b)

    return {
        "Invert": lambda a, b: cv2.bitwise_not(a, b),
        "Solarize": _table(lambda v: np.where(v < 128, v, 255 - v)),
        "SolarizeAdd": _table(lambda v: np.where(v < 128, v + 55, v)),
        "Posterize": _table(lambda v: v // 8 * 8),
        "Gamma": _table(lambda v: 255 * (v / 255) ** 1.7),
        "Brightness": _table(lambda v: 1.5 * v),
        "BrightnessContrast": _table(lambda v: 1.1 * v + 9),
        "RGBShift": lambda a, b: cv2.LUT(a, three, b),
        "ChannelShuffle": lambda a, b: cv2.mixChannels([a], [b], [0, 2, 1, 0, 2, 1]),
        "Contrast": contrast,
        "AutoContrast": autocontrast,
        "Equalize": equalize,
        "Color": color,
        "Hue": hsv,
        "HueSaturationValue": hsv,
        "CLAHE": equalize_tiles,
        "SamplePairing": lambda a, b: cv2.addWeighted(a, 0.8, a, 0.2, 0, b),
        "Mixup": lambda a, b: cv2.addWeighted(a, 0.5, a, 0.5, 0, b),
    }


def _filters(side: int, rng: np.random.Generator) -> dict[str, Call]:
    line = np.eye(5, dtype=np.float32) / 5
    half = side // 2

    def sharpness(a: Any, b: Any) -> None:
        cv2.addWeighted(a, 1.5, cv2.filter2D(a, -1, _SMOOTH), -0.5, 0, b)

    def boxes(count: int, length: int) -> Call:
        def run(a: Any, b: Any) -> None:
            np.copyto(b, a)
            for k in range(count):
                cv2.rectangle(b, (9 * k, 9 * k), (9 * k + length, 9 * k + length), (0, 0, 0), -1)

        return run

    def noisy_box(a: Any, b: Any) -> None:
        np.copyto(b, a)
        cv2.randu(b[half // 2 : half, half // 2 : half], 0, 255)

    return {
        "Sharpness": sharpness,
        # Half the range (3 passes) is 1.5, rounded to 2.
        "Erosion": lambda a, b: cv2.erode(a, _CROSS, b, iterations=2),
        "Dilation": lambda a, b: cv2.dilate(a, _CROSS, b, iterations=2),
        "Blur": lambda a, b: cv2.GaussianBlur(a, (11, 11), 1.5, b, borderType=_MIRROR),
        "GaussianBlur": lambda a, b: cv2.GaussianBlur(a, (7, 7), 1.05, b, borderType=_MIRROR),
        "BoxBlur": lambda a, b: cv2.blur(a, (5, 5), b, borderType=_MIRROR),
        "MedianBlur": lambda a, b: cv2.medianBlur(a, 5, b),
        "MotionBlur": lambda a, b: cv2.filter2D(a, -1, line, b, borderType=_MIRROR),
        "Noise": lambda a, b: rng.standard_normal(a.shape),
        "Cutout": boxes(1, side // 4),
        "Erasing": boxes(1, side // 3),
        "CoarseDropout": boxes(4, 8),
        "RandomErasing": noisy_box,
    }


def _warps(side: int, flag: int, rng: np.random.Generator) -> dict[str, Call]:
    linear, size = cv2.INTER_LINEAR, (side, side)
    zoom = np.array([[0.8, 0, 0.1 * side], [0, 0.8, 0.1 * side]])
    lens = np.array([[side, 0, side / 2], [0, side, side / 2], [0, 0, 1]], np.float32)
    bend = np.array([0.03, 0.03, 0, 0, 0], np.float32)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    radius, angle = cv2.cartToPolar(x - side / 2, y - side / 2)
    turn = angle + np.exp(-radius / (side / 2))
    fields = rng.standard_normal((2, side, side)).astype(np.float32)
    strips = np.linspace(0, side - 1, side, dtype=np.float32) * 1.01
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    inwards = np.array([[9, 5], [side - 7, 4], [side - 3, side - 8], [6, side - 2]], np.float32)

    def swirl(a: Any, b: Any) -> None:
        across, down = cv2.polarToCart(radius, turn)
        cv2.add(across, side / 2, across)
        cv2.add(down, side / 2, down)
        cv2.remap(a, across, down, linear, b, _EDGE)

    def elastic(a: Any, b: Any, with_flag: int = linear) -> None:
        across, down = (cv2.GaussianBlur(field, (0, 0), 6.0) for field in fields)
        cv2.remap(a, cv2.scaleAdd(across, 9, x), cv2.scaleAdd(down, 9, y), with_flag, b, _EDGE)

    def perspective(a: Any, b: Any) -> None:
        matrix = cv2.getPerspectiveTransform(corners, inwards)
        cv2.warpPerspective(a, matrix, size, b, flag | cv2.WARP_INVERSE_MAP)

    def grid(a: Any, b: Any) -> None:
        across = cv2.repeat(strips[None, :], side, 1)
        down = cv2.repeat(strips[:, None], 1, side)
        cv2.remap(a, across, down, flag, b)

    def optical(a: Any, b: Any) -> None:
        maps = cv2.initUndistortRectifyMap(lens, bend, None, lens, size, cv2.CV_32FC1)
        cv2.remap(a, *maps, flag, b)

    def crop(length: int) -> Call:
        return lambda a, b: cv2.resize(a[9 : 9 + length, 5 : 5 + length], size, b, 0, 0, linear)

    return {
        "Zoom": lambda a, b: cv2.warpAffine(a, zoom, size, b, linear | cv2.WARP_INVERSE_MAP, _EDGE),
        "Swirl": swirl,
        "Elastic": elastic,
        "ElasticTransform": lambda a, b: elastic(a, b, flag),
        "Perspective": perspective,
        "GridDistortion": grid,
        "OpticalDistortion": optical,
        "ResizedCrop": crop(3 * side // 4),
        "RandomResizedCrop": crop(3 * side // 4),
        "RandomCrop": crop(7 * side // 8),
    }
