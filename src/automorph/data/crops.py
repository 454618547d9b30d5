"""Random resized crops: the region of an image that training sees, before any policy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automorph.data.images import Size
from automorph.operations import Stream

TRIES = 10
DRAWS = 4 * TRIES
_RATIO = (3 / 4, 4 / 3)


def crop_draws(stream: Stream) -> NDArray[np.float32]:
    """Draw the random numbers of a batch's crops from their own stream: float32 ``(n, 40)``."""
    return stream.uniform("crop", DRAWS)


@dataclass(frozen=True)
class RandomCrop:
    """A random crop: a share of the area from ``min_area`` to 1, of a shape from 3:4 to 4:3.

    Szegedy et al., "Going deeper with convolutions" (CVPR 2015), section 6, with the ten tries of
    torchvision's ``RandomResizedCrop``; then the largest crop at the centre within those shapes.

    >>> RandomCrop(0.5, (0.0,) * 40)((40, 30))
    (0, 0, 28, 21)
    """

    min_area: float
    draws: tuple[float, ...]

    def __call__(self, size: Size) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the crop in an image of this height and width."""
        height, width = size
        low, high = (math.log(ratio) for ratio in _RATIO)
        for k in range(TRIES):
            a, r, y, x = self.draws[4 * k : 4 * k + 4]
            area = height * width * (self.min_area + (1 - self.min_area) * a)
            ratio = math.exp(low + (high - low) * r)
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return int(y * (height - h + 1)), int(x * (width - w + 1)), h, w
        ratio = min(max(width / height, _RATIO[0]), _RATIO[1])
        w, h = min(width, round(height * ratio)), min(height, round(width / ratio))
        w, h = max(1, w), max(1, h)
        return (height - h) // 2, (width - w) // 2, h, w
