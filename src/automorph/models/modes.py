"""The mode of every layer, training or evaluation: the only code that changes it in place.

`nn.Module.train` and `eval` set all layers alike, and so lose the mode of layers that are held in
evaluation mode, such as normalisations with frozen statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


class Modes:
    """The mode of every layer of a network, to restore."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.modes = [(layer, layer.training) for layer in model.modules()]

    def restore(self) -> None:
        """Put every layer in its mode."""
        # A network's own `train` may do more than set modes: merge and split weights, for example.
        self.model.train(self.modes[0][1])
        for layer, training in self.modes:
            layer.training = training


@contextmanager
def modes_kept(model: nn.Module) -> Iterator[None]:
    """Restore the mode of every layer afterwards.

    >>> model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout())
    >>> _ = model[0].eval()
    >>> with modes_kept(model):
    ...     _ = model.train()
    >>> [layer.training for layer in model]
    [False, True]
    """
    modes = Modes(model)
    try:
        yield
    finally:
        modes.restore()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put every layer in evaluation mode; restore the mode of each afterwards."""
    with modes_kept(model):
        model.eval()
        yield


def held_in_evaluation(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers, by name, that a network in training mode holds in evaluation mode."""
    if not model.training:
        return {}
    return {name: layer for name, layer in model.named_modules() if not layer.training}


def hold_statistics(model: nn.Module) -> None:
    """Hold all normalisations with running statistics in evaluation mode: they stay as they are."""
    for layer in model.modules():
        if getattr(layer, "running_mean", None) is not None:
            layer.training = False


def begin_training(model: nn.Module) -> None:
    """Put a new network in training mode, except the layers that it holds in evaluation mode.

    A network that is in evaluation mode as a whole, as most functions that load weights return it,
    is put in training mode as a whole.
    """
    held = held_in_evaluation(model)
    model.train()
    for layer in held.values():
        layer.training = False
