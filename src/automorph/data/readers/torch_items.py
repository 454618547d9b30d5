"""Map-style torch data sets, read item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data.class_values import class_value
from automorph.data.labels import listed
from automorph.data.notes import Notes
from automorph.data.readers.in_memory import detached
from automorph.data.readers.raw import RawData, Rows, numbered
from automorph.errors import DataError


def raw_from_torch(parts: Mapping[str, Any], *, name: str) -> RawData:
    """Read map-style torch data sets of ``(image, label)``, item by item.

    Images: PIL, uint8 arrays or tensors; float tensors in [0, 1] (as ``ToTensor`` makes) are scaled
    back. Class names are read from ``dataset.classes`` where it exists, as torchvision has it, also
    inside a ``Subset``; labels of a part with other names are matched by name.
    """
    rows = {}
    notes = Notes()
    declared = _class_names(parts["train"])
    for part, dataset in parts.items():
        items = [dataset[i] for i in range(len(dataset))]
        if not items or not isinstance(items[0], Sequence) or len(items[0]) < 2:
            raise DataError(
                f"{name}: the {part} part returns "
                f"{type(items[0]).__name__ if items else 'no items'}. Expected (image, label) for "
                "every index."
            )
        if len(items[0]) > 2:
            notes.ignored(f"entries of items after (image, label): {len(items[0]) - 2}")
        images = [_from_tensor(item[0], f"{part}[{i}]") for i, item in enumerate(items)]
        if not np.array_equal(np.asarray(images[0]), np.asarray(_from_tensor(dataset[0][0], name))):
            raise DataError(
                f"{name}: {part}[0] is another image each time it is read. Expected the same: "
                "leave random transforms out of the data set; training applies its own."
            )
        labels = [detached(item[1]) for item in items]
        own = _class_names(dataset)
        if own is not None and own != declared:
            labels = [_class_name(one, own) for one in labels]
        rows[part] = Rows(images, labels, numbered(part, len(items)))
    return RawData(name, "image", rows, classes=declared, notes=notes.lines)


def _class_names(dataset: Any) -> tuple[str, ...] | None:
    """Return the class names of a data set, or of the one or those inside it."""
    while dataset is not None:
        if (names := getattr(dataset, "classes", None)) is not None:
            return tuple(map(str, names))
        if isinstance(several := getattr(dataset, "datasets", None), list | tuple) and several:
            return _shared_names([_class_names(one) for one in several])
        dataset = getattr(dataset, "dataset", None)
    return None


def _shared_names(joined: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Return the class names of data sets that were put together."""
    different = list(dict.fromkeys(joined))
    if len(different) == 1:
        return different[0]
    shown = "; ".join("no names" if one is None else listed(one) for one in different[:3])
    raise DataError(
        f"data sets were put together whose classes differ: {shown}. Expected the same classes in "
        "the same order, since a label is a position among them: rewrite the labels of each "
        "(target_transform) and its classes, or pass arrays with the names of the classes."
    )


def _class_name(label: Any, names: tuple[str, ...]) -> Any:
    """Return the name of a label that is a position; any other label as it is."""
    place = class_value(label)
    return names[place] if isinstance(place, int) and 0 <= place < len(names) else label


def _from_tensor(image: Any, name: str) -> Any:
    """Convert a channels-first tensor to uint8 (H, W, C); return arrays and PIL images as given."""
    if not hasattr(image, "detach"):
        return image
    pixels: NDArray[Any] = detached(image)
    if pixels.dtype != np.uint8:
        if pixels.min(initial=0) < 0 or pixels.max(initial=0) > 1:
            raise DataError(
                f"{name}: a {pixels.dtype} tensor with values from {pixels.min():.3g} to "
                f"{pixels.max():.3g}. Expected uint8, or floats in [0, 1]: leave normalisation and "
                "random transforms out of the data set; training applies its own."
            )
        pixels = np.rint(pixels * 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4):
        pixels = pixels.transpose(1, 2, 0)
    return np.ascontiguousarray(pixels)
