"""One training on several processes: gradients are averaged, batch statistics are shared."""

from __future__ import annotations

from inspect import signature
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.parallel import DistributedDataParallel

from automorph.training.device import Machine


def share_model(model: nn.Module, machine: Machine) -> nn.Module:
    """Return the model to call in training: equivalent to one process on the whole batch.

    Layers of ``model`` that use batch statistics are replaced in place; weights and names stay
    the same.
    """
    if machine.processes == 1:
        return model
    if machine.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    else:
        # PyTorch's SyncBatchNorm works on GPUs only.
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.__class__ = SharedBatchNorm
    # Buffers need no broadcast: the shared statistics make them equal on all processes.
    known = signature(DistributedDataParallel).parameters
    word = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    still: dict[str, Any] = {word: False}
    return cast(nn.Module, DistributedDataParallel(model, **still))


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation with mean and variance over the batches of all processes.

    Ioffe and Szegedy, "Batch Normalization" (ICML 2015), algorithm 1. Each pass exchanges one
    message between the processes, because on CPUs the waiting dominates the cost.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(n, C, H, W)``; in evaluation mode by the running statistics."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        mean, var, rows = _statistics(values.detach())
        if self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            with torch.no_grad():
                self.num_batches_tracked += 1
                share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean, float(share))
                self.running_var.lerp_(var * rows / (rows - 1), float(share))
        w, b = (self.weight, self.bias) if self.affine else (mean.new_ones(()), mean.new_zeros(()))
        out: Tensor = _Normalised.apply(
            values, w.expand_as(mean), b.expand_as(mean), mean, var, 1 / rows, self.eps
        )
        return out.to(x.dtype)


def _statistics(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and variance ``(C,)`` over all processes, and the number of values of each."""
    # Several times as fast as torch.var_mean for channels-last images.
    mean = values.mean((0, 2, 3))
    var = (values - mean.view(1, -1, 1, 1)).square().mean((0, 2, 3))
    if not len(values):  # The last batch may be smaller than the number of processes.
        var, mean = torch.zeros_like(var), torch.zeros_like(mean)
    rows = torch.tensor([float(values.numel() // values.shape[1])])
    own = torch.cat([mean, var, rows])
    gathered = own.new_empty(dist.get_world_size() * len(own))
    dist.all_gather_into_tensor(gathered, own)
    means, variances, counts = gathered.view(-1, len(own)).tensor_split([len(mean), -1], dim=1)
    shares = counts / counts.sum()
    mean = (shares * means).sum(0)
    # The law of total variance: within processes, and between them.
    var = (shares * (variances + (means - mean).square())).sum(0)
    return mean, var, counts.sum()


class _Normalised(torch.autograd.Function):
    """y = w z + b with z = (x - mean) / sqrt(var + eps), mean and variance being functions of x.

    dx = w (dy - E[dy] - z E[dy z]) / sqrt(var + eps), means over all processes: the gradient for
    constant mean and variance plus, for each channel, a term linear in z. Both are computed in one
    pass each, as in evaluation mode.
    """

    @staticmethod
    def forward(
        context: Any, x: Tensor, w: Tensor, b: Tensor, mean: Tensor, var: Tensor, part: Tensor,
        eps: float,
    ) -> Tensor:  # fmt: skip
        context.save_for_backward(x, w, mean, var, part)
        context.eps = eps
        return batch_norm(x, mean, var, w, b, training=False, eps=eps)

    @staticmethod
    def backward(context: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, w, mean, var, part = context.saved_tensors
        constant, dw, db = torch.ops.aten.native_batch_norm_backward(
            dy, x, w, mean, var, None, None, False, context.eps, [True, True, True]
        )
        sums = torch.stack([dw, db])
        dist.all_reduce(sums)
        slope, level = -w * (var + context.eps).rsqrt() * sums * part
        line = batch_norm(x, mean, var, slope, level, training=False, eps=context.eps)
        return constant.add_(line), dw, db, None, None, None, None
