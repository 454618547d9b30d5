"""Kernels: what an image operation does to pixels, in NumPy and on the other paths.

A family file (``geometric.py``, ``photometric.py``, ..) declares each operation once, as an
`Operation` (name, range, unit) and a `Kernel` (this file).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.native import Rows
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
WordSource = tuple[NDArray[np.int64], NDArray[np.uint32], int, tuple[int, int], int]
"""Indices and copies ``(m,)``, epoch, key and first draw of random words."""
Outside = Literal["fill", "edge", "reflect"]
"""What lies outside an image: the fill colour, its edge repeated, or its mirror image."""

DRAWS_A_POSITION = 24
"""Each position of a sequence has 2^24 draws of its own; draw 0 is the sign."""


@dataclass(frozen=True, eq=False)
class Context:
    """The inputs of a kernel besides its images ``(m, H, W, C)`` and values ``(m,)``.

    ``stream`` has one row per image; ``batch`` holds the untransformed images of the whole batch
    (for operations with a partner); ``fill`` ``(C,)`` is the colour of pixels from outside the
    image, unless ``outside`` states another source for them.
    """

    operation: Operation
    stream: Stream
    position: int
    batch: NDArray[Any]
    fill: Images
    bilinear: bool = False
    outside: Outside = "fill"

    def row(self, number: int) -> Context:
        """Return the context of a single row."""
        return replace(self, stream=self.stream.take(slice(number, number + 1)))

    def words(self, count: int, *, draw: int = 1) -> NDArray[np.uint32]:
        """Generate random words ``(m, count)``, starting at draw ``draw``."""
        return self.stream.bits("op", count, start=(self.position << DRAWS_A_POSITION) + draw)

    def uniform(self, count: int, *, draw: int = 1) -> Values:
        """Generate numbers in [0, 1), float64 ``(m, count)``, exact multiples of 2^-24."""
        return unit_interval(self.words(count, draw=draw)).astype(np.float64)

    def word_source(self, *, draw: int = 1) -> WordSource:
        """Return where the words of `words` come from, for compiled steps."""
        stream = self.stream
        copy = (stream.copy | stream.stage << 24).astype(np.uint32)
        start = (self.position << DRAWS_A_POSITION) + draw
        key = stream_key(stream.seed, "op")
        return np.ascontiguousarray(stream.index), copy, stream.epoch, key, start

    def below(self, limits: ArrayLike, *, draw: int) -> Whole:
        """Generate integers ``floor(u * limit)`` in [0, limit), int64 ``(m,)``."""
        top = self.words(1, draw=draw)[:, 0].astype(np.int64) >> 8
        return (top * np.asarray(limits, np.int64)) >> 24

    def signs(self) -> Values:
        """Toss fair coins for the signs +-1, ``(m,)``."""
        return np.where(self.words(1, draw=0)[:, 0] < 2**31, 1.0, -1.0)

    def counters(self) -> Arguments:
        """Return the Philox counters ``(m, 4)`` of draw 0 and the key ``(m, 2)``, for a device."""
        block = np.array([(self.position << DRAWS_A_POSITION) // 4])
        counters = self.stream.counters(block)[:, 0].astype(np.int64)
        key = np.array(stream_key(self.stream.seed, "op"), np.int64)
        return counters, np.broadcast_to(key, (len(counters), 2))


@dataclass(frozen=True, eq=False)
class DeviceContext:
    """The inputs of device code besides its images and arguments.

    ``batch`` ``(n, C, H, W)``: the untransformed images of the whole batch; ``fill`` ``(C,)`` and
    ``outside``: as in `Context`; ``wide``: the type of floats that must be precise.
    """

    batch: Tensor
    fill: Tensor
    wide: torch.dtype
    outside: Outside = "fill"


class NumPyKernel(Protocol):
    """A map of images ``(m, H, W, C)`` with one value each to new images."""

    def __call__(self, images: Images, values: Values, context: Context, /) -> Images:
        """Apply the operation."""
        ...


class CompiledKernel(Protocol):
    """The compiled form of a `NumPyKernel`: writes rows of a batch."""

    def __call__(self, rows: Rows, values: Values, context: Context, /) -> None:
        """Apply the operation to some rows, with one value for each."""
        ...


class TorchKernel(Protocol):
    """A map of images ``(m, C, H, W)``, uint8, with arguments of ``m`` rows, to new images."""

    def __call__(self, images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
        """Apply the operation."""
        ...


Draw = Callable[[Values, Context, Size], Arguments]
Matrix = Callable[[Values, Context, Size], Matrices]
Read = Callable[[Places, float, Context, Size], Places]


def no_arguments(values: Values, context: Context, size: Size) -> Arguments:
    """Return no arguments."""
    return ()


def the_values(values: Values, context: Context, size: Size) -> Arguments:
    """Return the values."""
    return (values,)


def the_factors(values: Values, context: Context, size: Size) -> Arguments:
    """Return the values as float32, the precision in which PIL blends."""
    return (values.astype(np.float32),)


@dataclass(frozen=True)
class Kernel:
    """The implementation of an operation on every path.

    ``numpy`` defines the operation. On a device it runs in two halves: the host draws a few numbers
    per image (``draw``), and ``torch`` applies them to a whole batch and reads nothing back, so the
    host never waits. Operations with the same ``torch`` run together.

    Boxes, masks and key points are transformed by ``matrix`` (an affine map from the result to the
    input; the engine resamples by it on every path, and composes several) or by ``read`` (maps
    points of the result to the points that they are read from; ``straight`` if the map is affine
    along each axis). With neither, pixels keep their positions. ``native`` is the number of the
    compiled kernel (`Kernel` in ``native/core/kernels.hpp``); without one, the compiled path calls
    ``compiled``, which writes rows of a batch by a compiled step, or ``numpy``. A point-wise
    operation has a ``table`` ``(m, 1, 256)`` of its values ``(m,)``; its other paths and the Python
    export are derived from it. ``constants`` are numbers of the definition that another version
    could choose differently: policy files state them.
    Operations may set those in ``settable`` otherwise (`Operation.with_settings`).
    ``definitions``: how many the kernel has; the functions compute by that of the operation.
    """

    numpy: NumPyKernel
    torch: TorchKernel | None = None
    draw: Draw = no_arguments
    matrix: Matrix | None = None
    read: Read | None = None
    straight: bool = False
    native: int | None = None
    compiled: CompiledKernel | None = None
    keeps_alpha: bool = False
    table: Callable[[Values], NDArray[np.uint8]] | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    settable: Mapping[str, Bounds] = field(default_factory=dict)
    definitions: int = 1


Bounds = tuple[float, float] | tuple[str, ...]
"""What an operation may set a constant to: numbers between two, or one of some words."""

Family = dict[Operation, Kernel]
"""The operations that a family file declares."""


def colours(
    numpy: NumPyKernel,
    torch: TorchKernel,
    draw: Draw = no_arguments,
    *,
    native: int | None = None,
    compiled: CompiledKernel | None = None,
    constants: Mapping[str, Any] | None = None,
) -> Kernel:
    """Make a kernel for grey or RGB channels; the alpha channel of RGBA images is kept."""

    def kept(images: Images, values: Values, context: Context) -> Images:
        if images.shape[3] < 4:
            return numpy(images, values, context)
        opaque = np.ascontiguousarray(images[..., :3])
        return np.concatenate([numpy(opaque, values, context), images[..., 3:]], axis=3)

    # One wrapper per device half, so that kernels that share it still run together.
    half = _kept_halves.setdefault(id(torch), _alpha_kept(torch))
    return Kernel(
        kept, half, draw, native=native, compiled=compiled, keeps_alpha=True,
        constants=constants or {},
    )  # fmt: skip


_kept_halves: dict[int, TorchKernel] = {}


def _alpha_kept(run: TorchKernel) -> TorchKernel:
    def kept(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
        import torch

        if images.shape[1] < 4:
            return run(images, device, *arguments)
        return torch.cat([run(images[:, :3], device, *arguments), images[:, 3:]], dim=1)

    return kept


def evenly(first: float, last: float, count: int) -> Values:
    """Return numbers from first to last, as ``numpy.linspace`` does, which takes longer."""
    if count < 2:
        return np.full(max(count, 0), first)
    step = (last - first) / (count - 1)
    if step == 0.0:
        return np.linspace(first, last, count)
    out = np.asarray(np.arange(count) * step + first, np.float64)
    out[-1] = last
    return out


def settings_of(operation: Operation, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constants of a kernel as its operation sets them."""
    return {**defaults, **dict(operation.settings)}


