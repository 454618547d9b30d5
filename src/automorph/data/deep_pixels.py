"""Images with more than 8 bits for a channel, and their mapping to 8 bits by a window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIXTEEN, THIRTY_TWO, DICOM = "16-bit", "32-bit", "DICOM"
_PHOTOMETRIC = 262
"""The TIFF tag that says whether 0 is white (0) or black (1)."""


@dataclass(frozen=True)
class Window:
    """The values that become the levels 0 and 255; values between them are scaled and rounded.

    Values outside are clipped. ``kind`` marks the whole range of 16 bits (``full``), which fits
    only 16-bit images, and the window that each file states (``own``).

    >>> Window(900, 1100)(np.array([0, 900, 1000, 1001, 5000])).tolist()
    [0, 0, 128, 129, 255]
    """

    low: float
    high: float
    kind: Literal["fixed", "full", "own"] = "fixed"

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Map values of any shape to levels: floor(255 (v - low) / (high - low) + 1/2)."""
        if values.dtype == np.uint16:  # A table is faster than arithmetic on every pixel.
            table = self(np.arange(2**16, dtype=np.float64))
            return np.take(table, values)
        inside = np.clip(values.astype(np.float64), self.low, self.high)
        levels: NDArray[np.uint8] = np.floor(
            (inside - self.low) * 255 / (self.high - self.low) + 0.5
        ).astype(np.uint8)
        return levels


FULL = Window(0, 65535, "full")
"""The whole range of 16 bits: level = round(255 v / 65535)."""
OWN = Window(0, 1, "own")
"""The window that each DICOM file states."""


@dataclass(frozen=True)
class DeepImage:
    """Values ``(H, W)`` or ``(H, W, 3)`` of more than 8 bits, in their unit, before any window.

    ``kind`` is ``SIXTEEN``, ``THIRTY_TWO`` or ``DICOM``. ``alpha`` (H, W) has 16 bits. If
    ``inverted``, small values are bright (DICOM's MONOCHROME1). ``own`` is the window that the file
    states, ``padding`` the lowest and highest value of pixels that
    show nothing.
    """

    values: NDArray[Any]
    kind: str = SIXTEEN
    alpha: NDArray[np.uint16] | None = None
    inverted: bool = False
    own: Window | None = None
    padding: tuple[float, float] | None = None

    def levels(self, window: Window) -> NDArray[np.uint8]:
        """Return the levels, with alpha as the last channel if there is one."""
        levels = window(self.values)
        if self.inverted:
            levels = 255 - levels
        if self.alpha is None:
            return levels
        return np.dstack([levels, FULL(self.alpha)])


def deep_kind(image: Image.Image) -> str | None:
    """Return the kind of a deep image that Pillow opened and has not loaded; None for 8 bits."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return SIXTEEN
    if image.mode in ("I", "F"):
        return THIRTY_TWO
    return SIXTEEN if _raw_depth(image) else None


def deep_values(image: Image.Image, reopen: Callable[[], Image.Image]) -> DeepImage | None:
    """Return the values of an image that Pillow opened and has not loaded; None for 8 bits.

    ``reopen`` opens the same file again. Pillow keeps only the high bytes of colours of 16 bits
    (RGB, or grey with alpha), so these are decoded twice: the second time in the other byte
    order, which keeps the low bytes.
    """
    kind = deep_kind(image)
    if kind is None:
        return None
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image)
        return DeepImage(
            np.iinfo(np.uint16).max - values if _white_is_zero(image) else values, kind
        )
    if image.format == "PPM":
        return DeepImage(_ppm(image))
    low: Any = reopen()
    with low:
        if _raw_depth(image) == "LA;16B":
            # Two bytes of grey and two of alpha: four channels of one byte.
            low.tile = [_with_raw_mode(tile, "RGBA") for tile in low.tile]
            bytes_ = np.asarray(low).astype(np.uint16)
            pair = bytes_[..., ::2] << np.uint16(8) | bytes_[..., 1::2]
            return DeepImage(pair[..., 0], alpha=pair[..., 1])
        low.tile = [_with_raw_mode(tile, _other_order(_raw_mode(tile))) for tile in low.tile]
        whole = np.asarray(image).astype(np.uint16) << np.uint16(8) | np.asarray(low)
    if whole.shape[-1] == 4:
        return DeepImage(np.ascontiguousarray(whole[..., :3]), alpha=whole[..., 3])
    return DeepImage(whole)


def _white_is_zero(image: Image.Image) -> bool:
    """Return whether 0 is white in a TIFF of 16 bits; Pillow inverts only those of 8 bits."""
    tags: Any = getattr(image, "tag_v2", {})
    return image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == 0


def _raw_depth(image: Image.Image) -> str:
    """Return the raw mode of a file of 16-bit colours, such as ``RGB;16B``; empty otherwise."""
    tiles = getattr(image, "tile", None) or ()
    if image.format == "PPM" and image.mode == "RGB" and tiles and _ppm_maximum(image) > 255:
        return "RGB"
    modes = {_raw_mode(tile) for tile in tiles}
    return next((mode for mode in modes if ";16" in mode and image.mode in ("RGB", "RGBA")), "")


def _raw_mode(tile: Any) -> str:
    args = tile[3]
    first = args if isinstance(args, str) else args[0] if isinstance(args, tuple) and args else ""
    return first if isinstance(first, str) else ""


def _with_raw_mode(tile: Any, mode: str) -> Any:
    codec, extents, offset, args = tile
    changed = mode if isinstance(args, str) else (mode, *args[1:])
    return type(tile)(codec, extents, offset, changed) if hasattr(tile, "_fields") else (
        codec, extents, offset, changed,
    )  # fmt: skip


def _other_order(mode: str) -> str:
    """Return a raw mode with the bytes in the other order.

    >>> _other_order("RGB;16B"), _other_order("RGBA;16L")
    ('RGB;16L', 'RGBA;16B')
    """
    name, _, order = mode.partition(";")
    little = order == "16L" or (order == "16N" and sys.byteorder == "little")
    return f"{name};{'16B' if little else '16L'}"


def _ppm_maximum(image: Image.Image) -> int:
    args = image.tile[0][3]  # type: ignore[attr-defined]
    return int(args[1]) if isinstance(args, tuple) and len(args) > 1 else 255


def _ppm(image: Image.Image) -> NDArray[np.uint16]:
    """Read the colours of a raw PPM of 16 bits, scaled from its maximum to 65,535."""
    codec, _, offset, _ = image.tile[0]  # type: ignore[attr-defined]
    if codec != "ppm":
        raise SyntaxError("16-bit colours in a plain (text) PPM are not supported: save it as PNG")
    file: Any = image.fp  # type: ignore[attr-defined]
    file.seek(offset)
    content = file.read(6 * image.width * image.height)
    raw = np.frombuffer(content, ">u2").reshape(image.height, image.width, 3).astype(np.uint32)
    top = _ppm_maximum(image)
    return ((raw * 65535 + top // 2) // top).clip(max=65535).astype(np.uint16)
