"""The orientation that EXIF data state, and how an image is turned upright."""

from __future__ import annotations

from typing import Any, Literal

from PIL import Image

_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UNREADABLE_EXIF = "the EXIF data cannot be read, so the image may be turned or mirrored"
"""A remark on an image that was read without its orientation."""


def orientation_of(image: Image.Image) -> tuple[int, str]:
    """Return the EXIF orientation (1: upright), and a remark if the EXIF data cannot be read."""
    try:
        found = image.getexif().get(_ORIENTATION)
        if found is not None:
            return int(found), ""
    except Exception:  # Pillow raises what it meets: SyntaxError, struct.error, TypeError, ...
        return 1, UNREADABLE_EXIF
    # Of data that end too early, Pillow only warns.
    return 1, "" if _is_whole(image.info.get("exif")) else UNREADABLE_EXIF


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of an opened image once it is turned upright."""
    width, height = image.size
    # Pillow applies the orientation of a TIFF itself.
    turned = image.format != "TIFF" and 5 <= orientation_of(image)[0] <= 8
    return (height, width) if turned else (width, height)


def _is_whole(exif: Any) -> bool:
    """Return whether the first directory of EXIF data, if there are any, is complete."""
    if not isinstance(exif, bytes) or not exif:
        return True
    data = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    at = int.from_bytes(data[4:8], order)
    entries = int.from_bytes(data[at : at + 2], order)
    return at >= 8 and at + 2 + 12 * entries <= len(data)
