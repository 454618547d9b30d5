"""Validation of the engine's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError, UsageError
from automorph.operations import (
    GREY,
    MEAN,
    NOTHING,
    Outside,
    SearchSpace,
    Sequences,
    Stream,
    painted,
)

_CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}


def check_batch(
    images: NDArray[Any],
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    interpolation: str,
    mode: str,
    threads: int,
) -> None:
    """Raise ``DataError`` for wrong examples, ``UsageError`` for other wrong arguments."""
    check_examples(images, space)
    if not len(images) == len(sequences) == len(stream):
        raise UsageError(
            f"got {len(images)} examples, {len(sequences)} sequences and a stream of "
            f"{len(stream)}; expected the same number of each: pass the examples' numbers to the "
            "stream as `index=`"
        )
    used = sequences.op[sequences.op != NOTHING]
    if used.size and not 0 <= used.min() <= used.max() < len(space):
        raise UsageError(
            f"sequences use operation numbers from {used.min()} to {used.max()}; expected 0 to "
            f"{len(space) - 1}, those of the space {space.name!r}, or {NOTHING} for no operation"
        )
    for name, got, known in (
        ("interpolation", interpolation, ("nearest", "bilinear")),
        ("mode", mode, ("exact", "fused")),
    ):
        if got not in known:
            raise UsageError(f"got {name}={got!r}; expected {' or '.join(map(repr, known))}")
    if threads < 1:
        raise UsageError(f"got threads={threads}; expected 1 or more")


def check_examples(examples: NDArray[Any], space: SearchSpace) -> None:
    """Raise ``DataError`` unless the examples are of the space's domain."""
    if not isinstance(examples, np.ndarray):
        raise DataError(f"got {type(examples).__name__}; expected a NumPy array of examples")
    if space.domain == "vector":
        if examples.ndim != 2 or examples.dtype.kind != "f":
            raise DataError(f"{_got(examples)}; expected float vectors (n, d)")
        return
    if space.domain == "text":
        if examples.ndim != 1 or examples.dtype.kind != "T":
            raise DataError(
                f"the space {space.name!r} is for texts; {_got(examples)}, expected NumPy's "
                "StringDType of shape (n,)"
            )
        return
    if space.domain != "image":
        raise DataError(
            f"the space {space.name!r} is for {space.domain}s; {_got(examples)}, expected images"
        )
    if examples.dtype != np.uint8 or examples.ndim != 4 or examples.shape[3] not in _CHANNELS:
        hint = ""
        if examples.ndim == 4 and examples.shape[1] in _CHANNELS:
            hint = " (channels first? use `.transpose(0, 2, 3, 1)`)"
        elif examples.ndim == 3:
            hint = " (a single image, or grey images without channels? add an axis)"
        elif examples.dtype.kind == "f":
            hint = " (multiply by 255, round and convert)"
        raise DataError(
            f"{_got(examples)}; expected uint8 images (n, H, W, C) with "
            + ", ".join(f"{c} ({name})" for c, name in _CHANNELS.items())
            + f" channels{hint}"
        )
    for operation in space:
        if isinstance(operation.fill, tuple):
            painted(operation, min(examples.shape[3], 3))  # Refuses another number of channels.
    if examples.size == 0 and len(examples):
        raise DataError(f"{_got(examples)}; expected images of at least one pixel")


def _got(examples: NDArray[Any]) -> str:
    return f"got {examples.dtype} of shape {examples.shape}"


def check_fill(
    fill: int | str | Sequence[int], images: NDArray[Any]
) -> tuple[NDArray[np.uint8], Outside]:
    """Return the fill colour, uint8 ``(C,)``, from one number or one per channel.

    If pixels of the image itself fill the outside ("edge" or "reflect"), that comes second. The
    mean of data that are unknown here is grey.
    """
    channels = images.shape[-1]
    if fill in ("edge", "reflect"):
        return np.zeros(channels, np.uint8), "edge" if fill == "edge" else "reflect"
    levels = np.atleast_1d(np.asarray(GREY if fill == MEAN else fill))
    fits = levels.dtype.kind != "U" and levels.shape in ((1,), (channels,))
    if not fits or ((levels < 0) | (levels > 255)).any():
        raise UsageError(
            f"got fill={fill!r}; expected a number from 0 to 255, {channels} such numbers "
            f"for images with {channels} channels, or edge or reflect"
        )
    colour = np.empty(channels, np.uint8)
    colour[...] = levels
    return colour, "fill"
