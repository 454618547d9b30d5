"""Single images by the shortest way: one call of the compiled engine, in the image's own memory.

What is not plain (another type, a policy that is not compiled, a bad image) is left to the general
path, which also says what is wrong.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.policies.plans import PADDED, Drawn, plan_of

_CHANNELS = (1, 3, 4)
_UINT8 = np.dtype(np.uint8)
_MODES = {"L": 1, "RGB": PADDED, "RGBA": 4}


def augment_one(policy: Drawn, image: Any, *, seed: int, epoch: int, index: int, copy: int) -> Any:
    """Augment an image (see `as_uint8`), and return one of its type; None: not by this way.

    The result is that of ``policy.transform`` on a batch that holds the image.
    """
    if isinstance(image, np.ndarray):
        return _array(policy, image, seed, epoch, index, copy)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(image, torch.Tensor):
        return _tensor(policy, image, torch, seed, epoch, index, copy)
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(image, pillow.Image):
        return _pillow(policy, image, pillow, seed, epoch, index, copy)
    return None


def augment_alone(
    policy: Drawn, batch: Any, *, seed: Any, epoch: Any, index: Any, copy: int
) -> Any:
    """Augment a batch of one image, as `augment_one` does; None for any other batch."""
    kind = type(batch)
    tensor = kind is not np.ndarray
    if tensor and kind is not getattr(sys.modules.get("torch"), "Tensor", None):
        return None
    if batch.ndim != 4 or len(batch) != 1 or type(seed) is not int or type(epoch) is not int:
        return None
    number = _only(index)
    if number is None or not 0 <= epoch < 1 << 32 or (tensor and batch.requires_grad):
        return None
    done = augment_one(policy, batch[0], seed=seed, epoch=epoch, index=number, copy=copy)
    return None if done is None else done[None]


def _only(index: Any) -> int | None:
    """Return the number of the only example; None if it is not plain."""
    if index is None:
        return 0
    if isinstance(index, np.ndarray) and index.shape == (1,) and index.dtype.kind in "iu":
        return int(index[0])
    plain = isinstance(index, (list, tuple)) and len(index) == 1 and type(index[0]) is int
    return index[0] if plain else None


def _array(
    policy: Drawn, image: NDArray[Any], seed: int, epoch: int, index: int, copy: int
) -> NDArray[np.uint8] | None:
    """Augment uint8 ``(H, W)`` or ``(H, W, C)``."""
    shape = image.shape
    channels = shape[2] if len(shape) == 3 else 1
    if image.dtype != _UINT8 or len(shape) not in (2, 3) or channels not in _CHANNELS:
        return None
    plan = plan_of(policy, seed, channels)
    if plan is None or not image.size:
        return None
    if not image.flags.c_contiguous:
        image = np.ascontiguousarray(image)
    out = np.empty(shape, _UINT8)
    native.run_plan(
        plan, native.address(image), native.address(out), shape[0], shape[1], 0, index, copy, epoch
    )
    return out


def _tensor(
    policy: Drawn, image: Any, torch: Any, seed: int, epoch: int, index: int, copy: int
) -> Any:
    """Augment a tensor uint8 ``(H, W)`` or ``(C, H, W)``, which need not be contiguous."""
    kind = type(image)
    plain = image if kind is torch.Tensor else image.as_subclass(torch.Tensor)
    shape = plain.shape
    channels = shape[0] if len(shape) == 3 else 1
    fits = plain.dtype is torch.uint8 and plain.layout is torch.strided and plain.is_cpu
    if not fits or len(shape) not in (2, 3) or channels not in _CHANNELS or not plain.numel():
        return None
    plan = plan_of(policy, seed, channels)
    if plan is None:
        return None
    planes = native.PLANES_IN | native.PLANES_OUT
    if not plain.is_contiguous():
        if len(shape) == 3 and plain.permute(1, 2, 0).is_contiguous():
            planes = native.PLANES_OUT
        else:
            plain = plain.contiguous()
    out = torch.empty(shape, dtype=torch.uint8)
    native.run_plan(
        plan, plain.data_ptr(), out.data_ptr(), shape[-2], shape[-1], planes, index, copy, epoch
    )
    return out if kind is torch.Tensor else out.as_subclass(kind)


def _pillow(
    policy: Drawn, image: Any, pillow: Any, seed: int, epoch: int, index: int, copy: int
) -> Any:
    """Augment an image of Pillow, from its memory to that of a new one."""
    mode, (width, height) = image.mode, image.size
    if mode not in _MODES or not (width and height):
        return None
    plan = plan_of(policy, seed, _MODES[mode])
    if plan is None or not _shares_memory():  # in this order: the latter needs the engine
        return None
    try:
        _, given = image.__arrow_c_array__()
    except ValueError:  # large images lie in several pieces
        return None
    out = pillow.new(mode, (width, height), None)
    _, made = out.__arrow_c_array__()
    source, target = native.arrow_pixels(given), native.arrow_pixels(made)
    if not source or not target:
        return None
    native.run_plan(plan, source, target, height, width, 0, index, copy, epoch)
    return out


@cache
def _shares_memory() -> bool:
    """Test whether Pillow's images lend their memory, four bytes for each coloured pixel."""
    from PIL import Image

    if not hasattr(Image.Image, "__arrow_c_array__"):
        return False
    for mode, pixel in (("L", 1), ("RGB", 4), ("RGBA", 4)):
        image = Image.new(mode, (3, 2), None)
        try:
            _, lent = image.__arrow_c_array__()
        except ValueError:
            return False
        where = native.arrow_pixels(lent)
        if not where:
            return False
        levels = np.arange(1, 6 * pixel + 1, dtype=np.uint8)
        native.memory_at(where, levels.size)[:] = levels
        shown = levels.reshape(2, 3, pixel)[..., : len(image.getbands())]
        if np.asarray(image).tobytes() != shown.tobytes():
            return False
    return True
