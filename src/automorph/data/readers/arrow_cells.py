"""Cells of Arrow columns as Python values: encoded images, tensors, lists, labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.image_opening import BadImageError
from automorph.data.images import image_size

IMAGE = {"_type": "Image"}
_EXTENSION = b"ARROW:extension:name"
_ABOUT = b"ARROW:extension:metadata"


def features_of(schema: Any) -> dict[str, Any]:
    """Read Hugging Face features from an Arrow schema; columns of bytes or tensors are images."""
    metadata = (schema.metadata or {}).get(b"huggingface")
    declared = json.loads(metadata).get("info", {}).get("features") if metadata else None
    images = {column.name: IMAGE for column in schema if _holds_images(column)}
    return {**images, **(declared or {})}


def word_columns(schema: Any) -> tuple[str, ...]:
    """Return the columns that hold words, plain or as categories."""
    kinds = {column.name: getattr(column.type, "value_type", column.type) for column in schema}
    return tuple(
        name for name, kind in kinds.items() if str(kind).endswith(("string", "string_view"))
    )


def cells_of(field: Any, column: Any) -> list[Any]:
    """Return the cells of a chunked column whose schema entry is ``field``.

    Tensors become arrays of their shape, whether pyarrow knows them, or they were written as flat
    lists with the shape in the metadata of the field (as Ray does). Numbers of 32 bits stay so,
    since 0.1 would become 0.10000000149 as a Python float.
    """
    if (shape := _shape(field)) is not None:
        return [
            None if cell is None else _flat(cell).reshape(shape)
            for chunk in column.chunks
            for cell in _storage(chunk)
        ]
    if str(field.type) in ("float", "halffloat"):
        return [
            None if cell is None else kind(cell)
            for kind in [np.float32 if str(field.type) == "float" else np.float16]
            for cell in column.to_pylist()
        ]
    cells: list[Any] = column.to_pylist()
    return cells


def pixels_of(value: Any) -> NDArray[Any] | str:
    """Return numbers as an array of pixels ``(H, W)`` or ``(H, W, C)``, or why they are none.

    Whole numbers of any type from 0 to 255 are uint8.

    >>> pixels_of([[0, 255], [3, 4]]).dtype, pixels_of([1, 2, 3])
    (dtype('uint8'), 'a flat list of 3 numbers without a shape (height, width, channels)')
    """
    if isinstance(value, Mapping):  # as Ray writes images of different sizes
        value = np.asarray(value["data"]).reshape(value["shape"])
    try:
        pixels = np.asarray(value)
    except ValueError:
        return "a list of rows of different lengths"
    if pixels.dtype.kind not in "iuf":
        return f"a list, not of numbers but {pixels.dtype}"
    if pixels.ndim == 1:
        return f"a flat list of {pixels.size:,} numbers without a shape (height, width, channels)"
    if pixels.dtype.kind in "iu" and pixels.size and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8)
    return pixels


def encoded_image(value: Any) -> bytes | None:
    """Return a flat list of the bytes of an image file as bytes; None for any other value."""
    if not isinstance(value, list | np.ndarray) or np.ndim(value[:1]) != 1:
        return None
    try:
        content = bytes(value)
        image_size(content)
    except (BadImageError, TypeError, ValueError):
        return None
    return content


def _holds_images(field: Any) -> bool:
    kind = str(field.type)
    if kind.startswith(("binary", "large_binary", "fixed_size_binary")):
        return True
    names = {field.type.field(i).name for i in range(field.type.num_fields)}
    if kind.startswith("struct"):
        return "bytes" in names or {"data", "shape"} <= names
    shape = _shape(field)
    return len(shape) in (2, 3) if shape is not None else _depth(field.type) >= 2


def _depth(kind: Any) -> int:
    """Return how deep lists of numbers are nested; 0 for anything else."""
    depth = 0
    while "list" in str(kind).partition("<")[0]:
        depth, kind = depth + 1, kind.value_type
    return depth if "int" in str(kind) or str(kind) in ("float", "double", "halffloat") else 0


def _shape(field: Any) -> tuple[int, ...] | None:
    """Return the shape of the tensors of a column; None if it holds none, or of several shapes."""
    shape = getattr(field.type, "shape", None)
    if shape is not None:
        return None if None in shape else tuple(shape)
    metadata = field.metadata or {}
    if b"fixed_shape_tensor" in metadata.get(_EXTENSION, b"") or metadata.get(
        _EXTENSION, b""
    ).startswith(b"ray.data.arrow_tensor"):
        about = json.loads(metadata.get(_ABOUT, b"null"))
        found = about.get("shape") if isinstance(about, dict) else about
        return tuple(found) if isinstance(found, list) else None
    return None


def _storage(chunk: Any) -> Any:
    return (cell if cell.is_valid else None for cell in getattr(chunk, "storage", chunk))


def _flat(cell: Any) -> NDArray[Any]:
    values = cell.values
    while hasattr(values, "flatten") and "list" in str(values.type).partition("<")[0]:
        values = values.flatten()
    return np.asarray(values)
