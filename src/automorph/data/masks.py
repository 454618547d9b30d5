"""Masks read from their cells: a class number for each pixel of an image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from automorph.data.annotated import Annotated, is_missing
from automorph.data.annotation import Annotation
from automorph.data.cut import Size
from automorph.data.image_opening import BadImageError, opened, strict_pillow
from automorph.data.images import image_size
from automorph.data.labels import listed
from automorph.data.notes import Notes, shortened
from automorph.data.readers.raw import RawData, Rows
from automorph.data.resizing import COVER, Resizing
from automorph.errors import DataError, UsageError

Mask = NDArray[np.uint8]
IGNORE = 255
"""The value of pixels that count neither in a loss nor in a metric."""
MOST = 150
"""More different values are those of a picture, not of a mask."""
_PALETTE = "masks with a palette are read by its index"
_GREY = "masks that are stored in colour, with equal channels, are read by the first one"


def read_mask(source: Any) -> tuple[Mask, str]:
    """Read one mask: bytes, path, PIL image or array in, uint8 (H, W) out, and a remark.

    Raises BadImageError with the reason: not an image, colours, fractions, values above 255, ...

    >>> read_mask(np.array([[True, False]]))[0].tolist()
    [[1, 0]]
    """
    if isinstance(source, str):  # What a table says of a cell that is no image.
        raise BadImageError(source)
    if isinstance(source, np.ndarray | tuple):
        return _numbers(np.asarray(source)), ""
    with strict_pillow(), opened(source) as image:
        if image.format == "JPEG":
            raise BadImageError("a JPEG file, whose compression changes numbers: save it as PNG")
        image.load()
        if image.mode in ("RGB", "RGBA"):
            colours = np.asarray(image)[..., :3]
            if (colours != colours[..., :1]).any():
                raise BadImageError(
                    "a picture in colour: save one class number for each pixel, grey or with a "
                    "palette"
                )
            return np.ascontiguousarray(colours[..., 0]), _GREY
        if image.mode in ("LA", "PA"):
            image = image.getchannel(0)
        return _numbers(np.asarray(image)), _PALETTE if image.mode == "P" else ""


def _numbers(pixels: NDArray[Any]) -> Mask:
    """Return an array as class numbers. Raises BadImageError."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or 0 in pixels.shape:
        raise BadImageError(f"an array of shape {pixels.shape}: expected (H, W)")
    if pixels.dtype.kind not in "biu":
        nan = pixels.dtype.kind == "f" and np.isnan(pixels).any()
        what = "NaN" if nan else f"{pixels.dtype} values"
        raise BadImageError(f"{what}: expected whole numbers, the classes of the pixels")
    if pixels.min() < 0 or pixels.max() > IGNORE:
        raise BadImageError(
            f"values from {pixels.min()} to {pixels.max()}: expected class numbers from 0, and "
            f"{IGNORE} for pixels to ignore"
        )
    return pixels.astype(np.uint8)


@dataclass(frozen=True)
class Masks:
    """The masks of a source: their cells, the class of each value, and how they are resized."""

    parts: Mapping[str, Rows]
    classes: Mask
    resizing: Resizing = COVER

    def of(self, part: str, rows: NDArray[np.intp], shape: tuple[int, ...]) -> Mask:
        """Return the masks of some rows, uint8 (n, H, W), for images of a shape (H, W, C)."""
        size = (shape[0], shape[1])
        found = np.empty((len(rows), *size), np.uint8)
        nearest = replace(self.resizing, interpolation="nearest")
        for number, row in enumerate(rows.tolist()):
            mask = self.classes[read_mask(self.parts[part].labels[row])[0]]
            if mask.shape != size:
                # The same region as of the image, so that they still cover each other.
                mask = np.asarray(nearest.fit(Image.fromarray(mask), size))
            found[number] = mask
        return found


