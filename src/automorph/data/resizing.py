"""How images of any size are brought to one size."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image, ImageOps

from automorph.errors import UsageError

_INTERPOLATIONS = tuple(one.name.lower() for one in Image.Resampling)


@dataclass(frozen=True)
class Resizing:
    """Scale an image to cover a size, and keep its centre.

    ``interpolation`` is one of Pillow's, such as ``bicubic``, always antialiased. Of the largest
    region at the centre that has the shape of the size, ``crop_share`` of both sides is kept: at
    0.875, an image for 224 pixels is scaled to 256 and cropped. Raises UsageError for other values.

    >>> Resizing("bicubic", 0.875)
    Resizing(interpolation='bicubic', crop_share=0.875)
    """

    interpolation: str = "bilinear"
    crop_share: float = 1.0

    def __post_init__(self) -> None:
        if self.interpolation not in _INTERPOLATIONS:
            raise UsageError(
                f"got the interpolation {self.interpolation!r}; expected one of "
                f"{', '.join(_INTERPOLATIONS)}"
            )
        if not 0 < self.crop_share <= 1:
            raise UsageError(
                f"got a crop_share of {self.crop_share}; expected the share of the sides that is "
                "kept, above 0 and at most 1"
            )

    @property
    def method(self) -> Image.Resampling:
        """Pillow's interpolation."""
        return Image.Resampling[self.interpolation.upper()]

    def fit(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        """Return an image of the size (H, W); one that has it already is returned as it is."""
        if image.size == (size[1], size[0]):
            return image
        # One resampling: scaling the whole image and cropping it give the same pixels.
        border = (1 - self.crop_share) / 2
        return ImageOps.fit(image, (size[1], size[0]), method=self.method, bleed=border)

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain data."""
        return asdict(self)

    def note(self, size: tuple[int, int]) -> str:
        """Describe the choice for a note.

        >>> Resizing("bicubic", 0.875).note((96, 96))
        'images that are not 96x96 are resized as in the pretraining of the network: bicubic, \
then cropped to the central 87.5 % of each side'
        """
        return (
            f"images that are not {size[0]}x{size[1]} are resized as in the pretraining of the "
            f"network: {self.interpolation}, then cropped to the central "
            f"{100 * self.crop_share:g} % of each side"
        )


COVER = Resizing()
"""Bilinear, all of the region: how images are resized unless a network wants something else."""
