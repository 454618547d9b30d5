"""What follows an image: places in it, and masks over it, through the same sequences.

Operations that move pixels move key points, boxes and masks; all others leave them alone. A place
is ``(x, y)`` in pixels, (0, 0) being the upper left corner of the image, and pixel centres lie at
halves, as everywhere in the engine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from automorph.engine.context import Context, Values
from automorph.engine.geometry import MATRICES, resample
from automorph.engine.resizing import parts
from automorph.engine.warps import control_points, splines
from automorph.errors import UsageError
from automorph.operations import NOTHING, Operation, SearchSpace, Sequences, Stream

Places = NDArray[np.float64]
Masks = NDArray[np.generic]
_TURNS = 50
"""Steps towards the place that a bent image shows at a point; far more than it needs."""

Read = Callable[[Places, float, Context, tuple[int, int]], Places]


def follow(
    places: list[Places],
    masks: Masks | None,
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    size: tuple[int, int],
) -> tuple[list[Places], Masks | None]:
    """Places ``(k, 2)`` of each image, and masks ``(n, H, W)``, after its sequence.

    Masks are read at the nearest pixel; what comes in from outside is 0. Raises ``UsageError`` for
    operations of which nobody knows where they move pixels to.
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
            if operation.kernel not in (*MATRICES, *_READS):
                continue
            step = Context(operation, stream.take([row]), position, batch, batch[0, 0, 0])
            sign = step.signs() if operation.signed else 1.0
            value = float(operation.values(sequences.magnitude[row : row + 1, position], sign)[0])
            if value == operation.identity:
                continue
            if operation.kernel in MATRICES:
                matrix = MATRICES[operation.kernel](np.array([value]), step, size)
                moved[row] = _through(moved[row], matrix[0])
                if covered is not None:
                    covered[row] = _mask_through(covered[row], matrix)
                continue
            read = _READS[operation.kernel]
            moved[row] = _found(moved[row], read, value, step, size)
            if covered is not None:
                covered[row] = _mask_read(covered[row], read, value, step, size)
    return moved, covered


def refuse(operation: Operation) -> None:
    """Raise ``UsageError`` if nobody knows where an operation moves pixels to."""
    if operation.kernel == "user" or operation.partner:
        raise UsageError(
            f"got the operation {operation.name!r}, and nobody knows where it moves pixels to; "
            "boxes, masks and key points follow the operations of the catalogue that look at one "
            "image"
        )


def _through(places: Places, matrix: Values) -> Places:
    """Places through a matrix that maps the result to the input: its inverse."""
    a, b, c, d, e, f = matrix
    x, y = places[:, 0] - c, places[:, 1] - f
    determinant = a * e - b * d
    return np.stack([(e * x - b * y) / determinant, (a * y - d * x) / determinant], axis=1)


def _mask_through(mask: Masks, matrix: Values) -> Masks:
    """A mask as the image's nearest neighbours: byte by byte, so that any numbers pass."""
    wide = np.ascontiguousarray(mask)
    depth = wide.dtype.itemsize
    planes = wide.view(np.uint8).reshape(1, *mask.shape, depth)
    nothing = np.zeros(depth, np.uint8)
    out = resample(np.ascontiguousarray(planes), matrix, fill=nothing, bilinear=False)
    return np.ascontiguousarray(out[0]).view(wide.dtype).reshape(mask.shape)


def _mask_read(
    mask: Masks, read: Read, value: float, step: Context, size: tuple[int, int]
) -> Masks:
    height, width = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    places = read(np.stack([x.ravel(), y.ravel()], axis=1), value, step, size)
    across = np.clip(np.floor(places[:, 0]).astype(np.int64), 0, width - 1)
    down = np.clip(np.floor(places[:, 1]).astype(np.int64), 0, height - 1)
    read_off: Masks = mask[down, across].reshape(mask.shape)
    return read_off


def _found(
    places: Places, read: Read, value: float, step: Context, size: tuple[int, int]
) -> Places:
    """Where a place of the input went: the point whose reading is that place."""
    if not len(places):
        return places
    if step.operation.kernel in ("Zoom", "ResizedCrop"):
        corners = np.array([[0.0, 0.0], [1.0, 1.0]])
        origin, one = read(corners, value, step, size)
        return np.asarray((places - origin) / (one - origin))
    guess = places.copy()
    for _ in range(_TURNS):
        guess = guess + 0.5 * (places - read(guess, value, step, size))
    return guess


def _read_zoom(places: Places, value: float, step: Context, size: tuple[int, int]) -> Places:
    centre = np.array([size[1] / 2.0, size[0] / 2.0])
    return np.asarray((places - centre) / value + centre)


def _read_part(places: Places, value: float, step: Context, size: tuple[int, int]) -> Places:
    x, y, w, h = parts(np.array([value]), step, *size)[0]
    return np.asarray(places * np.array([w / size[1], h / size[0]]) + np.array([x, y]))


def _read_swirl(places: Places, value: float, step: Context, size: tuple[int, int]) -> Places:
    cy, cx = size[0] / 2.0, size[1] / 2.0
    x, y = places[:, 0] - cx, places[:, 1] - cy
    angle = value * np.exp(-np.sqrt(x * x + y * y) / min(cx, cy))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * x - sin * y + cx, sin * x + cos * y + cy], axis=1)


def _read_elastic(places: Places, value: float, step: Context, size: tuple[int, int]) -> Places:
    controls = control_points(step)[0]
    height, width = size
    down, across = (_between(splines(s), places[:, a]) for s, a in ((height, 1), (width, 0)))
    moves = [np.einsum("ka,ab,kb->k", down, controls[axis], across) for axis in (0, 1)]
    bent = np.stack([moves[0] * value * width, moves[1] * value * height], axis=1)
    return np.asarray(places + bent)


def _between(weights: Values, place: Values) -> Values:
    """Weights at places between pixel centres, edges continued."""
    last = len(weights) - 1
    at = np.clip(place - 0.5, 0, last)
    lower = np.minimum(np.floor(at).astype(np.int64), max(last - 1, 0))
    share = (at - lower)[:, None]
    return np.asarray((1 - share) * weights[lower] + share * weights[np.minimum(lower + 1, last)])


_READS: dict[str, Read] = {
    "Zoom": _read_zoom,
    "ResizedCrop": _read_part,
    "Swirl": _read_swirl,
    "Elastic": _read_elastic,
}
"""Where the results of an operation that bends or resizes are read from."""
