"""torchvision's results on PIL images: the reference for our operations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import _apply_op

from automorph.operations import Operation

FACTORS = ("Brightness", "Color", "Contrast", "Sharpness")
GEOMETRIC = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
_MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}


def to_pil(image: NDArray[np.uint8]) -> Image.Image:
    """``(H, W, C)`` as L, RGB or RGBA."""
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def from_pil(image: Image.Image) -> NDArray[np.uint8]:
    """L, RGB or RGBA as ``(H, W, C)``."""
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def torchvision_on_pil(
    images: NDArray[np.uint8],
    name: str,
    magnitudes: NDArray[np.float64],
    *,
    interpolation: str = "nearest",
    fill: list[int] | None = None,
) -> NDArray[np.uint8]:
    """Apply torchvision's operation to every image, each at its own magnitude in its convention."""
    mode = _MODES[interpolation]
    return np.stack(
        [
            from_pil(_apply_op(to_pil(image), name, float(magnitude), mode, fill))
            for image, magnitude in zip(images, magnitudes, strict=True)
        ]
    )


def their_magnitude(
    operation: Operation, values: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float64]:
    """Convert our values to torchvision's magnitudes: pixels, and factors minus 1."""
    if operation.name in FACTORS:
        return values - 1.0
    if operation.name.startswith("Translate"):
        side = size[1 if operation.name.endswith("X") else 0]
        pixels = values * side if operation.unit == "share" else values
        # Magnitudes are float32, so 6.9999999 px are 7; torchvision's own values are float32.
        return pixels.astype(np.float32).astype(np.float64)
    if operation.name == "Solarize":
        # Thresholds come from float32 magnitudes; ours are rounded to thousandths.
        return np.rint(values * 1000.0) / 1000.0
    return values


def held_at(operation: Operation, magnitude: float) -> Operation:
    """Our operation at one of torchvision's magnitudes."""
    if operation.name.startswith("Translate"):
        return replace(operation, unit="px").at(magnitude)
    return operation.at(magnitude + 1.0 if operation.name in FACTORS else magnitude)
