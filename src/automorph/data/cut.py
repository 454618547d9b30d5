"""The part of an image that is scaled to a size, and JPEG files decoded no larger than it needs.

libjpeg can decode a file at 1/2, 1/4 or 1/8 of its size: it computes a smaller inverse cosine
transform of each block, about the mean of 2, 4 or 8 pixels on each side. It is asked for the
smallest scale at which the part that is kept still covers the wanted size. The part is measured in
the pixels of the whole file, so that nothing is shifted. ``benchmarks/files.py`` has what this
saves, and by how much pixels differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from automorph.data.orientation import orientation_of
from automorph.data.resizing import Resizing

Size = tuple[int, int]
Box = Callable[[Size], tuple[int, int, int, int]]
"""Map height and width to the region that is cut out: top, left, height, width."""
Region = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of an upright image."""

_SCALES = (8, 4, 2)
_FROM_RIGHT, _FROM_BOTTOM = (2, 3, 6, 7), (3, 4, 7, 8)
"""EXIF orientations that bring the last column or row of the reduced image to the front: there it
may hold less than a whole block."""


@dataclass(frozen=True)
class Cut:
    """The part of an image that is scaled to ``size`` (H, W); None: the image stays as it is.

    Of an image that is decoded smaller than it is, ``scale`` is the divisor, ``whole`` the upright
    size (W, H) in full, and ``orientation`` that of its EXIF data.
    """

    size: Size | None
    box: Box | None
    resizing: Resizing
    scale: int = 1
    whole: Size = (0, 0)
    orientation: int = 1

    def reduced(self, image: Image.Image) -> Cut:
        """Have an image that is opened and not loaded decoded at the smallest scale that suffices.

        Nothing changes for other files than JPEG, and with ``decode="exact"``.
        """
        if self.size is None or self.resizing.decode == "exact" or not is_jpeg(image):
            return self
        width, height = image.size
        orientation = orientation_of(image)[0]
        whole = (height, width) if 5 <= orientation <= 8 else (width, height)
        scale = scale_for(self._region(whole), self.size)
        draft = getattr(image, "draft", None)
        if scale == 1 or draft is None or min(whole) < scale:
            return self
        found = draft(None, (width // scale, height // scale))
        if found is None:  # Pillow cannot: a file of several tiles.
            return self
        scale = round(width / found[1][2])
        return replace(self, scale=scale, whole=whole, orientation=orientation)

    def of(self, image: Image.Image) -> Image.Image:
        """Return the part of an upright image, scaled."""
        if self.size is None:
            return image
        if self.scale > 1:
            region = self._in_reduced(image.size)
        elif self.box is None:
            return self.resizing.fit(image, self.size)
        else:
            region = self._region(image.size)
        return image.resize((self.size[1], self.size[0]), self.resizing.method, box=region)

    def _region(self, whole: Size) -> Region:
        """Return the part of an upright image of this size (W, H)."""
        assert self.size is not None
        if self.box is None:
            return self.resizing.region(whole, self.size)
        top, left, height, width = self.box((whole[1], whole[0]))
        return left, top, left + width, top + height

    def _in_reduced(self, size: Size) -> Region:
        """Return the part of the upright reduced image, which has this size (W, H).

        Its sides were rounded up, so the whole image ends (or, turned, begins) inside a pixel.
        """
        left, top, right, bottom = (side / self.scale for side in self._region(self.whole))
        if self.orientation in _FROM_RIGHT:
            left, right = (x + size[0] - self.whole[0] / self.scale for x in (left, right))
        if self.orientation in _FROM_BOTTOM:
            top, bottom = (y + size[1] - self.whole[1] / self.scale for y in (top, bottom))
        return max(left, 0.0), max(top, 0.0), min(right, size[0]), min(bottom, size[1])


def is_jpeg(image: Image.Image) -> bool:
    """Return whether Pillow opened a JPEG file; those of telephones are MPO."""
    return image.format in ("JPEG", "MPO")


def scale_for(region: Region, size: Size) -> int:
    """Return the largest divisor at which a region still covers a size (H, W).

    >>> scale_for((62.5, 0, 437.5, 375), (64, 64)), scale_for((0, 0, 100, 100), (64, 64))
    (4, 1)
    """
    left, top, right, bottom = region
    fits = min((right - left) / size[1], (bottom - top) / size[0])
    return next((scale for scale in _SCALES if fits >= scale), 1)
