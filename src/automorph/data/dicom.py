"""DICOM files: their values, windows, and the numbers of patients and studies."""

from __future__ import annotations

import os
import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.deep_pixels import DICOM, FULL, DeepImage, Window
from automorph.errors import DataError, MissingExtraError

ENDINGS = (".dcm", ".dicom")
COLUMNS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
"""The columns that every set of DICOM images has, by their DICOM keywords."""
_MAGIC, _AT = b"DICM", 128
_OLDEST = (3, 0, 1)
_GREY = ("MONOCHROME1", "MONOCHROME2")


class DicomError(DataError):
    """A DICOM file without one usable image; the message is the reason, for a list."""


def is_dicom(source: Any) -> bool:
    """Return whether bytes or a file are DICOM: by the ending, else by the mark at byte 128.

    Only files without an ending are opened to look for the mark.
    """
    if isinstance(source, bytes):
        return source[_AT : _AT + 4] == _MAGIC
    if not isinstance(source, str | os.PathLike):
        return False
    ending = os.path.splitext(source)[1]
    if ending.lower() in ENDINGS:
        return True
    # Archives of hospitals name files IM000001, or by a number with dots: 1.2.840.113619.2.
    if ending not in ("", ".") and not ending[1:].isdecimal():
        return False
    try:
        with open(source, "rb") as file:
            file.seek(_AT)
            return file.read(4) == _MAGIC
    except OSError:
        return False


def read_dicom(source: Any) -> DeepImage | NDArray[np.uint8]:
    """Read the one image of a DICOM file: values of grey images, or levels of colour ones.

    Values are in the unit of the file (Hounsfield units for CT): stored values times the rescale
    slope plus the intercept, or looked up in its modality table. Colours (RGB, YBR, palettes) of
    8 bits are levels, uint8 (H, W, 3). Raises `DicomError` for several frames, no image, or a
    compression that cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Files with small faults are common, and still readable.
        header = _header(source)
        _check(header)
        pixels, photometric = _pixels(header)
        if photometric not in _GREY:
            return _colours(header, pixels, photometric)
        from pydicom.pixels import apply_modality_lut

        values = np.asarray(apply_modality_lut(pixels, header))
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if not np.isfinite(values).all():
            raise DicomError("rescaled values that are not finite")
        inverted = photometric == "MONOCHROME1"
        own = own_window(header)
        if not _is_deep(header):
            levels = values.astype(np.uint8)
            return 255 - levels if inverted else levels
        return DeepImage(values, DICOM, None, inverted, own, _padding(header))


def dicom_depth(source: Any) -> tuple[str | None, Window | None, int]:
    """Return the kind of deep values (None: 8-bit levels), the first stated window, and how many.

    Only the header is read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = _header(source, defer_size=1024)
        _check(header)
        if not _is_deep(header):
            return None, None, 0
        own, centre = own_window(header), header.get("WindowCenter")
        several = len(centre) if hasattr(centre, "__len__") else 1
        return DICOM, own, several if own else 0


def dicom_size(source: Any) -> tuple[int, int]:
    """Return height and width by the header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = _header(source, defer_size=1024)
        _check(header)
        return int(header.Rows), int(header.Columns)


def own_window(header: Any) -> Window | None:
    """Return the first window that a file states (centre and width), or None.

    The standard's function LINEAR maps centre - 1/2 - (width - 1)/2 to black.
    """
    centre, width = (_first(header.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or width < 1:
        return None
    kind = str(header.get("VOILUTFunction") or "LINEAR")
    if kind == "LINEAR" and width > 1:
        return Window(centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)
    return Window(centre - width / 2, centre + width / 2) if kind == "LINEAR_EXACT" else None


def dicom_facts(source: Any) -> dict[str, str]:
    """Return the numbers of patient, study and series of a file; empty where it has none.

    Nothing but the header is read. A file that cannot be read has no numbers.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = _header(source, stop_before_pixels=True, specific_tags=[*COLUMNS])
            return {name: str(header.get(name) or "").strip() for name in COLUMNS}
    except MissingExtraError:
        raise
    except Exception:
        # What is wrong with the file is reported when its pixels are read.
        return dict.fromkeys(COLUMNS, "")


def _header(source: Any, **options: Any) -> Any:
    pydicom = _pydicom()
    file = BytesIO(source) if isinstance(source, bytes) else os.fspath(source)
    try:
        # Old files lack the mark at byte 128; the ending says that they are DICOM.
        return pydicom.dcmread(file, force=True, **options)
    except pydicom.errors.InvalidDicomError as error:
        raise DicomError(f"not a DICOM file: {error}") from error


