"""What an image operation does to pixels: its meaning in NumPy, and the same on other paths.

A family file (``geometric.py``, ``photometric.py``, ..) declares each operation once, as an
`Operation` (name, range, unit) and a `Kernel` (this file).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.operations.random import Stream, stream_key, unit_interval
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Images = NDArray[np.uint8]
Values = NDArray[np.float64]
Whole = NDArray[np.int64]
Matrices = NDArray[np.float64]
Places = NDArray[np.float64]
Arguments = tuple[NDArray[Any], ...]
Size = tuple[int, int]

DRAWS_A_POSITION = 24
"""Every position of a sequence has its own 2^24 draws; draw 0 is the sign."""


@dataclass(frozen=True, eq=False)
class Context:
    """What a kernel may know besides its images ``(m, H, W, C)`` and values ``(m,)``.

    ``stream`` has one row an image; ``batch`` holds the untransformed images of the whole batch
    (for operations with a partner); ``fill`` ``(C,)`` is the colour of what comes in from outside.
    """

    operation: Operation
    stream: Stream
    position: int
    batch: NDArray[Any]
    fill: Images
    bilinear: bool = False

    def row(self, number: int) -> Context:
        """The step of one of the rows."""
        return replace(self, stream=self.stream.take(slice(number, number + 1)))

    def words(self, count: int, *, draw: int = 1) -> NDArray[np.uint32]:
        """Random words ``(m, count)`` of the rows, from draw number ``draw`` on."""
        return self.stream.bits("op", count, start=(self.position << DRAWS_A_POSITION) + draw)

    def uniform(self, count: int, *, draw: int = 1) -> Values:
        """Numbers in [0, 1), float64 ``(m, count)``, exact multiples of 2^-24."""
        return unit_interval(self.words(count, draw=draw)).astype(np.float64)

    def below(self, limits: ArrayLike, *, draw: int) -> Whole:
        """Whole numbers ``floor(u * limit)`` in [0, limit), int64 ``(m,)``."""
        top = self.words(1, draw=draw)[:, 0].astype(np.int64) >> 8
        return (top * np.asarray(limits, np.int64)) >> 24

    def signs(self) -> Values:
        """The sides +-1, ``(m,)``: fair coins."""
        return np.where(self.words(1, draw=0)[:, 0] < 2**31, 1.0, -1.0)

    def counters(self) -> Arguments:
        """The Philox counters ``(m, 4)`` of draw 0, and the key ``(m, 2)``, for a device."""
        block = np.array([(self.position << DRAWS_A_POSITION) // 4])
        counters = self.stream.counters(block)[:, 0].astype(np.int64)
        key = np.array(stream_key(self.stream.seed, "op"), np.int64)
        return counters, np.broadcast_to(key, (len(counters), 2))


@dataclass(frozen=True, eq=False)
class DeviceContext:
    """What device code may know besides its images and arguments.

    ``batch`` ``(n, C, H, W)``: the untransformed images of the whole batch; ``fill`` ``(C,)``: the
    colour of what comes in from outside; ``wide``: the type of floats that must be precise.
    """

    batch: Tensor
    fill: Tensor
    wide: torch.dtype


class NumPyKernel(Protocol):
    """A map of images ``(m, H, W, C)`` with one value each; returns new images."""

    def __call__(self, images: Images, values: Values, context: Context, /) -> Images:
        """The images after the operation."""
        ...


class TorchKernel(Protocol):
    """A map of images ``(m, C, H, W)``, uint8, with arguments of ``m`` rows; returns new images."""

    def __call__(self, images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
        """The images after the operation."""
        ...


Draw = Callable[[Values, Context, Size], Arguments]
Matrix = Callable[[Values, Context, Size], Matrices]
Read = Callable[[Places, float, Context, Size], Places]


def no_arguments(values: Values, context: Context, size: Size) -> Arguments:
    """Nothing: the device needs no argument."""
    return ()


def the_values(values: Values, context: Context, size: Size) -> Arguments:
    """The values themselves."""
    return (values,)


def the_factors(values: Values, context: Context, size: Size) -> Arguments:
    """The values as float32, the precision in which PIL blends."""
    return (values.astype(np.float32),)


@dataclass(frozen=True)
class Kernel:
    """What an operation does, on every path.

    ``numpy`` is the meaning. On a device the operation runs in two halves: the host draws a few
    numbers an image (``draw``), and ``torch`` applies them to a whole batch and reads nothing back,
    so the host never waits. Operations with the same ``torch`` run together.

    Boxes, masks and key points follow by ``matrix`` (an affine map from the result to the input;
    the engine resamples it on every path, and composes several) or ``read`` (where each place of
    the result is read from; ``straight`` if along each axis that is a straight line). With neither,
    pixels stay where they are. ``native`` is the number of the compiled kernel (`Kernel` in
    ``native/core/kernels.hpp``); without one, the compiled path calls ``numpy``. ``constants`` are
    the numbers inside the meaning that another version could choose otherwise: policy files state
    them.
    """

    numpy: NumPyKernel
    torch: TorchKernel | None = None
    draw: Draw = no_arguments
    matrix: Matrix | None = None
    read: Read | None = None
    straight: bool = False
    native: int | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)


Family = dict[Operation, Kernel]
"""The operations that a family file declares."""


def colours(
    numpy: NumPyKernel,
    torch: TorchKernel,
    draw: Draw = no_arguments,
    *,
    native: int | None = None,
    constants: Mapping[str, Any] | None = None,
) -> Kernel:
    """A kernel for grey or RGB images; the alpha of RGBA images is kept as it is."""

    def kept(images: Images, values: Values, context: Context) -> Images:
        if images.shape[3] < 4:
            return numpy(images, values, context)
        opaque = np.ascontiguousarray(images[..., :3])
        return np.concatenate([numpy(opaque, values, context), images[..., 3:]], axis=3)

    # Kernels with the same device half still run together.
    half = _kept_halves.setdefault(id(torch), _alpha_kept(torch))
    return Kernel(kept, half, draw, native=native, constants=constants or {})


_kept_halves: dict[int, TorchKernel] = {}


def _alpha_kept(run: TorchKernel) -> TorchKernel:
    def kept(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
        import torch

        if images.shape[1] < 4:
            return run(images, device, *arguments)
        return torch.cat([run(images[:, :3], device, *arguments), images[:, 3:]], dim=1)

    return kept


def truncated(values: ArrayLike) -> Whole:
    """Cut to whole numbers towards zero, as ``int`` does, after rounding to float32.

    Magnitudes are float32, so a value that is meant to be whole may lie a hair below.

    >>> truncated([10 * np.float64(np.float32(0.7)), -2.5, 0.999]).tolist()
    [7, -2, 0]
    """
    return np.asarray(np.trunc(np.asarray(values, np.float32)), np.int64)


def spread(argument: Tensor) -> Tensor:
    """An argument ``(m, ...)`` that broadcasts against images: ``(m, ..., 1, 1)``, 4 axes at least.

    >>> import torch
    >>> spread(torch.zeros(5)).shape
    torch.Size([5, 1, 1, 1])
    """
    return argument.view(*argument.shape, *[1] * (4 - argument.ndim))
