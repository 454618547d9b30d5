"""Images as PIL images, arrays or tensors; results have the type of the input.

Torch and Pillow are used only if one of their images is given.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.engine import is_tensor
from automorph.errors import DataError

Array = NDArray[np.uint8]
_MODES = ("L", "RGB", "RGBA")
CHANNELS = (1, 3, 4)
_EXPECTED = (
    "expected a PIL image (L, RGB, RGBA), a uint8 array (H, W) or (H, W, C), or a uint8 tensor "
    "(H, W) or (C, H, W), with 1, 3 or 4 channels"
)


def as_uint8(image: Any) -> Array:
    """Convert an image to uint8 ``(H, W, C)``.

    >>> as_uint8(np.zeros((8, 9), np.uint8)).shape
    (8, 9, 1)
    """
    if is_pil(image):
        if image.mode not in _MODES:
            raise DataError(
                f'got a PIL image of mode {image.mode}; {_EXPECTED}: use image.convert("RGB")'
            )
        array = np.asarray(image)
    elif is_tensor(image):
        if str(image.dtype) != "torch.uint8":
            raise _refused(image, str(image.dtype))
        pixels = image.detach().cpu()
        array = (pixels if image.ndim < 3 else pixels.movedim(0, -1)).numpy()
    elif isinstance(image, np.ndarray):
        array = image
    else:
        raise DataError(f"got {type(image).__name__} as an image; {_EXPECTED}")
    array = array[..., None] if array.ndim == 2 else array
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in CHANNELS:
        raise _refused(image, str(array.dtype))
    return array


def as_given(array: Array, image: Any) -> Any:
    """Convert an array ``(H, W, C)`` to the type of the original image."""
    if is_pil(image):
        from PIL import Image

        return Image.fromarray(array[..., 0] if image.mode == "L" else array)
    if is_tensor(image):
        import torch

        pixels = torch.from_numpy(array[..., 0] if image.ndim == 2 else array)
        planes = pixels if image.ndim == 2 else pixels.movedim(-1, 0).contiguous()
        return planes.to(image.device).as_subclass(type(image))
    return array[..., 0] if image.ndim == 2 else array


def is_pil(image: Any) -> bool:
    """Test whether an image is one of Pillow's."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(image, module.Image)


def _refused(image: Any, kind: str) -> DataError:
    hint = ""
    if "float" in kind:
        hint = "; augment before images become floats (ToTensor, Normalize)"
    return DataError(
        f"got {kind.removeprefix('torch.')} of shape {tuple(image.shape)} as an image; "
        f"{_EXPECTED}{hint}"
    )
