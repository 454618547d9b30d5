"""Image files opened safely with Pillow; every failure becomes a short reason."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from warnings import catch_warnings, filterwarnings, simplefilter

from PIL import Image, ImageFile, UnidentifiedImageError

from automorph.data.deep_pixels import deep_kind
from automorph.data.dicom import DicomError
from automorph.errors import DataError, MissingExtraError

MAX_PIXELS = 89_478_485
"""Larger images are refused unread: Pillow's own limit, 256 MiB of RGB."""

# Only formats decoded by a library: EPS, for example, would start an interpreter.
_FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
HEIC = "HEIC is not supported: convert it to JPEG or PNG"
_HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypmif1", b"ftypmsf1")


class BadImageError(DataError):
    """An image that cannot be used; the message is the reason, short enough for a list."""


@contextmanager
def opened(source: Any) -> Iterator[Image.Image]:
    """Open a source and convert every error inside to BadImageError."""
    with reasons(source):
        if isinstance(source, Image.Image):
            # A copy of colours that Pillow has not loaded yet would have their high bytes only.
            colours = isinstance(source, ImageFile.ImageFile) and source.mode in ("RGB", "RGBA")
            unread = colours and deep_kind(source) is not None
            image = open_image(reopenable(source, source)) if unread else source.copy()
        elif isinstance(source, bytes):
            if not source:
                raise BadImageError("zero bytes")
            image = open_image(source)
        else:
            image = open_image(checked(Path(source)))
        with image:
            pixels = image.size[0] * image.size[1]
            if pixels > MAX_PIXELS:
                raise BadImageError(too_large(f"{pixels:,} pixels"))
            yield image


def open_image(source: bytes | Path) -> Image.Image:
    """Open bytes or a file without loading the pixels."""
    file: Any = BytesIO(source) if isinstance(source, bytes) else source
    return Image.open(file, formats=_formats())


def reopenable(source: Any, image: Image.Image) -> bytes | Path:
    """Return the bytes or the path of an image, to open it a second time."""
    if not isinstance(source, Image.Image):
        return source if isinstance(source, bytes) else Path(source)
    file: Any = getattr(image, "fp", None)
    if file is None or not file.seekable():
        raise BadImageError(
            f"a PIL image of {image.mode} with 16 bits whose file is closed: pass its path or bytes"
        )
    before = file.tell()
    file.seek(0)
    content: bytes = file.read()
    file.seek(before)
    return content


@contextmanager
def reasons(source: Any) -> Iterator[None]:
    """Convert every error inside to BadImageError with a short reason."""
    try:
        yield
    except (BadImageError, MissingExtraError):
        raise
    except DicomError as error:
        raise BadImageError(str(error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImageError(too_large(first_line(error))) from error
    except UnidentifiedImageError as error:
        unknown = HEIC if _is_heic(source) else "not an image that Pillow can read"
        raise BadImageError(unknown) from error
    except (OSError, SyntaxError, EOFError, IndexError, struct.error) as error:
        raise BadImageError(f"damaged or truncated: {first_line(error)}") from error
    except Exception as error:  # decoders fail on hostile bytes in undocumented ways
        reason = f"cannot be decoded: {type(error).__name__}: {first_line(error)}"
        raise BadImageError(reason) from error


def _is_heic(source: Any) -> bool:
    """Return whether a file, or its bytes, are HEIC, whatever the extension."""
    if isinstance(source, bytes):
        return source[4:12] in _HEIC
    with open(source, "rb") as file:
        return file.read(12)[4:] in _HEIC


def checked(path: Path) -> Path:
    """Return the path of a file that is not empty; raise BadImageError otherwise."""
    if not path.exists():
        raise BadImageError(f"no such file: {path}")
    if not path.is_file():
        raise BadImageError(f"not a file: {path}")
    if path.stat().st_size == 0:
        raise BadImageError("zero bytes")
    return path


_WHOLE = 32 << 20
"""Bytes of the largest file that is read at once; Pillow reads larger ones as it needs them."""


def content_of(source: Any) -> Any:
    """Return the bytes of a file, unless it is very large; other sources as they are.

    Raises BadImageError for a file that cannot be read.
    """
    if not isinstance(source, str | os.PathLike):
        return source
    with reasons(source):
        try:
            with open(source, "rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size > _WHOLE:
                    return source
                content = file.read()
        except (OSError, ValueError):
            checked(Path(source))  # Gives a better reason, if it is a common one.
            raise
        return content or checked(Path(source))


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
def strict_pillow() -> Iterator[None]:
    """Make Pillow's decompression-bomb warning an error and silence its other warnings."""
    with catch_warnings():
        filterwarnings("ignore", module=r"PIL\b")
        simplefilter("error", Image.DecompressionBombWarning)
        yield


def too_large(what: str) -> str:
    """Return the reason for refusing an image of too many pixels."""
    return f"{what}: above the limit of {MAX_PIXELS:,} pixels (a decompression bomb?)"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its type."""
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
