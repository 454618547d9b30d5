"""Image files of any kind converted to uint8 arrays, one at a time, safely with Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from automorph.data.cut import Box, Cut, Size, is_jpeg
from automorph.data.deep_pixels import (
    FULL,
    OWN,
    SIXTEEN,
    DeepImage,
    Window,
    deep_kind,
    deep_values,
)
from automorph.data.dicom import dicom_depth, dicom_size, is_dicom, read_dicom
from automorph.data.image_opening import (
    MAX_PIXELS,
    BadImageError,
    checked,
    open_image,
    opened,
    reasons,
    reopenable,
    too_large,
)
from automorph.data.orientation import UPRIGHT, orientation_of, upright_size
from automorph.data.resizing import COVER, Resizing

Mode = Literal["grey", "rgb", "rgba"]
CHANNELS: dict[Mode, int] = {"grey": 1, "rgb": 3, "rgba": 4}
_PILLOW_MODE = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}
_GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}
FRAMES = "only the first of several frames is read"
TRANSPARENCY = "transparency is dropped (keep it with mode='rgba')"


class NoWindowError(BadImageError):
    """An image of more than 8 bits was read without a window."""


class Read(NamedTuple):
    """The pixels of an image, and a remark on what was guessed, often empty.

    ``scale`` is the divisor by which a JPEG file was decoded smaller than it is; 1: in full.
    """

    pixels: NDArray[np.uint8]
    remark: str = ""
    scale: int = 1


def read_image(
    source: Any,
    *,
    mode: Mode | None = None,
    size: Size | None = None,
    box: Box | None = None,
    window: Window | None = None,
    resizing: Resizing = COVER,
) -> NDArray[np.uint8]:
    """Read one image: bytes, path, PIL image or uint8 array in, uint8 (H, W, C) out.

    - EXIF orientation is applied, unless the EXIF data cannot be read; of an animation the first
      frame is read.
    - Values of more than 8 bits are mapped by ``window``. Without it, 16-bit images, grey or
      colour, are scaled, round(255 v / 65535); DICOM values and 32-bit pixels, which have no
      standard range, are refused. (Data sets choose one window for all images: see
      :func:`automorph.data.load_data`.)
    - Palette, CMYK, YCbCr and similar become RGB.
    - ``mode``: ``grey``, ``rgb`` or ``rgba``; None keeps grey images at C = 1 and converts all
      others to RGB. Transparency is dropped (not blended) unless ``mode`` is ``rgba``, which
      refuses images without it.
    - ``size`` (H, W): the image is scaled (antialiased) to just cover the size, then cropped at the
      centre, as ``resizing`` says; or, with ``box``, the region that it returns for (height, width)
      is scaled to it.

    Raises BadImageError with the reason: missing, empty, not an image, truncated, too large, ...
    Too many pixels are an error only inside :func:`strict_pillow`; the limit of ``MAX_PIXELS``
    applies always.

    >>> read_image(np.full((2, 4), 7, np.uint8), size=(2, 2)).shape
    (2, 2, 1)
    """
    return read_with_remarks(
        source, mode=mode, size=size, box=box, window=window or FULL, resizing=resizing
    ).pixels


def read_with_remarks(
    source: Any,
    *,
    mode: Mode | None = None,
    size: Size | None = None,
    box: Box | None = None,
    window: Window | None = None,
    resizing: Resizing = COVER,
) -> Read:
    """Read one image like `read_image`; also return what was guessed, and how it was decoded.

    Raises NoWindowError if the image has more than 8 bits and ``window`` is None.
    """
    if isinstance(source, np.ndarray):
        return Read(_read_array(source, mode, size, resizing))
    dicom = _dicom_or_none(source)
    if isinstance(dicom, np.ndarray):
        return Read(_read_array(dicom, mode, size, resizing))
    if dicom is not None:
        return Read(_fitted(_image_of(dicom, window), mode, Cut(size, box, resizing)))
    with opened(source) as image:
        several = _has_frames(image)  # before the pixels are loaded: it moves through a GIF
        deep = deep_values(image, lambda: open_image(reopenable(source, image)))
        cut = Cut(size, box, resizing)
        if deep is None:
            cut = cut.reduced(image)
        # After the values are loaded: Pillow turns a TIFF itself, and then drops its tag.
        image.load()
        clear = mode != "rgba" and _is_transparent(image)
        orientation, remark = orientation_of(image)
        remarks = [remark, FRAMES if several else "", TRANSPARENCY if clear else ""]
        if deep is not None:
            image = _image_of(deep, window)
        if orientation in UPRIGHT:
            image = image.transpose(UPRIGHT[orientation])
        pixels = _fitted(image, mode, cut)
    return Read(pixels, "; ".join(filter(None, remarks)), cut.scale)


def deep_image(source: Any) -> DeepImage | None:
    """Return the values of an image of more than 8 bits, as they are stored; None for 8 bits."""
    if isinstance(source, np.ndarray):
        return None
    dicom = _dicom_or_none(source)
    if dicom is not None:
        return dicom if isinstance(dicom, DeepImage) else None
    with opened(source) as image:
        return deep_values(image, lambda: open_image(reopenable(source, image)))


@dataclass(frozen=True)
class Depth:
    """The kind of deep values of an image, None for 8 bits, and the window that its file states.

    ``stated`` is the number of windows in the file; ``own`` is the first.
    ``remark`` is that of `read_with_remarks`, often empty. ``jpeg`` is the upright size (W, H) of a
    JPEG file.
    """

    kind: str | None
    own: Window | None = None
    remark: str = ""
    stated: int = 0
    jpeg: Size | None = None


def depth_of(source: Any) -> Depth:
    """Read the depth of an image, and what its header leaves open, without decoding it."""
    if isinstance(source, np.ndarray):
        return Depth(None)
    if not isinstance(source, Image.Image) and is_dicom(source):
        with reasons(source):
            content = source if isinstance(source, bytes) else checked(Path(source))
            kind, own, stated = dicom_depth(content)
            return Depth(kind, own, stated=stated)
    with opened(source) as image:
        kind = deep_kind(image)  # before Pillow looks for EXIF data and loads the pixels
        # Pillow applies the orientation of a TIFF itself.
        remark = "" if image.format == "TIFF" else orientation_of(image)[1]
        frames = FRAMES if _has_frames(image) else ""
        jpeg = upright_size(image) if is_jpeg(image) else None
        return Depth(kind, remark="; ".join(filter(None, (remark, frames))), jpeg=jpeg)


def _fitted(image: Image.Image, mode: Mode | None, cut: Cut) -> NDArray[np.uint8]:
    """Convert an upright PIL image to uint8 (H, W, C) of the mode and size."""
    grey = image.mode in _GREY
    if mode == "rgba" and not image.has_transparency_data:
        raise BadImageError(
            f"mode 'rgba' was requested, but the image has no alpha channel (mode {image.mode})"
        )
    if image.mode in ("La", "RGBa"):  # premultiplied alpha converts only to straight alpha
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    wanted = _PILLOW_MODE[mode] if mode else ("L" if grey else "RGB")
    if image.mode != wanted:
        image = image.convert(wanted)
    pixels = np.asarray(cut.of(image), dtype=np.uint8)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _image_of(deep: DeepImage, window: Window | None) -> Image.Image:
    """Map deep values to an 8-bit PIL image."""
    if window is None:
        raise NoWindowError(f"{deep.kind} values need a window")
    if window == OWN:
        if deep.own is None:
            raise BadImageError("no linear window (VOI) is stated in this file")
        window = deep.own
    if window == FULL and deep.kind != SIXTEEN:
        raise BadImageError(
            f"{deep.kind} pixels have no standard range: pass window=(LOW, HIGH), the values that "
            "become black and white, or save the image as 8-bit"
        )
    if not np.isfinite(deep.values).all():
        raise BadImageError("pixels that are not finite (NaN or infinity)")
    return Image.fromarray(deep.levels(window))


def _dicom_or_none(source: Any) -> DeepImage | NDArray[np.uint8] | None:
    if isinstance(source, Image.Image) or not is_dicom(source):
        return None
    with reasons(source):
        found = read_dicom(source if isinstance(source, bytes) else checked(Path(source)))
        height, width = (found if isinstance(found, np.ndarray) else found.values).shape[:2]
        if height * width > MAX_PIXELS:
            raise BadImageError(too_large(f"{height * width:,} pixels"))
        return found


def _has_frames(image: Image.Image) -> bool:
    """Return whether a file holds more than one picture."""
    # Photographs of telephones hold previews as further frames of an MPO.
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _is_transparent(image: Image.Image) -> bool:
    """Return whether a pixel of an image may be seen through."""
    if not image.has_transparency_data:
        return False
    alpha: Any = image.getchannel("A").getextrema() if "A" in image.getbands() else (0, 0)
    return bool(alpha[0] != 255)


def image_size(source: Any) -> Size:
    """Read height and width from the header alone (EXIF orientation applied)."""
    if isinstance(source, np.ndarray):
        return source.shape[0], source.shape[1]
    if not isinstance(source, Image.Image) and is_dicom(source):
        with reasons(source):
            return dicom_size(source if isinstance(source, bytes) else checked(Path(source)))
    with opened(source) as image:
        width, height = upright_size(image)
        return height, width


def _read_array(
    pixels: NDArray[Any], mode: Mode | None, size: Size | None, resizing: Resizing
) -> NDArray[np.uint8]:
    if pixels.dtype != np.uint8:
        raise BadImageError(f"array of {pixels.dtype}: expected uint8, 0 to 255")
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise BadImageError(
            f"array of shape {pixels.shape}: expected (H, W, C) with 1, 3 or 4 channels"
        )
    channels = CHANNELS[mode] if mode else pixels.shape[2]
    if pixels.shape[2] == channels and size in (None, pixels.shape[:2]):
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    kept: Mode | None = "rgba" if mode is None and channels == 4 else mode
    return _fitted(image, kept, Cut(size, None, resizing))
