"""Rectangles that are erased, drawn as the libraries draw them. Alpha is kept unchanged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from automorph import native
from automorph.errors import UsageError
from automorph.native import Rows
from automorph.operations.filters import normal_table
from automorph.operations.geometric import GONE
from automorph.operations.kernels import (
    Bounds,
    CompiledKernel,
    Context,
    Family,
    Images,
    Kernel,
    Size,
    Values,
    Whole,
    settings_of,
)
from automorph.operations.spec import Operation

_MOST_HOLES = 1000
_TRIES = 10
_RULES = {"torchvision": 0, "timm": 0, "kornia": 1, "albumentations": 2, "holes": 3}
"""In the order of `Drawing` in native/core/erasing.hpp."""
_SIDES = (("scale", "ratio"), ("height", "width"))
_NOISE = 1 << 16
"""The draw at which the content begins, after those of the places."""

_ERASING = {
    "draws": "torchvision",
    "scale": (0.02, 0.33),
    "ratio": (0.3, 3.3),
    "count": (1, 1),
    "content": "colour",
    "fill": (0.0,),
    "deviation": (0.0,),
}
_HOLES = {
    "count": (1, 8),
    "height": (8.0, 8.0),
    "width": (8.0, 8.0),
    "unit": "px",
    "content": "colour",
    "fill": (0.0,),
    "deviation": (0.0,),
}


def erasing(images: Images, values: Values, context: Context) -> Images:
    """Erase rectangles of random areas and ratios (Zhong et al. 2017)."""
    given = settings_of(context.operation, _ERASING)
    return _erased(images, context, given, _rectangles)


def coarse_dropout(images: Images, values: Values, context: Context) -> Images:
    """Erase several rectangles whose sides come from ranges."""
    given = settings_of(context.operation, _HOLES)
    return _erased(images, context, given, _holes)


def _erased(images: Images, context: Context, given: Mapping[str, Any], places: Any) -> Images:
    out = images.copy()
    size = images.shape[1:3]
    colours = min(images.shape[3], 3)
    for row in range(len(images)):
        own = context.row(row)
        boxes = places(own, given, size)
        if not len(boxes):
            continue
        inside = np.zeros(size, bool)
        for x, y, w, h in boxes:
            inside[y : y + h, x : x + w] = True
        content = _content(own, given, (*size, colours))
        out[row, ..., :colours][inside] = content[inside]
    return out


def _compiled(
    defaults: Mapping[str, Any], rule_of: Callable[[Mapping[str, Any]], int]
) -> CompiledKernel:
    """Make the compiled form: it draws the rectangles too (`Drawing` in core/erasing.hpp)."""

    def compiled(rows: Rows, values: Values, context: Context) -> None:
        given = settings_of(context.operation, defaults)
        rule, colours = rule_of(given), min(rows.shape[3], 3)
        holes = rule == _RULES["holes"]
        first, second = (given[name] for name in _SIDES[holes])
        levels = np.zeros((2, 3))
        levels[0, :colours] = _levels(context, given["fill"], colours)
        levels[1, :colours] = _levels(context, given["deviation"], colours)
        low, high = map(int, given["count"])
        share = holes and given["unit"] == "share"
        numbers = [rule, low, high, *first, *second, share, _CONTENTS.index(given["content"])]
        table = normal_table() if "normal" in given["content"] else np.zeros(0)
        native.run_step(
            "erase", rows, values,
            shared=np.concatenate([numbers, levels.ravel(), table]),
            words=context.word_source(draw=0),
        )  # fmt: skip

    return compiled


def _rectangles(context: Context, given: Mapping[str, Any], size: Size) -> Whole:
    """Return rectangles ``(k, 4)``: left, top, width, height.

    Draw 1 is their number. Each has 22 draws: ten areas and ratios, and a position. torchvision and
    timm draw area and ratio anew until the rectangle is smaller than the image, kornia clips it,
    and albumentations draws uniformly from what fits.
    """
    low, high = map(int, given["count"])
    number = low + int(context.below(high - low + 1, draw=1)[0])
    chance = context.uniform(22 * max(number, 1), draw=2)[0].reshape(-1, 22)[:number]
    kind = given["draws"]
    one = _fitted if kind == "albumentations" else _clipped if kind == "kornia" else _redrawn
    found = [one(row, given, number, size) for row in chance.tolist()]
    return np.array([box for box in found if box is not None], np.int64).reshape(-1, 4)


def _redrawn(chance: list[float], given: Mapping[str, Any], number: int, size: Size) -> Any:
    height, width = size
    (small, large), (narrow, wide) = given["scale"], given["ratio"]
    first, last = math.log(narrow), math.log(wide)
    for one in range(_TRIES):
        area = (small + (large - small) * chance[2 * one]) * height * width / number
        ratio = math.exp(first + (last - first) * chance[2 * one + 1])
        h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if h < height and w < width:
            return _placed(chance, w, h, size)
    return None


def _clipped(chance: list[float], given: Mapping[str, Any], number: int, size: Size) -> Any:
    height, width = size
    (small, large), (low, high) = given["scale"], given["ratio"]
    area = (small + (large - small) * chance[0]) * height * width
    if low < 1 < high:
        low, high = (low, 1.0) if chance[2] < 0.5 else (1.0, high)
    ratio = low + (high - low) * chance[1]
    h = min(max(1, round(math.sqrt(area * ratio))), height)
    w = min(max(1, round(math.sqrt(area / ratio))), width)
    return _placed(chance, w, h, size)


def _fitted(chance: list[float], given: Mapping[str, Any], number: int, size: Size) -> Any:
    height, width = size
    (small, large), (narrow, wide) = given["scale"], given["ratio"]
    most = min(
        large * height * width,
        *(r * height * height for r in (narrow, wide)),
        *(width * width / r for r in (narrow, wide)),
    )
    least = small * height * width
    if most < least:
        return None
    area = max(least + (most - least) * chance[0], 1e-9)
    high, low = min(wide, width * width / area), max(narrow, area / (height * height))
    if low > high:
        return None
    ratio = low + (high - low) * chance[1]
    h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
    return _placed(chance, min(w, width), min(h, height), size)


def _placed(chance: list[float], w: int, h: int, size: Size) -> tuple[int, int, int, int]:
    x, y = int(chance[20] * (size[1] - w + 1)), int(chance[21] * (size[0] - h + 1))
    return x, y, w, h


def _holes(context: Context, given: Mapping[str, Any], size: Size) -> Whole:
    """Return holes ``(k, 4)``. Draw 1 is their number; each has four: height, width, x, y."""
    low, high = map(int, given["count"])
    number = low + int(context.below(high - low + 1, draw=1)[0])
    boxes = []
    for row in context.uniform(4 * max(number, 1), draw=2)[0].reshape(-1, 4)[:number].tolist():
        sides = [
            _side(given[name], chance, whole, given["unit"])
            for name, chance, whole in zip(("height", "width"), row, size, strict=False)
        ]
        h, w = sides
        boxes.append((int(row[2] * (size[1] - w + 1)), int(row[3] * (size[0] - h + 1)), w, h))
    return np.array(boxes, np.int64).reshape(-1, 4)


def _side(ends: tuple[float, float], chance: float, whole: int, unit: str) -> int:
    if unit == "share":
        return min(whole, int(whole * (ends[0] + (ends[1] - ends[0]) * chance)))
    low, high = min(int(ends[0]), whole), min(int(ends[1]), whole)
    return low + int(chance * (high - low + 1))


def _content(context: Context, given: Mapping[str, Any], shape: tuple[int, ...]) -> Images:
    """Return what fills the rectangles, uint8 ``(H, W, C)``."""
    fill, deviation = (_levels(context, given[name], shape[2]) for name in ("fill", "deviation"))
    count = math.prod(shape)
    if given["content"] == "noise":
        words = context.words((count + 3) // 4, draw=_NOISE).astype("<u4").view(np.uint8)
        return np.asarray(words[0, :count].reshape(shape))
    if given["content"] == "colour":
        return np.broadcast_to(np.clip(np.rint(fill), 0, 255).astype(np.uint8), shape)
    number = count if given["content"] == "normal" else shape[2]
    words = context.words(number, draw=_NOISE)[0]
    added = normal_table()[words >> 16].reshape((-1, shape[2]) if number < count else shape)
    noisy = np.clip(np.rint(fill + added * deviation), 0, 255).astype(np.uint8)
    return np.broadcast_to(noisy, shape)


def _levels(context: Context, given: tuple[float, ...], channels: int) -> Values:
    if len(given) not in (1, channels):
        raise UsageError(
            f"the operation {context.operation.name} fills with {given}; expected one level, or "
            f"{channels}, one for each colour channel of these images"
        )
    return np.broadcast_to(np.asarray(given, np.float64), channels)


_CONTENTS = ("colour", "noise", "normal", "one-normal")
_FILLED: dict[str, Bounds] = {"content": _CONTENTS, "fill": (-1e4, 1e4), "deviation": (0.0, 1e4)}

FAMILY: Family = {
    Operation(
        "Erasing", random=True, label_risk=GONE,
        about="Erases random rectangles, as torchvision, timm, kornia or albumentations draw them.",
    ): Kernel(
        erasing, compiled=_compiled(_ERASING, lambda given: _RULES[given["draws"]]),
        keeps_alpha=True, constants=_ERASING,
        settable={
            "draws": ("torchvision", "timm", "kornia", "albumentations"), "scale": (0.0, 1.0),
            "ratio": (1e-3, 1e3), "count": (0.0, float(_MOST_HOLES)), **_FILLED,
        },
    ),
    Operation(
        "CoarseDropout", random=True, label_risk=GONE,
        about="Erases several rectangles with sides from a range.",
    ): Kernel(
        coarse_dropout, compiled=_compiled(_HOLES, lambda given: _RULES["holes"]),
        keeps_alpha=True, constants=_HOLES,
        settable={"count": (0.0, float(_MOST_HOLES)), "height": (0.0, 1e6), "width": (0.0, 1e6),
                  "unit": ("px", "share"), **_FILLED},
    ),
}  # fmt: skip
