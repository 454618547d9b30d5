"""A check that a custom network fits the data, before it is trained."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from automorph.errors import AutomorphError, UsageError
from automorph.training.task import Task

_LOOKED_AT: WeakSet[Task] = WeakSet()


def check_network(task: Task) -> None:
    """Raise ``UsageError`` unless a custom network can be built and accepts the examples.

    The network is built for this check, once per task, and run on two examples in evaluation mode;
    torch's random state is restored. Named networks need no check.
    """
    if isinstance(task.model, str) or task in _LOOKED_AT:
        return
    with torch.random.fork_rng(devices=[]):
        _check_answer(task, _built(task))
    _LOOKED_AT.add(task)


def _built(task: Task) -> nn.Module:
    try:
        network = task.build(0)
    except TypeError as error:
        name = getattr(task.model, "__name__", "Net")
        raise UsageError(
            f"the network cannot be built by calling model=... without arguments: {error}; "
            f"pass everything it needs, as in model=lambda: {name}(10)"
        ) from error
    if not isinstance(network, nn.Module):
        raise UsageError(
            f"calling model=... returned {type(network).__name__}; expected a torch.nn.Module"
        )
    if any(isinstance(weights, UninitializedParameter) for weights in network.parameters()):
        raise UsageError(
            f"got a network with lazy layers, {type(network).__name__}, whose initial weights "
            "would depend on the first batch; specify the sizes, as in nn.Linear(64, 10)"
        )
    return network


def _check_answer(task: Task, network: nn.Module) -> None:
    device = next((weights.device for weights in network.parameters()), torch.device("cpu"))
    inputs = task.encoder(task.data.train.data[:2], device)
    name = type(network).__name__
    given = f"inputs {_type_and_shape(inputs)} (two examples of {task.name})"
    try:
        with torch.no_grad():
            logits = network.eval()(inputs)
    except AutomorphError:
        raise
    except Exception as error:
        raise UsageError(
            f"the network {name} does not accept the data: for {given}, it raised "
            f"{type(error).__name__}: {error}. Expected a network that maps such inputs to "
            f"logits (n, {task.target.outputs}); change its sizes, or resize the data"
        ) from error
    if _type_and_shape(logits) != f"float (2, {task.target.outputs})":
        raise UsageError(
            f"the network {name} does not fit the data: for {given}, it returned "
            f"{_type_and_shape(logits)}. Expected logits (n, classes), here float "
            f"(2, {task.target.outputs}), for the classes {', '.join(task.data.classes)[:100]}"
        )


def _type_and_shape(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    kind = "float" if value.is_floating_point() else str(value.dtype).removeprefix("torch.")
    return f"{kind} {tuple(value.shape)}"
