"""Access to the parts of samples: an image, or a tuple, list or dict with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automorph.errors import UsageError

Position = int | str | None
_NAMES = ("image", "img", "pixel_values")


def find_image(sample: Any, position: Position = None) -> Position:
    """Find the image: its number in tuples and lists, its name in dicts, None for the whole sample.

    >>> find_image({"img": ..., "label": 3}), find_image((..., 3)), find_image(...)
    ('img', 0, None)
    """
    if type(sample) is tuple and position is None and sample:  # as most data sets have it
        return 0
    if isinstance(sample, Mapping):
        if position is None:
            position = next((name for name in _NAMES if name in sample), None)
        if position not in sample:
            raise UsageError(
                f"got samples with {', '.join(map(repr, sample))}, none of which is "
                f"{position or 'image'!r}; pass the key of the image: image=NAME"
            )
        return position
    if isinstance(sample, (tuple, list)):
        position = 0 if position is None else position
        if not isinstance(position, int) or not -len(sample) <= position < len(sample):
            raise UsageError(
                f"got samples of {len(sample)} parts and image={position!r}; expected the position "
                "of the image: image=NUMBER"
            )
        return position
    return None


def get(sample: Any, position: Position) -> Any:
    """Return the part of a sample at a position; raise ``UsageError`` if it has none there."""
    if position is None:
        return sample
    try:
        return sample[position]
    except (KeyError, IndexError, TypeError) as error:
        parts = f" of {len(sample)} parts" if isinstance(sample, (tuple, list, Mapping)) else ""
        raise UsageError(
            f"got a {type(sample).__name__}{parts}, which has nothing at {position!r}; expected "
            "samples and batches of one form, with all parts that options name"
        ) from error


def put(sample: Any, position: Position, part: Any) -> Any:
    """Return a sample of the same type with another part at a position.

    >>> put((1, 2), 0, "image"), put({"x": 1}, "x", 2)
    (('image', 2), {'x': 2})
    """
    if position is None:
        return part
    if type(sample) is tuple and position == 0:
        return (part, *sample[1:])
    if isinstance(sample, Mapping):
        return {**sample, position: part}
    parts = list(sample)
    parts[int(position)] = part
    if isinstance(sample, tuple):
        named = hasattr(sample, "_fields")
        return type(sample)(*parts) if named else tuple(parts)
    return parts
