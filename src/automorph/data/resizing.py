"""How images of any size are brought to one size."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from PIL import Image, ImageOps

from automorph.errors import UsageError

Decode = Literal["exact", "reduced"]
"""How JPEG files are decoded: in full, or at the smallest scale that covers the wanted size."""
DECODE: Decode = "reduced"
"""How JPEG files are decoded unless a user or an earlier run says otherwise."""
_INTERPOLATIONS = tuple(one.name.lower() for one in Image.Resampling)


@dataclass(frozen=True)
class Resizing:
    """Scale an image to cover a size, and keep its centre.

    ``interpolation`` is one of Pillow's, such as ``bicubic``, always antialiased. Of the largest
    region at the centre that has the shape of the size, ``crop_share`` of both sides is kept: at
    0.875, an image for 224 pixels is scaled to 256 and cropped. With ``decode="reduced"``, JPEG
    files are decoded at 1/2, 1/4 or 1/8 of their size where that still covers the wanted size (see
    `automorph.data.reduced_decoding`). Raises UsageError for other values.

    >>> Resizing("bicubic", 0.875)
    Resizing(interpolation='bicubic', crop_share=0.875, decode='exact')
    """

    interpolation: str = "bilinear"
    crop_share: float = 1.0
    decode: Decode = "exact"

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
        if self.decode not in get_args(Decode):
            raise UsageError(
                f"got decode={self.decode!r}; expected one of {', '.join(get_args(Decode))}"
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

    def region(
        self, image: tuple[int, int], size: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the region of an image (W, H) that `fit` keeps.

        >>> Resizing(crop_share=0.5).region((40, 20), (10, 10))
        (15.0, 5.0, 25.0, 15.0)
        """
        width, height = (side * self.crop_share for side in image)
        ratio = size[1] / size[0]
        width, height = min(width, height * ratio), min(height, width / ratio)
        left, top = (image[0] - width) / 2, (image[1] - height) / 2
        return left, top, left + width, top + height

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain data; records without ``decode`` mean ``exact``."""
        found = asdict(self)
        if self.decode == "exact":
            del found["decode"]
        return found

    def notes(self, size: tuple[int, int]) -> list[str]:
        """Describe what is not usual for notes.

        >>> COVER.notes((96, 96))
        []
        """
        usual = (self.interpolation, self.crop_share) == (COVER.interpolation, COVER.crop_share)
        reduced = (
            "large JPEG files were decoded at 1/2, 1/4 or 1/8 of their size, the smallest that "
            f"covers {size[0]}x{size[1]}; decode them in full with decode='exact' (--decode exact)"
        )
        return [
            *([] if usual else [self.note(size)]),
            *([reduced] if self.decode == "reduced" else []),
        ]

    def note(self, size: tuple[int, int]) -> str:
        """Describe interpolation and crop for a note.

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


def with_decode(resizing: Resizing | None, decode: Decode) -> Resizing | None:
    """Return a way of resizing with a way of decoding; None is the usual one, decoded in full.

    >>> with_decode(None, "exact"), with_decode(None, "reduced")
    (None, Resizing(interpolation='bilinear', crop_share=1.0, decode='reduced'))
    """
    if resizing is None and decode == "exact":
        return None
    return replace(resizing or COVER, decode=decode)
