"""Images as PIL images, arrays or tensors; results have the type of the input."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.errors import DataError, UsageError
from automorph.operations import Stream
from automorph.policies import Policy, drawable

Array = NDArray[np.uint8]
_MODES = ("L", "RGB", "RGBA")
_CHANNELS = (1, 3, 4)
_EXPECTED = (
    "expected a PIL image (L, RGB, RGBA), a uint8 array (H, W) or (H, W, C), or a uint8 tensor "
    "(H, W) or (C, H, W), with 1, 3 or 4 channels"
)


def as_array(image: Any) -> Array:
    """Convert an image to uint8 ``(H, W, C)``.

    >>> as_array(torch.zeros(3, 8, 9, dtype=torch.uint8)).shape
    (8, 9, 3)
    """
    if _is_pil(image):
        if image.mode not in _MODES:
            raise DataError(
                f'got a PIL image of mode {image.mode}; {_EXPECTED}: use image.convert("RGB")'
            )
        array = np.asarray(image)
    elif isinstance(image, torch.Tensor):
        if image.dtype != torch.uint8:
            raise _refused(image, str(image.dtype))
        pixels = image.detach().cpu()
        array = (pixels if image.ndim < 3 else pixels.movedim(0, -1)).numpy()
    elif isinstance(image, np.ndarray):
        array = image
    else:
        raise DataError(f"got {type(image).__name__} as an image; {_EXPECTED}")
    array = array[..., None] if array.ndim == 2 else array
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in _CHANNELS:
        raise _refused(image, str(array.dtype))
    return array


def as_given(array: Array, image: Any) -> Any:
    """Convert an array ``(H, W, C)`` to the type of the original image."""
    if _is_pil(image):
        from PIL import Image

        return Image.fromarray(array[..., 0] if image.mode == "L" else array)
    if isinstance(image, torch.Tensor):
        pixels = torch.from_numpy(array[..., 0] if image.ndim == 2 else array)
        planes = pixels if image.ndim == 2 else pixels.movedim(-1, 0).contiguous()
        return planes.to(image.device).as_subclass(type(image))
    return array[..., 0] if image.ndim == 2 else array


def augment_each(policy: Policy, images: Sequence[Any], stream: Stream) -> list[Any]:
    """Augment images of any sizes and types one by one; results keep their type.

    Images of equal size are passed to the engine together.
    """
    arrays = [as_array(image) for image in images]
    # A user function that takes batches may combine their images: pass one image at a time.
    apart = any(operation.batched for operation in policy.space)
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, array in enumerate(arrays):
        alike[(*array.shape, number if apart else 0)].append(number)
    out: list[Any] = [None] * len(images)
    for rows in alike.values():
        batch = np.stack([arrays[row] for row in rows])
        for row, done in zip(rows, policy.transform(batch, stream.take(rows)), strict=True):
            out[row] = as_given(done, images[row])
    return out


def need_no_others(
    policy: Policy,
    who: str,
    instead: str = "use automorph.Collate(policy) as the collate_fn of the DataLoader",
) -> None:
    """Raise ``UsageError`` for a policy that combines examples; ``instead`` is the remedy."""
    partners = [operation.name for operation in drawable(policy) if operation.partner]
    if policy.mixes_labels or partners:
        what = "mixes labels" if policy.mixes_labels else f"uses {partners[0]}"
        raise UsageError(
            f"the policy {policy.name!r} {what}, so it needs whole batches, but {who} sees single "
            f"examples; {instead}"
        )


def _is_pil(image: Any) -> bool:
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
