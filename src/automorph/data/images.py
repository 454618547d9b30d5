"""Image files of any kind converted to uint8 arrays, one at a time, safely with Pillow."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from warnings import catch_warnings, filterwarnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from automorph.errors import DataError

Mode = Literal["grey", "rgb", "rgba"]
Size = tuple[int, int]
Box = Callable[[Size], tuple[int, int, int, int]]
"""Map height and width to the region that is cut out: top, left, height, width."""

MAX_PIXELS = 89_478_485
"""Larger images are refused unread: Pillow's own limit, 256 MiB of RGB."""

# Only formats decoded by a library: EPS, for example, would start an interpreter.
_FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
CHANNELS: dict[Mode, int] = {"grey": 1, "rgb": 3, "rgba": 4}
_PILLOW_MODE = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}
_GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}
_ORIENTATION = 0x0112
HEIC = "HEIC is not supported: convert it to JPEG or PNG"
_HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypmif1", b"ftypmsf1")


class BadImageError(DataError):
    """An image that cannot be used; the message is the reason, short enough for a list."""


def read_image(
    source: Any, *, mode: Mode | None = None, size: Size | None = None, box: Box | None = None
) -> NDArray[np.uint8]:
    """Read one image: bytes, path, PIL image or uint8 array in, uint8 (H, W, C) out.

    - EXIF orientation is applied; of an animation the first frame is read.
    - 16-bit grey is scaled, round(255 v / 65535); palette, CMYK, YCbCr and similar become RGB.
    - ``mode``: ``grey``, ``rgb`` or ``rgba``; None keeps grey images at C = 1 and converts all
      others to RGB. Transparency is dropped (not blended) unless ``mode`` is ``rgba``, which
      refuses images without it.
    - ``size`` (H, W): the image is scaled (bilinear, antialiased) to just cover the size, then
      cropped at the centre; or, with ``box``, the region that it returns for (height, width) is
      scaled to it.

    Raises BadImageError with the reason: missing, empty, not an image, truncated, too large, ...
    Too many pixels are an error only inside :func:`strict_pillow`; the limit of ``MAX_PIXELS``
    applies always.

    >>> read_image(np.full((2, 4), 7, np.uint8), size=(2, 2)).shape
    (2, 2, 1)
    """
    if isinstance(source, np.ndarray):
        return _read_array(source, mode, size)
    with _opened(source) as image:
        return to_uint8(image, mode=mode, size=size, box=box)


def to_uint8(
    image: Image.Image,
    *,
    mode: Mode | None = None,
    size: Size | None = None,
    box: Box | None = None,
) -> NDArray[np.uint8]:
    """Convert a PIL image to uint8 (H, W, C) by the rules of :func:`read_image`."""
    ImageOps.exif_transpose(image, in_place=True)
    grey = image.mode in _GREY
    if mode == "rgba" and not image.has_transparency_data:
        raise BadImageError(
            f"mode 'rgba' was requested, but the image has no alpha channel (mode {image.mode})"
        )
    image = _eight_bits(image)
    wanted = _PILLOW_MODE[mode] if mode else ("L" if grey else "RGB")
    if image.mode != wanted:
        image = image.convert(wanted)
    if size and box is not None:
        top, left, height, width = box((image.size[1], image.size[0]))
        cut = (left, top, left + width, top + height)
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR, box=cut)
    elif size and image.size != (size[1], size[0]):
        image = ImageOps.fit(image, (size[1], size[0]), method=Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def image_size(source: Any) -> Size:
    """Read height and width from the header alone (EXIF orientation applied)."""
    if isinstance(source, np.ndarray):
        return source.shape[0], source.shape[1]
    with _opened(source) as image:
        # Pillow applies the orientation of a TIFF itself.
        turned = image.format != "TIFF" and image.getexif().get(_ORIENTATION, 1) >= 5
        return image.size if turned else (image.size[1], image.size[0])


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Make Pillow's decompression-bomb warning an error and silence its other warnings."""
    with catch_warnings():
        filterwarnings("ignore", module=r"PIL\b")
        simplefilter("error", Image.DecompressionBombWarning)
        yield


@cache
def image_extensions() -> frozenset[str]:
    """Return the file extensions that count as images in a folder, lower case with the dot."""
    found = Image.registered_extensions()  # also loads Pillow's plugins
    return frozenset(ext for ext, name in found.items() if name in (*_FORMATS, "MPO"))


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@contextmanager
def _opened(source: Any) -> Iterator[Image.Image]:
    """Open a source and convert every error inside to BadImageError."""
    try:
        if isinstance(source, Image.Image):
            image = source.copy()
        elif isinstance(source, bytes):
            if not source:
                raise BadImageError("zero bytes")
            image = Image.open(BytesIO(source), formats=_formats())
        else:
            image = Image.open(_checked(Path(source)), formats=_formats())
        with image:
            pixels = image.size[0] * image.size[1]
            if pixels > MAX_PIXELS:
                raise BadImageError(_too_large(f"{pixels:,} pixels"))
            yield image
    except BadImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImageError(_too_large(_first_line(error))) from error
    except UnidentifiedImageError as error:
        unknown = HEIC if _is_heic(source) else "not an image that Pillow can read"
        raise BadImageError(unknown) from error
    except (OSError, SyntaxError, EOFError, IndexError, struct.error) as error:
        raise BadImageError(f"damaged or truncated: {_first_line(error)}") from error
    except Exception as error:  # decoders fail on hostile bytes in undocumented ways
        reason = f"cannot be decoded: {type(error).__name__}: {_first_line(error)}"
        raise BadImageError(reason) from error


def _is_heic(source: Any) -> bool:
    """Return whether a file, or its bytes, are HEIC, whatever the extension."""
    if isinstance(source, bytes):
        return source[4:12] in _HEIC
    with open(source, "rb") as file:
        return file.read(12)[4:] in _HEIC


def _checked(path: Path) -> Path:
    if not path.exists():
        raise BadImageError(f"no such file: {path}")
    if not path.is_file():
        raise BadImageError(f"not a file: {path}")
    if path.stat().st_size == 0:
        raise BadImageError("zero bytes")
    return path


def _eight_bits(image: Image.Image) -> Image.Image:
    deep = image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))
    if deep:  # Pillow's own conversion would clip at 255
        values = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise BadImageError(
            f"32-bit pixels (mode {image.mode}) have no standard range: save the image as 8-bit"
        )
    if image.mode in ("La", "RGBa"):  # premultiplied alpha converts only to straight alpha
        return image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    return image


def _read_array(pixels: NDArray[Any], mode: Mode | None, size: Size | None) -> NDArray[np.uint8]:
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
    return to_uint8(image, mode=kept, size=size)


def _too_large(what: str) -> str:
    return f"{what}: above the limit of {MAX_PIXELS:,} pixels (a decompression bomb?)"


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
