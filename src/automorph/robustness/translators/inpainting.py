"""Marks of a colour of their own: found by colour, removed by inpainting, pasted elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset, Split
from automorph.errors import DataError
from automorph.robustness.translators.base import Images, KnownTranslator, known_of
from automorph.robustness.translators.builtin import FitOptions
from automorph.robustness.translators.opencv import (
    Mask,
    donor,
    filled,
    opencv,
    pasted,
    three_channels,
)

MOST = 300
"""Largest number of marks that are pasted."""
BINS = 12
"""Bins of each colour channel."""
RATIO = 10.0
"""How many times as common a colour of a mark is in images with marks."""
_LEAST, _LARGEST = 0.005, 0.6
"""Shares of the area that a mark may take."""


@dataclass(frozen=True, eq=False)
class MarkInpainting:
    """Removes and pastes marks that have a colour of their own, as stickers do.

    A pixel belongs to a mark if its colour, smoothed over its neighbours, is several times as
    common in the images of the subgroup ``marked`` as in those of ``plain``: two classifiers of
    colours, whose log-likelihoods are subtracted (``ratio``, float ``(bins,)``). Every rendering
    has a hole that is filled: that of its own mark or, without one, of the shape of another
    image's. In the direction ``marked`` another image's mark is then pasted, so that all renderings
    carry the same traces. There is no way back to the first mark.
    """

    ratio: NDArray[np.float32]
    marks: Images
    masks: NDArray[np.bool_]
    marked: int
    plain: int
    name: str = "inpaint"
    way_back: bool = False
    rerender: bool = True

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """Both directions."""
        return frozenset({(self.marked, self.plain), (self.plain, self.marked)})

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Fill the marks; paste others in the direction of the marked subgroup."""
        result = np.array(images)
        for row, image in enumerate(images):
            hole = (
                mark_of(image, self.ratio)
                if known.subgroups[row] == self.marked
                else np.zeros(image.shape[:2], bool)
            )
            if not hole.any():
                hole = self.masks[donor(image, len(self.masks))]
            made = filled(image, hole)
            if direction == self.marked:
                number = donor(image, len(self.masks), draw=1)
                made = pasted(self.marks[number], made, self.masks[number])
            result[row] = made
        return result


def mark_of(image: Images, ratio: NDArray[np.float32]) -> Mask:
    """Return the mark in an image, bool ``(H, W)``; nothing if it is too small or too large."""
    cv2 = opencv()
    score = ratio[_bins(image)]
    wide = max(3, image.shape[0] // 16) | 1
    smooth = cv2.GaussianBlur(score, (wide, wide), 0)
    found = (smooth > np.log(RATIO)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = cv2.dilate(found, np.ones((3, 3), np.uint8))
    mask = np.asarray(found > 0, np.bool_)
    return mask if _LEAST <= mask.mean() <= _LARGEST else np.zeros_like(mask)


def fit_inpainting(part: Split) -> MarkInpainting:
    """Learn the colours of the marks from the classes that have images with and without them.

    Raises `DataError` for other than two subgroups, and if the colours tell of a mark in fewer than
    half of the images of either subgroup.
    """
    known = known_of(part)
    present = np.unique(known.subgroups).tolist()
    if len(present) != 2:
        raise DataError(
            f"got {len(present)} subgroups; expected two, one of which has a mark. Merge some, or "
            "choose another translator"
        )
    shared = [
        y for y in np.unique(known.labels) if len(np.unique(known.subgroups[known.labels == y])) > 1
    ]
    tried = []
    for marked, plain in (present[::-1], present):
        rows = [_some(known, shared, z) for z in (marked, plain)]
        counts = [_histogram(part.data[one]) for one in rows]
        logs = [np.log((count + 1) / (count.sum() + len(count))) for count in counts]
        ratio = (logs[0] - logs[1]).astype(np.float32)
        masks = np.stack([mark_of(image, ratio) for image in part.data[rows[0]]])
        tried.append((float(masks.any((1, 2)).mean()), marked, plain, ratio, rows[0], masks))
    share, marked, plain, ratio, own, masks = max(tried, key=lambda one: one[0])
    if share < 0.5:
        raise DataError(
            f"found a mark of a colour of its own in {100 * share:.0f} % of the images of a "
            "subgroup; expected at least 50 %: use another translator"
        )
    able = np.flatnonzero(masks.any((1, 2)))
    return MarkInpainting(ratio, np.array(part.data[own[able]]), masks[able], marked, plain)


def _some(known: KnownTranslator, classes: list[int], subgroup: int) -> NDArray[np.intp]:
    rows = np.flatnonzero(np.isin(known.labels, classes) & (known.subgroups == subgroup))
    return rows[np.unique(np.linspace(0, len(rows) - 1, MOST).astype(np.intp))]


def _bins(image: Images) -> NDArray[np.intp]:
    """Return the number of the colour of every pixel ``(H, W)``."""
    red, green, blue = np.moveaxis(three_channels(image).astype(np.intp) * BINS // 256, 2, 0)
    return np.asarray((red * BINS + green) * BINS + blue)


def _histogram(images: Images) -> NDArray[np.int64]:
    total = np.zeros(BINS**3, np.int64)
    for image in images:
        total += np.bincount(_bins(image).ravel(), minlength=len(total))
    return total


def build(data: Dataset, options: FitOptions) -> MarkInpainting:
    """Fit the translator ``inpaint`` of a data set."""
    return fit_inpainting(data.train)
