"""Files of more than 8 bits, written byte by byte for the tests of the data package."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def png16(values: NDArray[Any], *, more: bytes = b"") -> bytes:
    """A 16-bit PNG of values (H, W) or (H, W, C): grey, grey and alpha, RGB, RGBA."""
    planes = values if values.ndim == 3 else values[..., None]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[planes.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in planes)

    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", planes.shape[1], planes.shape[0], 16, kind, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff16(values: NDArray[Any], order: str = "<") -> bytes:
    """An uncompressed TIFF of 16-bit colours (H, W, 3), little- or big-endian."""
    height, width, _ = values.shape
    pixels = values.astype(f"{order}u2").tobytes()
    bits = 8 + len(pixels)
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 8), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, len(pixels)),
    ]  # fmt: skip
    content = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, bits + 6) + pixels
    content += struct.pack(order + "3HH", 16, 16, 16, len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        content += struct.pack(order + "HHI" + ("HH" if short else "I"), tag, kind, count,
                               *((value, 0) if short else (value,)))  # fmt: skip
    return content + bytes(4)


def exif_chunk(orientation: int) -> bytes:
    """The PNG chunk of an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    return (
        struct.pack(">I", len(body))
        + b"eXIf"
        + body
        + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    )


def deep_folder(root: Path, *, n: int = 20, seed: int = 0, part: str = "") -> Path:
    """Class folders of 16-bit PNG files that one threshold at 1,000 separates."""
    draw = np.random.default_rng(seed)
    for name, level in (("low", 900), ("high", 1100)):
        folder = root / part / name
        folder.mkdir(parents=True)
        for i in range(n):
            values = np.clip(draw.normal(level, 20, (8, 8)), 0, 65535).astype(np.uint16)
            (folder / f"{i:02}.png").write_bytes(png16(values))
    return root


def dicom(
    values: NDArray[Any],
    *,
    patient: str = "",
    photometric: str = "MONOCHROME2",
    bits: int = 12,
    **tags: Any,
) -> bytes:
    """A DICOM file of stored values (H, W), unsigned, in 16 bits each, with further tags."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", generate_uid()
    data.PatientID, data.StudyInstanceUID = patient, f"1.2.{len(patient)}"
    data.Rows, data.Columns = values.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, photometric
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelRepresentation = 0
    for name, value in tags.items():
        setattr(data, name, value)
    data.PixelData = values.astype("<u2").tobytes()
    stream = BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