def read_masks(raw: RawData, notes: Notes, *, ignoring: bool | None = None) -> Annotated:
    """Read the values of all masks, and note or refuse what they leave open.

    ``ignoring``: whether 255 marked pixels to ignore in the training of the network that predicts
    these examples; None: they are to be trained on.
    """
    if raw.domain != "image":
        raise UsageError(
            f"{raw.name} contains texts, but target='masks' is for images; expected "
            "target='classes', 'labels' or 'values'"
        )
    values: dict[str, dict[int, NDArray[np.intp]]] = {}
    bad: dict[str, dict[int, str]] = {}
    remarks: Counter[str] = Counter()
    for part, rows in raw.parts.items():
        values[part], bad[part] = {}, {}
        for row in range(len(rows.ids)):
            if row in rows.bad:
                continue
            try:
                mask, remark = _checked(rows, row)
            except BadImageError as error:
                bad[part][row] = f"mask: {error}"
                continue
            values[part][row] = np.flatnonzero(np.bincount(mask.ravel(), minlength=IGNORE + 1))
            remarks[remark] += 1
    notes.add(*(remark for remark in remarks if remark))
    seen = [one for found in values.values() for one in found.values()]
    if not seen:
        where, why = next(
            ((raw.parts[part].ids[row], why) for part, rows in bad.items()
             for row, why in rows.items()), ("", ""),
        )  # fmt: skip
        raise DataError(
            f"{raw.name}: no mask can be read{f' ({where}: {why})' if why else ''}. Check the "
            "column or folder of masks."
        )
    occurring = np.unique(np.concatenate(seen))
    names, to_class = _classes(raw, occurring, notes, ignoring=ignoring)
    known = len(names)
    for part, found in values.items():
        for row, own in found.items():
            beyond = own[(own >= known) & (to_class[own] == own) & (own != IGNORE)]
            if len(beyond):
                bad[part][row] = (
                    f"mask: the value {beyond[0]} is beyond the {known} classes (0 to {known - 1})"
                )
            elif (to_class[own] == IGNORE).all():
                bad[part][row] = f"mask: all pixels are {IGNORE}, which is ignored"
    ignored = bool((to_class[occurring] == IGNORE).any())
    if ignored:
        count = sum(int(IGNORE in own) for own in seen)
        notes.add(
            f"pixels of the value {IGNORE} are ignored ({count:,} of {len(seen):,} masks have some)"
        )
    train = [to_class[own] for row, own in values["train"].items() if row not in bad["train"]]
    drawn = set(np.concatenate(train).tolist()) if train else set()
    absent = [name for k, name in enumerate(names) if k not in drawn]
    if absent and ignoring is None:
        notes.add(f"classes without pixels in the training masks: {listed(absent)}")
    strata = {part: np.zeros(len(rows.ids), np.int64) for part, rows in raw.parts.items()}
    annotation = Annotation("masks", names, IGNORE if ignored else None)
    masks = Masks(raw.parts, to_class)
    usual = Annotated(annotation, strata, ("all",), masks.of, bad)
    return replace(usual, resized=lambda way: replace(usual, make=replace(masks, resizing=way).of))


def _checked(rows: Rows, row: int) -> tuple[Mask, str]:
    """Read the mask of a row. Raises BadImageError, also if its image has another size."""
    if is_missing(rows.labels[row]):
        raise BadImageError("there is none")
    mask, remark = read_mask(rows.labels[row])
    size = _size_of(rows.data[row])
    if size not in (None, mask.shape):
        assert size is not None
        shown = [f"{height}x{width}" for height, width in (mask.shape, size)]
        raise BadImageError(f"its size is {shown[0]}, but that of the image {shown[1]}")
    return mask, remark


def _size_of(image: Any) -> Size | None:
    """Return the size of an image; None if it cannot be read, which is reported elsewhere."""
    try:
        with strict_pillow():
            return None if image is None else image_size(image)
    except DataError:
        return None


def _shown(values: NDArray[np.intp]) -> str:
    return shortened([str(value) for value in values], shown=5)


def _classes(
    raw: RawData, values: NDArray[np.intp], notes: Notes, *, ignoring: bool | None
) -> tuple[tuple[str, ...], Mask]:
    """Return the names of the classes, and the class of each value, uint8 (256,)."""
    to_class = np.arange(IGNORE + 1, dtype=np.uint8)
    numbers = values[values != IGNORE]
    two = raw.classes is None or len(raw.classes) == 2
    if two and not ignoring and values.tolist() == [0, IGNORE]:
        to_class[IGNORE] = 1
        numbers = np.array([0, 1])
        notes.add(f"masks of 0 and {IGNORE}: {IGNORE} is read as class 1")
    if len(numbers) > MOST:
        raise DataError(
            f"{raw.name}: the masks have {len(numbers)} different values, as pictures have. "
            "Expected class numbers: choose the column of masks with label=... (--label)."
        )
    if raw.classes is not None:
        return raw.classes, to_class
    if len(numbers) < 2:
        raise DataError(
            f"{raw.name}: all pixels of the masks are {_shown(values)}. Expected "
            "at least two classes."
        )
    known = int(numbers.max()) + 1
    if known > 2 * len(numbers):
        raise DataError(
            f"{raw.name}: the values of the masks are {_shown(numbers)}, with wide "
            f"gaps. Expected class numbers from 0 on, and {IGNORE} for pixels to ignore: renumber "
            "them."
        )
    return tuple(f"class {k}" for k in range(known)), to_class