def _check(header: Any) -> None:
    rows, columns = header.get("Rows"), header.get("Columns")
    if not any(name in header for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        kind = header.get("Modality")
        what = f"modality {kind}" if kind else "no modality stated"
        raise DicomError(f"a DICOM file without an image ({what})")
    if not rows or not columns:
        raise DicomError("a DICOM file that does not state its rows and columns")
    try:
        frames = int(header.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        frames = 1
    if frames > 1:
        raise DicomError(
            f"a multi-frame DICOM file ({frames:,} frames): expected one image for each file; "
            "save the frames that you need as files of their own"
        )


def _pixels(header: Any) -> tuple[NDArray[Any], str]:
    """Return the stored values, and how the decoder says that they are to be seen."""
    if "PixelData" not in header:
        name = "FloatPixelData" if "FloatPixelData" in header else "DoubleFloatPixelData"
        return np.asarray(header.pixel_array), str(header.get("PhotometricInterpretation") or name)
    from pydicom.pixels import get_decoder

    meta = getattr(header, "file_meta", None)
    syntax = getattr(meta, "TransferSyntaxUID", None) or _implied_syntax(header)
    if meta is None or not getattr(meta, "TransferSyntaxUID", None):
        header.file_meta = meta or _pydicom().dataset.FileMetaDataset()
        header.file_meta.TransferSyntaxUID = syntax
    try:
        # The data set's own tag stays YBR_FULL after pixel_array has turned the pixels to RGB.
        pixels, found = get_decoder(syntax).as_array(header)
    except (RuntimeError, NotImplementedError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise DicomError(
            f"compressed as {getattr(syntax, 'name', syntax)}, which cannot be read here "
            f"({lines[-1].strip()[:120]}): save it uncompressed, or install a decoder for pydicom "
            "such as pylibjpeg or python-gdcm"
        ) from error
    return np.asarray(pixels), str(found["photometric_interpretation"])


def _implied_syntax(header: Any) -> Any:
    """Return the syntax of a file without a header of its own, as pydicom detected it."""
    uid = _pydicom().uid
    implicit, little = header.original_encoding
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


def _colours(header: Any, pixels: NDArray[Any], photometric: str) -> DeepImage | NDArray[np.uint8]:
    if photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        pixels = np.asarray(apply_color_lut(pixels, header))[..., :3]
        return FULL(pixels) if pixels.dtype == np.uint16 else pixels.astype(np.uint8)
    if pixels.ndim != 3 or pixels.shape[-1] != 3:
        raise DicomError(f"pixels of shape {pixels.shape} and kind {photometric} are not supported")
    if photometric != "RGB":
        from pydicom.pixels import convert_color_space

        pixels = convert_color_space(pixels, photometric, "RGB")
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    return DeepImage(np.ascontiguousarray(pixels), DICOM)


def _is_deep(header: Any) -> bool:
    """Return whether a file holds more than plain 8-bit levels, by its header alone."""
    eight = header.get("BitsAllocated") == 8 and "PixelData" in header
    if str(header.get("PhotometricInterpretation")) not in _GREY:
        return not eight and str(header.get("PhotometricInterpretation")) != "PALETTE COLOR"
    slope, intercept = (header.get(f"Rescale{name}") for name in ("Slope", "Intercept"))
    plain = (1 if slope is None else slope) == 1 and not intercept
    plain &= header.get("BitsStored") == 8 and not header.get("PixelRepresentation")
    return not (
        eight and plain and "ModalityLUTSequence" not in header and own_window(header) is None
    )


def _padding(header: Any) -> tuple[float, float] | None:
    """Return the lowest and highest rescaled value of padding, one value if no limit is stated."""
    value = _first(header.get("PixelPaddingValue"))
    if value is None:
        return None
    limit = _first(header.get("PixelPaddingRangeLimit"))
    slope, intercept = (header.get(f"Rescale{name}") for name in ("Slope", "Intercept"))
    ends = sorted(
        end * float(1 if slope is None else slope) + float(intercept or 0)
        for end in (value, value if limit is None else limit)
    )
    return ends[0], ends[1]


def _first(value: Any) -> float | None:
    """Return the first of one or several numbers; None for anything else."""
    if value is None or isinstance(value, str):
        return None
    try:
        return float(value if not hasattr(value, "__len__") else value[0])
    except (TypeError, ValueError, IndexError):
        return None


@cache
def _pydicom() -> Any:
    # Before the import: that of 3.0.0 downloads files (findings/pydicom_import.sh).
    try:
        installed = version("pydicom")
    except PackageNotFoundError:
        installed = None
    if installed is None or _numbers(installed) < _OLDEST:
        what = "is not installed" if installed is None else f"is installed in version {installed}"
        raise MissingExtraError(
            f"Reading DICOM files needs pydicom {'.'.join(map(str, _OLDEST))} or later; it "
            f"{what}: pip install 'automorph[dicom]'."
        )
    import pydicom

    return pydicom


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())
