"""Fill and interpolation of the operations of a policy: their forms, and their defaults."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from automorph.errors import PolicyError
from automorph.operations import GREY, MEAN, PAINTING, SearchSpace, list_spaces, named_space

Interpolation = Literal["nearest", "bilinear"]
Fill = int | tuple[int, ...] | Literal["edge", "reflect", "mean"]
"""What comes in from outside an image: a level, or one per channel; its repeated edge; its mirror
image; or the mean colour of the training data (grey where no data are known)."""
BEYOND = ("edge", "reflect")
"""Fills that are no colours, but pixels of the image itself."""

_BY_SPACE: dict[str, tuple[Fill, Interpolation]] = {
    # The released code of TANDA (`experiments/tfs/image/image_tfs.py`): mode "edge", order 1.
    "tanda-mnist": ("edge", "bilinear"),
    "tanda-cifar10": ("edge", "bilinear"),
}


def rendering_of(space: SearchSpace) -> tuple[Fill, Interpolation]:
    """Return the default fill and interpolation of a space: black and nearest, except TANDA's."""
    return _BY_SPACE.get(space.name, (0, "nearest"))


def checked_fill(who: str, fill: Any) -> Fill:
    """Return a fill in its one form; a list of one level is that level."""
    if isinstance(fill, str) and fill in (*BEYOND, MEAN):
        return fill  # type: ignore[return-value]
    levels = fill if isinstance(fill, (tuple, list)) else (fill,)
    for level in levels:
        whole = isinstance(level, (int, np.integer)) and not isinstance(level, bool)
        if not whole or not 0 <= level <= 255:
            raise PolicyError(
                f"{who} got fill={level!r:.60}; expected a whole number from 0 to 255, or edge, "
                "reflect or mean"
            )
    if not 1 <= len(levels) <= 4:
        raise PolicyError(f"{who} got fill={fill!r:.60}; expected one level, or one per channel")
    plain = tuple(int(level) for level in levels)
    return plain[0] if len(plain) == 1 else plain


def known_fill(fill: Fill) -> Fill:
    """Return the fill of a policy that has not seen any data: the mean is grey."""
    return GREY if fill == MEAN else fill


def painting(space: SearchSpace, fill: Fill) -> SearchSpace:
    """Return the space with operations that paint in a fill, if it is a colour."""
    return space if fill in BEYOND else space.painted(fill)  # type: ignore[arg-type]


def follows(space: SearchSpace, fill: Fill) -> bool:
    """Return whether the operations that paint do so in the fill because a user asked for it."""
    painters = [operation for operation in space if operation.kernel in PAINTING]
    if not painters or (space.name in list_spaces() and space == named_space(space.name)):
        return False
    return all(operation.fill == fill for operation in painters)
