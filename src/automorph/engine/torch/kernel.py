"""Operations in two halves: what the host draws (NumPy), and what the device does (torch).

The drawn half is small (a matrix, a table, a rectangle an image) and is that of the reference path.
The other half sees whole batches and reads no value back, so the host never waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.engine.context import Context, Values

Arguments = tuple[NDArray[Any], ...]
Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class DeviceContext:
    """What device code may know besides its images and arguments.

    ``batch`` ``(n, C, H, W)``: the untransformed images of the whole batch; ``fill`` ``(C,)``: the
    colour of what comes in from outside; ``wide``: the type of floats that must be precise.
    """

    batch: Tensor
    fill: Tensor
    wide: torch.dtype


class Run(Protocol):
    """A map of images ``(m, C, H, W)``, uint8, with arguments of ``m`` rows; returns new images."""

    def __call__(self, images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
        """The images after the operation."""
        ...


@dataclass(frozen=True)
class TorchKernel:
    """Both halves: ``run`` gets what ``draw`` returns for values ``(m,)`` and a size (H, W).

    Operations with the same ``run`` are carried out together.
    """

    draw: Callable[[Values, Context, Size], Arguments]
    run: Run


def alphas(values: Values, step: Context, size: Size) -> Arguments:
    """The values themselves as weights, in the precision in which PIL blends."""
    return (values.astype(np.float32),)


def nothing_drawn(values: Values, step: Context, size: Size) -> Arguments:
    """No arguments."""
    return ()


def spread(argument: Tensor) -> Tensor:
    """An argument ``(m, ...)`` that broadcasts against images: ``(m, ..., 1, 1)``, 4 axes at least.

    >>> spread(torch.zeros(5)).shape
    torch.Size([5, 1, 1, 1])
    """
    return argument.view(*argument.shape, *[1] * (4 - argument.ndim))


def quotient(dividend: Tensor | float, divisor: Tensor | float) -> Tensor:
    """The correctly rounded quotient; one of the two is a tensor.

    With plain numbers torch may multiply by the reciprocal, which differs in the last bit.
    """
    like = divisor if isinstance(divisor, Tensor) else dividend
    assert isinstance(like, Tensor)
    pair = (
        part if isinstance(part, Tensor) else torch.full_like(like, part)
        for part in (dividend, divisor)
    )
    return torch.div(*pair)


def colours_only(run: Run) -> Run:
    """The same with alpha kept aside."""

    def apply(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
        if images.shape[1] < 4:
            return run(images, setting, *arguments)
        return torch.cat([run(images[:, :3], setting, *arguments), images[:, 3:]], dim=1)

    return apply
