"""Backgrounds are swapped: the foreground of an image on a background of the other subgroup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from automorph.data import Dataset, Split
from automorph.errors import DataError
from automorph.robustness.translators.base import Images, KnownTranslator, known_of
from automorph.robustness.translators.builtin import FitOptions
from automorph.robustness.translators.checks import correlations
from automorph.robustness.translators.opencv import (
    Mask,
    donor,
    filled,
    opencv,
    pasted,
    three_channels,
)

MOST = 300
"""Largest number of backgrounds of a subgroup."""
MARGIN = 0.06
"""Share of the side at every border that is taken for background."""
DRAWS = 8
"""Backgrounds that are drawn for an image, to take the first that is as light and dark."""
_LEAST, _LARGEST = 0.02, 0.8
"""Shares of the area that a foreground may take."""


@dataclass(frozen=True, eq=False)
class BackgroundSwap:
    """Every foreground is pasted on a background of the wanted subgroup.

    The foreground is found by GrabCut (Rother, Kolmogorov and Blake 2004), which begins with the
    border of the image as background. ``backgrounds`` ``(m, H, W, C)`` are training images of a
    subgroup whose foreground was filled; the content of an image draws eight of them, of which it
    gets the first that is light and dark where the image is, so that the light stays. An image that
    is in the subgroup is pasted on its own background, so that all renderings have the same soft
    edge. There is no way back to the first background.
    """

    backgrounds: Mapping[int, Images]
    name: str = "background"
    way_back: bool = False
    rerender: bool = True

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """All pairs of the known subgroups."""
        return frozenset((a, b) for a in self.backgrounds for b in self.backgrounds if a != b)

    def translate(self, images: Images, direction: int, known: KnownTranslator) -> Images:
        """Paste every foreground on a background of the subgroup ``direction``."""
        result = np.array(images)
        others = self.backgrounds[direction]
        for row, image in enumerate(images):
            front = foreground(image)
            if known.subgroups[row] == direction:
                behind = filled(image, front)
            else:
                drawn = [others[donor(image, len(others), draw)] for draw in range(DRAWS)]
                like = correlations(np.stack([image] * DRAWS), np.stack(drawn))
                alike = np.flatnonzero(like > 0)
                behind = drawn[int(alike[0] if len(alike) else like.argmax())]
            result[row] = pasted(image, behind, front)
        return result


def foreground(image: Images) -> Mask:
    """Return the foreground of an image uint8 ``(H, W, C)``, bool ``(H, W)``.

    Where GrabCut finds nearly nothing or nearly all, it is an ellipse in the middle.
    """
    cv2 = opencv()
    height, width = image.shape[:2]
    rim = max(1, round(MARGIN * min(height, width)))
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[rim:-rim, rim:-rim] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)  # Its mixtures of colours start from a random clustering.
    models = np.zeros((2, 1, 65))
    try:
        cv2.grabCut(three_channels(image), labels, None, *models, 3, cv2.GC_INIT_WITH_MASK)
        found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    except cv2.error:  # An image of a single colour has no two mixtures.
        found = np.zeros((height, width), bool)
    if _LEAST <= found.mean() <= _LARGEST:
        return np.asarray(found, np.bool_)
    y, x = np.ogrid[:height, :width]
    far = ((y + 0.5) / height - 0.5) ** 2 + ((x + 0.5) / width - 0.5) ** 2
    return np.asarray(far < 0.3**2, np.bool_)


def fit_backgrounds(part: Split) -> BackgroundSwap:
    """Fit the swap: the backgrounds of at most 300 images of each subgroup of a part.

    Raises `DataError` if there are fewer than two subgroups.
    """
    known = known_of(part)
    present = np.unique(known.subgroups).tolist()
    if len(present) < 2:
        raise DataError("got one subgroup; expected two or more, whose backgrounds are swapped")
    found = {}
    for subgroup in present:
        rows = np.flatnonzero(known.subgroups == subgroup)
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, MOST).astype(np.intp))]
        images = part.data[rows]
        found[subgroup] = np.stack([_behind(image) for image in images])
    return BackgroundSwap(found)


def _behind(image: Images) -> Images:
    """Return the background of an image: its foreground, and a rim around it, are filled."""
    cv2 = opencv()
    wide = max(3, image.shape[0] // 16) | 1
    hole = cv2.dilate(foreground(image).astype(np.uint8), np.ones((wide, wide), np.uint8))
    return filled(image, hole > 0)


def build(data: Dataset, options: FitOptions) -> BackgroundSwap:
    """Fit the translator ``background`` of a data set."""
    return fit_backgrounds(data.train)
