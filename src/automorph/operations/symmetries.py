"""The eight symmetries of the square, drawn as albumentations draws them.

An image that is not square is stretched to its own frame, so that it keeps its shape; after a
resize to a square, that is the image which the libraries make.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automorph.operations.affine import matrices_of, move
from automorph.operations.kernels import Context, Family, Matrices, Size, Values, Whole, settings_of
from automorph.operations.spec import Operation

_TURNED = "turned objects can mean something else (digits, letters)"
_QUARTERS = {"turns": (0, 3)}


def _transposed(values: Values, context: Context, size: Size) -> Matrices:
    return _matrices(np.ones(len(values), np.int64), np.zeros(len(values), np.int64), size)


def _quarter_turns(values: Values, context: Context, size: Size) -> Matrices:
    """Turn counter-clockwise by a whole number of quarters (draw 1)."""
    first, last = settings_of(context.operation, _QUARTERS)["turns"]
    turns = int(first) + context.below(np.full(len(values), int(last) - int(first) + 1), draw=1)
    # One quarter is a transposition and then a vertical flip; two are both flips.
    return _matrices(turns % 2, np.choose(turns % 4, [0, 2, 3, 1]), size)


def _any_symmetry(values: Values, context: Context, size: Size) -> Matrices:
    """Draw 1: one of eight symmetries."""
    which = context.below(np.full(len(values), 8), draw=1)
    return _matrices(which // 4, which % 4, size)


def _matrices(transposed: Whole, flips: Whole, size: Size) -> Matrices:
    """Return maps from the result: flips (1: along x, 2: along y), and then transpositions."""
    height, width = size
    out = matrices_of(len(flips))
    across, down = flips % 2 == 1, flips // 2 == 1
    out[across, 0], out[across, 2] = -1.0, float(width)
    out[down, 4], out[down, 5] = -1.0, float(height)
    rows = transposed == 1
    # The place (x, y) of the flipped image becomes (y, x), in fractions of the sides.
    a, c, e, f = (out[rows, column].copy() for column in (0, 2, 4, 5))
    ratio = width / height
    out[rows] = np.stack([0 * a, e * ratio, f * ratio, a / ratio, 0 * a, c / ratio], axis=1)
    return out


FAMILY: Family = {
    Operation(
        "Transpose", label_risk=_TURNED, about="Exchanges rows and columns.",
    ): move(_transposed),
    Operation(
        "RandomRotate90", random=True, label_risk=_TURNED,
        about="Turns by none to three quarters.",
    ): replace(move(_quarter_turns), constants=_QUARTERS, settable={"turns": (-3.0, 4.0)}),
    Operation(
        "D4", random=True, label_risk=_TURNED,
        about="Applies one of the eight symmetries of the square.",
    ): move(_any_symmetry),
}  # fmt: skip
