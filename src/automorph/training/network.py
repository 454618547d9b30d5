"""A check that a custom network fits the data, before it is trained."""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from automorph.errors import AutomorphError, UsageError
from automorph.models import evaluating, held_in_evaluation
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
        network = _built(task)
        _note_modes(network)
        _check_answer(task, network)
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


def _note_modes(network: nn.Module) -> None:
    """Warn of layers in evaluation mode, unless they are single normalisations.

    These are held in it for their statistics; whole parts often only because the function that
    loaded their weights returned them so.
    """
    held = held_in_evaluation(network)
    if others := [name for name, layer in held.items() if not hasattr(layer, "running_mean")]:
        warnings.warn(
            f"the network {type(network).__name__} has parts in evaluation mode "
            f"({', '.join(others)[:80]}). They stay in it during training: their dropout is off, "
            "and their statistics are frozen. If this is not intended, call .train() on the "
            "network before model=... returns it",
            stacklevel=4,
        )


def _check_answer(task: Task, network: nn.Module) -> None:
    device = next((weights.device for weights in network.parameters()), torch.device("cpu"))
    inputs = task.encoder(task.data.train.data[:2], device)
    name = type(network).__name__
    pixels = task.data.train.data.shape[1:3] if task.data.target == "masks" else ()
    expected = f"({', '.join(map(str, ('n', task.target.outputs, *pixels)))})"
    given = f"inputs {_type_and_shape(inputs)} (two examples of {task.name})"
    try:
        with evaluating(network), torch.no_grad():
            logits = network(inputs)
    except AutomorphError:
        raise
    except Exception as error:
        raise UsageError(
            f"the network {name} does not accept the data: for {given}, it raised "
            f"{type(error).__name__}: {error}. Expected a network that maps such inputs to "
            f"logits {expected}; change its sizes, or resize the data"
        ) from error
    if _type_and_shape(logits) != f"float {expected.replace('n', '2')}":
        raise UsageError(
            f"the network {name} does not fit the data: for {given}, it returned "
            f"{_type_and_shape(logits)}. Expected logits (n, classes{', H, W' if pixels else ''}), "
            f"here float {expected.replace('n', '2')}, for the classes "
            f"{', '.join(task.data.predicted)[:100]}"
        )


def _type_and_shape(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    kind = "float" if value.is_floating_point() else str(value.dtype).removeprefix("torch.")
    return f"{kind} {tuple(value.shape)}"
