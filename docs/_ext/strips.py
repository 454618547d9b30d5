"""Picture strips for the reference: real photographs through real operations and policies."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from automorph import engine
from automorph.operations import OPERATIONS, Operation, SearchSpace, Sequences, Stream
from automorph.policies import Policy

Images = NDArray[np.uint8]
SIDE, GAP = 96, 6
ON_DIGITS = ("Erosion", "Dilation", "Elastic", "Swirl")
"""Operations that affect strokes; they are shown on handwritten digits."""


@cache
def photos() -> Images:
    """Return two photographs that ship with scikit-learn, uint8 ``(2, SIDE, SIDE, 3)``."""
    from sklearn.datasets import load_sample_images

    squares = ((20, 20, 420), (140, 45, 465))
    return np.stack(
        [
            np.asarray(
                Image.fromarray(photo)
                .crop((left, top, right, top + right - left))
                .resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            )
            for photo, (left, top, right) in zip(load_sample_images().images, squares, strict=True)
        ]
    )


@cache
def digits() -> Images:
    """Return two enlarged digits that ship with scikit-learn, uint8 ``(2, SIDE, SIDE, 3)``."""
    from sklearn.datasets import load_digits

    found = (load_digits().images[[3, 5]] * 255 / 16).astype(np.uint8)
    large = [
        Image.fromarray(digit).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for digit in found
    ]
    return np.stack([np.asarray(image.convert("RGB")) for image in large])


def shown_values(operation: Operation) -> list[float]:
    """Return the five values of a strip: on both sides of the identity, or from weak to strong."""
    if operation.magnitude_free:
        return []
    if operation.signed:
        assert operation.identity is not None
        half = ((operation.low + operation.identity) / 2, (operation.identity + operation.high) / 2)
        return [operation.low, half[0], operation.identity, half[1], operation.high]
    return operation.values([0, 0.25, 0.5, 0.75, 1]).tolist()


def operation_strip(operation: Operation) -> Images:
    """Return the photograph at each value, or before and after, uint8 ``(k, SIDE, SIDE, 3)``."""
    images = digits() if operation.name in ON_DIGITS else photos()
    values = shown_values(operation)
    held = [operation.at(value) for value in values] or [operation]
    space = SearchSpace("strip", tuple({one.name: one for one in held}.values()))
    stream = _with_other_partner() if operation.partner else Stream(seed=1, index=[0, 1])
    views = [
        engine.apply(
            images,
            Sequences.of([[space.number(one.name)]] * 2, 1.0),
            space,
            stream,
            interpolation="bilinear",
        )[0]
        for one in held
    ]
    return np.stack(views if values else [images[0], *views])


@cache
def _with_other_partner() -> Stream:
    """Return random numbers that pair the first image with the second."""
    space = SearchSpace("probe", (OPERATIONS["SamplePairing"],))
    black_and_white = np.stack([np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)])
    for seed in range(100):
        stream = Stream(seed=seed, index=[0, 1])
        if engine.apply(black_and_white, Sequences.of([[0], [0]], 1.0), space, stream)[0].any():
            return stream
    raise AssertionError("no seed pairs the images")


def policy_sheet(policy: Policy, *, draws: int = 6) -> Images:
    """Return rows of originals and draws, uint8 ``(2, 1 + draws, SIDE, SIDE, 3)``."""
    return policy.preview(photos(), draws=draws, seed=2, epochs=policy.span)


def write_sheet(sheet: Images, path: Path) -> None:
    """Write rows of pictures ``(rows, columns, H, W, 3)`` as one PNG file, with gaps."""
    rows, columns, height, width, _ = sheet.shape
    canvas: NDArray[Any] = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), 0, np.uint8
    )
    for row in range(rows):
        for column in range(columns):
            y, x = row * (height + GAP), column * (width + GAP)
            canvas[y : y + height, x : x + width, :3] = sheet[row, column]
            canvas[y : y + height, x : x + width, 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(canvas).save(path)
