"""Apply the sequences of images to their key points, boxes and masks.

Operations that move pixels move key points, boxes and masks; all others leave them unchanged. A
point is ``(x, y)`` in pixels; (0, 0) is the upper left corner of the image, and pixel centres lie
at halves, as everywhere in the engine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.operations import (
    KERNELS,
    NOTHING,
    Context,
    Operation,
    Outside,
    Places,
    Read,
    SearchSpace,
    Sequences,
    Size,
    Stream,
    Values,
    resample,
    values_of,
)

Masks = NDArray[np.generic]
_TURNS = 50
"""Fixed-point iterations that invert a warp; far more than it needs."""


def follow(
    places: list[Places],
    masks: Masks | None,
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    size: Size,
    outside: Outside = "fill",
    ignore: int = 0,
) -> tuple[list[Places], Masks | None]:
    """Apply each image's sequence to its points ``(k, 2)`` and to masks ``(n, H, W)``.

    Masks are resampled by nearest neighbour; the outside is ``ignore``, or as in the image if
    pixels of the image itself fill it. Raises ``UsageError`` for operations whose effect on
    positions is unknown.
    """
    moved = [np.array(part, np.float64).reshape(-1, 2) for part in places]
    covered = None if masks is None else np.array(masks)
    stream = stream.at_stage(0)
    batch = np.zeros((len(sequences), 1, 1, 1), np.uint8)
    for position in range(sequences.length):
        for row in range(len(sequences)):
            number = sequences.op[row, position]
            if number == NOTHING or not sequences.fire[row, position]:
                continue
            operation = space.operations[number]
            refuse(operation)
            kernel = KERNELS[operation.kernel]
            if not (kernel.matrix or kernel.read):
                continue
            step = Context(operation, stream.take([row]), position, batch, batch[0, 0, 0])
            value = float(
                values_of(operation, sequences.magnitude[row : row + 1, position], step)[0]
            )
            if value == operation.identity:
                continue
            if kernel.matrix:
                matrix = kernel.matrix(np.array([value]), step, size)
                moved[row] = _through(moved[row], matrix[0])
                if covered is not None:
                    covered[row] = _mask_through(covered[row], matrix, outside, ignore)
                continue
            read = kernel.read
            assert read is not None
            moved[row] = _found(moved[row], read, kernel.straight, value, step, size)
            if covered is not None:
                covered[row] = _mask_read(covered[row], read, value, step, size)
    return moved, covered


def refuse(operation: Operation) -> None:
    """Raise ``UsageError`` if it is unknown where an operation moves pixels."""
    if operation.kernel == "user" or operation.partner:
        raise UsageError(
            f"cannot transform boxes, masks or key points with the operation {operation.name!r}: "
            "it is unknown how it moves pixels; use catalogue operations that transform a single "
            "image"
        )


def _through(places: Places, matrix: Values) -> Places:
    """Map points by the inverse of a matrix, which maps the result to the input."""
    a, b, c, d, e, f = matrix
    x, y = places[:, 0] - c, places[:, 1] - f
    determinant = a * e - b * d
    return np.stack([(e * x - b * y) / determinant, (a * y - d * x) / determinant], axis=1)


def _mask_through(mask: Masks, matrix: Values, outside: Outside, ignore: int) -> Masks:
    """Resample a mask as the image by nearest neighbour, byte by byte, for any number type."""
    wide = np.ascontiguousarray(mask)
    depth = wide.dtype.itemsize
    planes = wide.view(np.uint8).reshape(1, *mask.shape, depth)
    nothing = np.full(1, ignore, wide.dtype).view(np.uint8)
    out = resample(
        np.ascontiguousarray(planes), matrix, fill=nothing, bilinear=False, outside=outside
    )
    return np.ascontiguousarray(out[0]).view(wide.dtype).reshape(mask.shape)


def _mask_read(mask: Masks, read: Read, value: float, step: Context, size: Size) -> Masks:
    height, width = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    places = read(np.stack([x.ravel(), y.ravel()], axis=1), value, step, size)
    across = np.clip(np.floor(places[:, 0]).astype(np.int64), 0, width - 1)
    down = np.clip(np.floor(places[:, 1]).astype(np.int64), 0, height - 1)
    read_off: Masks = mask[down, across].reshape(mask.shape)
    return read_off


def _found(
    places: Places, read: Read, straight: bool, value: float, step: Context, size: Size
) -> Places:
    """Invert ``read``: find the points of the result that show the given points of the input."""
    if not len(places):
        return places
    if straight:
        corners = np.array([[0.0, 0.0], [1.0, 1.0]])
        origin, one = read(corners, value, step, size)
        return np.asarray((places - origin) / (one - origin))
    guess = places.copy()
    for _ in range(_TURNS):
        guess = guess + 0.5 * (places - read(guess, value, step, size))
    return guess
