"""Sums over the processes of a distributed training."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def summed(values: Tensor, device: torch.device) -> Tensor:
    """Return the sum of ``values`` over all processes, on the CPU; reduced on ``device``."""
    if not (dist.is_available() and dist.is_initialized()):
        return values
    total = values.to(device, copy=True)
    dist.all_reduce(total)
    return total.cpu()
