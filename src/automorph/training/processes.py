"""One training over several processes: gradients are averaged, batch statistics are shared."""

from __future__ import annotations

from typing import cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from automorph.training.machine import Machine


def share_model(model: nn.Module, machine: Machine) -> nn.Module:
    """The model to call in training: it gives what one process would on the whole batch.

    The layers of ``model`` itself are exchanged where they look at the batch; weights and names
    stay.
    """
    if machine.processes == 1:
        return model
    if machine.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    else:
        # PyTorch's own works on GPUs only.
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.__class__ = SharedBatchNorm
    # Buffers need no broadcast: the shared statistics make them equal everywhere.
    return cast(nn.Module, DistributedDataParallel(model, broadcast_buffers=False))


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation with mean and variance over the batches of all processes.

    Ioffe and Szegedy, "Batch Normalization" (ICML 2015), algorithm 1; sums travel, and their
    gradients travel back.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(n, C, H, W)``; in evaluation mode by the running statistics."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        rows = torch.tensor([float(values.numel() // values.shape[1])])
        dist.all_reduce(rows)
        mean = _total(values.sum((0, 2, 3))) / rows
        centred = values - mean.view(1, -1, 1, 1)
        var = _total(centred.square().sum((0, 2, 3))) / rows
        if self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean, float(share))
                self.running_var.lerp_(var * rows / (rows - 1), float(share))
        out = centred * (var + self.eps).rsqrt().view(1, -1, 1, 1)
        if self.affine:
            out = out * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return out.to(x.dtype)


def _total(part: Tensor) -> Tensor:
    """The sum over processes; gradients are summed on the way back."""
    return cast(Tensor, all_reduce(part))  # type: ignore[no-untyped-call]
