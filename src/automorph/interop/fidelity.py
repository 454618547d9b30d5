"""How faithfully another library performs an operation: declared once, tested, documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph import _moved
from automorph.operations import CATALOGUE, LABELS, LIBRARY_OPERATIONS

Level = Literal["equal", "close", "alike", "none"]

WORDS = {
    "equal": "equal to the pixel",
    "close": "within a tolerance",
    "alike": "alike",
    "none": "not expressible",
}


@_moved.renamed_attributes(within="tolerance")
@_moved.renamed_arguments(within="tolerance")
@dataclass(frozen=True)
class Fidelity:
    """How an exported operation compares with Automorph's.

    - ``equal``: equal to the pixel. Where an operation draws a position, the library draws its own;
      each of its results is then one that Automorph can produce.
    - ``close``: on real images at most ``tolerance`` levels (of 0 to 255) away on average.
    - ``alike``: the same kind of change in the same direction, by another rule (``note``).
    - ``none``: the library cannot express it; ``note`` says why.
    """

    level: Level
    tolerance: float = 0.0
    note: str = ""

    @property
    def words(self) -> str:
        """The entry as text for people to read.

        >>> Fidelity("close", 0.5, "rounds where PIL truncates").words
        'within 0.5 levels; rounds where PIL truncates'
        """
        text = f"within {self.tolerance:g} levels" if self.level == "close" else WORDS[self.level]
        return "; ".join(filter(None, (text, self.note)))


VERSIONS = {
    "torchvision": "0.29.2",
    "albumentations": "2.0.8",
    "kornia": "0.9.0",
    "timm": "1.0.31",
    "pillow": "13.0.0",
    "opencv-python-headless": "5.0.0.93",
}
"""The versions that the entries were tested with, and those of what draws the pixels."""

CENTRED = "shears about the centre of the image, not its corner"
NEAREST = "with nearest neighbours; bilinear blends with the fill at the border"
SIZED = "export needs the size of the images"

EQUAL = Fidelity("equal")
OWN_PLACES = Fidelity("equal", note="positions are drawn by the library")


def none(note: str) -> Fidelity:
    """Declare an operation that cannot be expressed, with the reason."""
    return Fidelity("none", note=note)


def alike(note: str) -> Fidelity:
    """Declare an operation that is alike, with the difference."""
    return Fidelity("alike", note=note)


MIXED = {operation.name: none("it mixes labels") for operation in LABELS}
"""Operations that mix labels, which no export expresses."""
_INSTEAD = {
    "RandomResizedCrop": ", or use the policy 'resized-crop'",
    "RandomCrop": ", or use the policy 'resized-crop'",
    "Erasing": ", or use the policy 'random-erasing'",
    "CoarseDropout": ", or use the policy 'cutout'",
}
IMPORTED = {
    operation.name: none(
        "it was imported; keep the transform from which it was read"
        + _INSTEAD.get(operation.name, "")
    )
    for operation in LIBRARY_OPERATIONS
}
"""Operations drawn as other libraries draw them, which exports do not write back."""


def missing(library: str) -> dict[str, Fidelity]:
    """Every operation of the catalogue as not expressible: where a table starts from."""
    return {
        **{operation.name: none(f"{library} has no such operation") for operation in CATALOGUE},
        **MIXED,
        **IMPORTED,
    }
