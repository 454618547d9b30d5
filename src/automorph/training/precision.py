"""Numeric precision: how `auto` is resolved, and the cost estimate it is based on."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from automorph.models import evaluating
from automorph.training.device import Machine
from automorph.training.task import Task

Chosen = Literal["fp32", "bf16", "fp16"]

WORTH_IT = 1_500_000
"""Multiply-adds per example from which bf16 pays on a CPU: measured 1.2 to 1.9 times as fast above
this, and as accurate. Below it, casting costs what it saves."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def precision_of(task: Task, machine: Machine) -> Chosen:
    """Return the precision of a task on a machine, see `choose_precision`."""
    if task.recipe.precision != "auto":
        return task.recipe.precision
    example = task.encoder(task.data.train.data[:1], torch.device("cpu"))
    return choose_precision(task.build(0), example, machine.device)


def choose_precision(model: nn.Module, example: Tensor, device: torch.device) -> Chosen:
    """Resolve the precision ``auto`` by a rule, not by timing, so that runs are reproducible.

    It is bf16 on GPUs that support it, fp16 on older ones, and bf16 on CPUs with bf16 instructions
    for networks of more than 1.5 million multiply-adds per example; else fp32, as for networks that
    train depthwise convolutions on a CPU. ``example`` is one encoded example ``(1, ...)``.
    """
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if device.type == "cpu" and _trains_depthwise(model):
        return "fp32"
    if device.type == "cpu" and _cpu_has_bf16() and multiply_adds(model, example) > WORTH_IT:
        return "bf16"
    return "fp32"


def casting(precision: Chosen, device: torch.device) -> torch.autocast:
    """Return a context in which layers that benefit compute in this precision."""
    return torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32")


def multiply_adds(model: nn.Module, example: Tensor) -> int:
    """Count the multiply-adds of convolutions and linear layers for one example."""
    total = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += layer.weight.numel() * out.shape[-2] * out.shape[-1]
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel() * (out.numel() // out.shape[-1])

    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with evaluating(model), torch.inference_mode():
            model(example)
    finally:
        for hook in hooks:
            hook.remove()
    return total


def _trains_depthwise(model: nn.Module) -> bool:
    """Return whether depthwise convolutions are trained, whose gradients are slow in bf16.

    An image of EfficientNet-Lite0 at 96 px took 54 ms in bf16 and 31 in fp32 (torch 2.8).
    """
    return any(
        layer.groups > 1 and layer.groups == layer.in_channels and layer.weight.requires_grad
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d)
    )


def _cpu_has_bf16() -> bool:
    """Return whether the CPU multiplies bf16 natively (AVX-512 BF16 or AMX)."""
    # Torch offers only private functions for this, which may go; without them, fp32 is safe.
    asks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, ask, bool)() for ask in asks)
