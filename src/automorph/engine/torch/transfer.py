"""Transfer of arrays to a device: pack them, send them once, unpack them there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from automorph.operations import Arguments

_ALIGNMENT = 16


def send(
    groups: Sequence[Arguments], device: torch.device, *, wide: torch.dtype = torch.float64
) -> list[tuple[Tensor, ...]]:
    """Copy groups of arrays to groups of tensors on the device, in one transfer.

    Arrays of float64 arrive as ``wide``. On CUDA the transfer starts from pinned memory and does
    not wait for the device.

    >>> [(first, second)] = send([(np.arange(3), np.ones((2, 2)))], torch.device("cpu"))
    >>> first.tolist(), second.dtype
    ([0, 1, 2], torch.float64)
    """
    float_type = torch.empty((), dtype=wide).numpy().dtype
    arrays = [
        np.ascontiguousarray(array, float_type if array.dtype == np.float64 else None)
        for group in groups
        for array in group
    ]
    sizes = [-(-array.nbytes // _ALIGNMENT) * _ALIGNMENT for array in arrays]
    starts = np.cumsum([0, *sizes]).tolist()
    parcel = torch.empty(starts[-1], dtype=torch.uint8, pin_memory=device.type == "cuda")
    packed = parcel.numpy()
    for array, start in zip(arrays, starts, strict=False):
        packed[start : start + array.nbytes] = array.reshape(-1).view(np.uint8)
    arrived = parcel.to(device, non_blocking=True)
    tensors = iter(
        arrived[start : start + array.nbytes].view(_torch_type(array.dtype)).view(array.shape)
        for array, start in zip(arrays, starts, strict=False)
    )
    return [tuple(next(tensors) for _ in group) for group in groups]


def _torch_type(dtype: np.dtype[np.generic]) -> torch.dtype:
    return torch.from_numpy(np.empty(0, dtype)).dtype
