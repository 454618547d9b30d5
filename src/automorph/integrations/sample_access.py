"""Samples of data sets: an image, a tuple or list with one, or a dict with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automorph.errors import UsageError

Place = int | str | None
_NAMES = ("image", "img", "pixel_values")


def find_place(sample: Any, place: Place = None) -> Place:
    """Where the image is: a number in tuples and lists, a name in dicts, None if it is all.

    >>> find_place({"img": ..., "label": 3}), find_place((..., 3)), find_place(...)
    ('img', 0, None)
    """
    if isinstance(sample, Mapping):
        if place is None:
            place = next((name for name in _NAMES if name in sample), None)
        if place not in sample:
            raise UsageError(
                f"got samples with {', '.join(map(repr, sample))}, and none of them is "
                f"{place or 'image'!r}; say which holds the image: image=NAME"
            )
        return place
    if isinstance(sample, (tuple, list)):
        place = 0 if place is None else place
        if not isinstance(place, int) or not -len(sample) <= place < len(sample):
            raise UsageError(
                f"got samples of {len(sample)} parts, and {place!r} is none of them; say which "
                "number the image has: image=NUMBER"
            )
        return place
    return None


def get(sample: Any, place: Place) -> Any:
    """The part of a sample at a place."""
    return sample if place is None else sample[place]


def put(sample: Any, place: Place, part: Any) -> Any:
    """A sample of the same type with another part at a place.

    >>> put((1, 2), 0, "image"), put({"x": 1}, "x", 2)
    (('image', 2), {'x': 2})
    """
    if place is None:
        return part
    if isinstance(sample, Mapping):
        return {**sample, place: part}
    parts = list(sample)
    parts[int(place)] = part
    if isinstance(sample, tuple):
        named = hasattr(sample, "_fields")
        return type(sample)(*parts) if named else tuple(parts)
    return parts