def values_of(operation: Operation, magnitude: ArrayLike, context: Context) -> Values:
    """Convert magnitudes ``(m,)`` to values, or draw them if the operation draws its own.

    The draw is the last of the position, so it never coincides with one of the kernel.
    """
    if not operation.drawn:
        return operation.values(magnitude, context.signs() if operation.signed else 1.0)
    u = context.uniform(1, draw=(1 << DRAWS_A_POSITION) - 4)[:, 0]
    low, high = operation.low, operation.high
    if operation.whole:
        return np.asarray(np.rint(low) + np.floor(u * (np.rint(high) - np.rint(low) + 1)))
    return np.asarray(low + u * (high - low))


def composed(operation: Operation, kernel: Kernel | None) -> bool:
    """Return whether "fused" mode composes the operation's map with others.

    Only those that the compiled path knows, so that all paths resample at the same places.
    """
    return bool(kernel and kernel.matrix and kernel.native is not None and not operation.settings)


def truncated(values: ArrayLike) -> Whole:
    """Round to float32, then truncate towards zero as ``int`` does.

    Magnitudes are float32, so a value that is meant to be an integer may lie just below it.

    >>> truncated([10 * np.float64(np.float32(0.7)), -2.5, 0.999]).tolist()
    [7, -2, 0]
    """
    return np.asarray(np.trunc(np.asarray(values, np.float32)), np.int64)


def spread(argument: Tensor) -> Tensor:
    """Reshape an argument ``(m, ...)`` to ``(m, ..., 1, 1)``, 4 axes, to broadcast against images.

    >>> import torch
    >>> spread(torch.zeros(5)).shape
    torch.Size([5, 1, 1, 1])
    """
    return argument.view(*argument.shape, *[1] * (4 - argument.ndim))
