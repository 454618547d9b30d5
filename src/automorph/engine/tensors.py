"""Torch tensors as input of the engine. Torch is imported only once a tensor is passed in."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from numpy.typing import NDArray

from automorph.errors import DataError
from automorph.operations import SearchSpace, Sequences, Stream

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS = {1: "grey", 3: "RGB", 4: "RGBA"}
_HALF_A_LEVEL = 0.5 / 255
"""Floats up to this far outside [0, 1] still round to a level in [0, 255]."""


def is_tensor(examples: Any) -> TypeGuard[Tensor]:
    """Test whether examples are a torch tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(examples, torch.Tensor)


def apply_to_tensor(
    images: Tensor,
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    path: Callable[..., NDArray[Any]],
    fill: int | str | Sequence[int],
    interpolation: str,
    mode: str,
    prefixes: bool,
    threads: int,
) -> Tensor:
    """Apply sequences to images ``(n, C, H, W)``; see ``automorph.engine.apply``.

    Tensors on the CPU go through ``path``, all others stay on their device. Floats are rounded to
    256 levels and returned as floats.
    """
    import torch

    if space.domain != "image":
        raise DataError(
            f"got a tensor for the space {space.name!r} ({space.domain}s); expected a NumPy array: "
            "only images may be tensors"
        )
    check_images(images)
    options: dict[str, Any] = {
        "fill": fill,
        "interpolation": interpolation,
        "mode": mode,
        "prefixes": prefixes,
    }
    if images.device.type == "cpu":
        check_floats(images)
    levels = to_levels(images.detach())
    if levels.device.type == "cpu":
        arrays = levels.permute(0, 2, 3, 1).contiguous().numpy()
        done = path(arrays, sequences, space, stream, threads=threads, **options)
        out = torch.from_numpy(done).movedim(-1, -3).contiguous()
    else:
        from automorph.engine.torch import apply_on_device

        out = apply_on_device(levels, sequences, space, stream, **options)
    return from_levels(out, images.dtype)


def check_images(images: Tensor) -> None:
    """Raise ``DataError`` unless the tensor holds images ``(n, C, H, W)``, uint8 or floats."""
    got = f"got a tensor {str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}"
    hint = ""
    if images.ndim == 4 and images.shape[1] not in _CHANNELS and images.shape[3] in _CHANNELS:
        hint = " (channels last? use `.permute(0, 3, 1, 2)`)"
    elif images.ndim == 3:
        hint = " (a single image, or grey images without channels? add an axis)"
    kind = str(images.dtype) == "torch.uint8" or images.is_floating_point()
    if images.ndim != 4 or images.shape[1] not in _CHANNELS or not kind:
        raise DataError(
            f"{got}; expected images (n, C, H, W), uint8 or floats in [0, 1], with "
            + ", ".join(f"{c} ({name})" for c, name in _CHANNELS.items())
            + f" channels{hint}"
        )
    if images.numel() == 0 and len(images):
        raise DataError(f"{got}; expected images of at least one pixel")


def check_floats(images: Tensor) -> None:
    """Raise ``DataError`` for floats outside [0, 1], which would be clipped silently.

    The check waits for the device, so it does not run on every batch of an accelerator.
    """
    if not images.is_floating_point() or not images.numel():
        return
    low, high = (side.item() for side in images.detach().aminmax())
    if low >= -_HALF_A_LEVEL and high <= 1 + _HALF_A_LEVEL:
        return
    got = "floats with NaN" if math.isnan(low) else f"floats from {low:.3g} to {high:.3g}"
    raise DataError(
        f"got {got}; expected uint8, or floats in [0, 1]: augment before Normalize, and divide "
        "levels from 0 to 255 by 255"
    )


def to_levels(images: Tensor) -> Tensor:
    """Round floats in [0, 1] to uint8 levels; values outside are clipped (see `check_floats`)."""
    import torch

    if images.dtype == torch.uint8:
        return images
    # Half precision has too few bits for multiples of 1/255.
    return (images.to(torch.float32) * 255).round().clamp(0, 255).to(torch.uint8)


def from_levels(levels: Tensor, dtype: Any) -> Tensor:
    """Convert levels to floats in [0, 1] of a type, unless they have that type already."""
    return levels if dtype == levels.dtype else (levels / 255).to(dtype)
