"""The plan for a batch, position by position, made on the host before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from automorph.engine import user_functions
from automorph.operations import (
    KERNELS,
    NOTHING,
    Arguments,
    Context,
    Images,
    Matrices,
    Matrix,
    NumPyKernel,
    Operation,
    Outside,
    SearchSpace,
    Sequences,
    Stream,
    TorchKernel,
    Values,
    Whole,
    compose,
    composed,
    fits_fixed_point,
    fixed_point,
    resample,
    unmoved,
    values_of,
)
from automorph.operations.device import linear, nearest


@dataclass(frozen=True, eq=False)
class PlannedCall:
    """A call on some rows: ``run`` on the device, or ``host`` on the host."""

    rows: Whole
    run: TorchKernel | None = None
    arguments: Arguments = ()
    host: Callable[[Images], Images] | None = None


@dataclass(frozen=True, eq=False)
class Position:
    """One position of the sequences: the calls to make, and the pending maps after it.

    ``calls`` run in order. ``rest`` turns the working images into the images after this position,
    by the maps that "fused" mode has postponed.
    """

    calls: tuple[PlannedCall, ...]
    rest: tuple[PlannedCall, ...]


def plan(
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    images: Images,
    fill: Images,
    outside: Outside,
    bilinear: bool,
    fused: bool,
) -> list[Position]:
    """Plan all positions of the sequences, in order. Only the shape of ``images`` is used."""
    planner = _Planner(space, stream.at_stage(0), images, fill, outside, bilinear, fused)
    return [planner.position(sequences, position) for position in range(sequences.length)]


class _Planner:
    """A pass over the positions that keeps track of the pending affine maps."""

    def __init__(
        self,
        space: SearchSpace,
        stream: Stream,
        images: Images,
        fill: Images,
        outside: Outside,
        bilinear: bool,
        fused: bool,
    ) -> None:
        self.space, self.stream = space, stream
        self.images, self.fill, self.outside = images, fill, outside
        self.size = (images.shape[1], images.shape[2])
        self.bilinear, self.fused = bilinear, fused
        self.pending = unmoved(len(images))
        self.moved = np.zeros(len(images), bool)

    def position(self, sequences: Sequences, position: int) -> Position:
        """Plan one position; as in the reference path, pending maps precede other operations."""
        drawn = [*self._drawn(sequences, position)]
        moving = [(m, *one[1:]) for one in drawn if (m := _matrix(one[0])) is not None]
        others = [one for one in drawn if _matrix(one[0]) is None]
        alone = [one for one in drawn if not composed(one[0], KERNELS.get(one[0].kernel))]
        calls = [*self._settle(_joined([rows for _, rows, _, _ in alone]))]
        calls += self._others(others)
        for matrix, rows, values, step in moving:
            matrices = matrix(values, step, self.size)
            self.pending[rows] = compose(self.pending[rows], matrices)
            self.moved[rows] = True
        resampled = alone if self.fused else moving
        calls += self._settle(_joined([rows for _, rows, _, _ in resampled]))
        return Position(tuple(calls), tuple(self._moves(np.flatnonzero(self.moved))))

    def _drawn(
        self, sequences: Sequences, position: int
    ) -> Iterator[tuple[Operation, Whole, Values, Context]]:
        """Yield each operation at the position, with the rows that it changes and its values."""
        active = sequences.fire[:, position] & (sequences.op[:, position] != NOTHING)
        for number in np.unique(sequences.op[active, position]):
            operation = self.space.operations[number]
            rows = np.flatnonzero(active & (sequences.op[:, position] == number))
            step = self._step(operation, rows, position)
            values = values_of(operation, sequences.magnitude[rows, position], step)
            changed = values != operation.identity
            rows, values = rows[changed], values[changed]
            if len(rows) and operation.kernel != "Identity":
                yield operation, rows, values, self._step(operation, rows, position)

    def _step(self, operation: Operation, rows: Whole, position: int) -> Context:
        stream = self.stream.take(rows)
        return Context(
            operation, stream, position, self.images, self.fill, self.bilinear, self.outside
        )

    def _others(
        self, drawn: list[tuple[Operation, Whole, Values, Context]]
    ) -> Iterator[PlannedCall]:
        """Yield calls of operations without a matrix, merging those that run the same code."""
        alike: dict[tuple[object, ...], list[tuple[Whole, Arguments]]] = {}
        for operation, rows, values, step in drawn:
            kernel = KERNELS.get(operation.kernel)
            if kernel is None or kernel.torch is None:
                own: NumPyKernel = user_functions.call if kernel is None else kernel.numpy
                yield PlannedCall(rows, host=partial(_on_host, run=own, values=values, step=step))
                continue
            arguments = kernel.draw(values, step, self.size)
            shapes = tuple(argument.shape[1:] for argument in arguments)
            alike.setdefault((kernel.torch, shapes), []).append((rows, arguments))
        for (run, _), parts in alike.items():
            rows = np.concatenate([rows for rows, _ in parts])
            columns = zip(*(arguments for _, arguments in parts), strict=True)
            order = np.argsort(rows)
            joined = tuple(np.concatenate(column)[order] for column in columns)
            yield PlannedCall(rows[order], run, joined)  # type: ignore[arg-type]

    def _settle(self, rows: Whole) -> Iterator[PlannedCall]:
        """Yield the calls that apply the pending maps of some rows."""
        rows = np.sort(rows[self.moved[rows]])
        yield from self._moves(rows)
        self.pending[rows] = unmoved(len(rows))
        self.moved[rows] = False

    def _moves(self, rows: Whole) -> Iterator[PlannedCall]:
        if not len(rows):
            return
        matrices = self.pending[rows]
        if self.bilinear:
            yield PlannedCall(rows, linear, (matrices,))
            return
        fits = fits_fixed_point(matrices, *self.size)
        if fits.any():
            places = fixed_point(matrices[fits]).astype(np.int32)
            yield PlannedCall(rows[fits], nearest, (places,))
        if not fits.all():
            # PIL adds floats pixel by pixel here, which a device cannot do in parallel.
            rest = partial(
                _resampled, matrices=matrices[~fits], fill=self.fill, outside=self.outside
            )
            yield PlannedCall(rows[~fits], host=rest)


def _matrix(operation: Operation) -> Matrix | None:
    kernel = KERNELS.get(operation.kernel)
    return kernel.matrix if kernel else None


def _joined(parts: list[Whole]) -> Whole:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _on_host(images: Images, *, run: NumPyKernel, values: Values, step: Context) -> Images:
    return run(images, values, step)


def _resampled(images: Images, *, matrices: Matrices, fill: Images, outside: Outside) -> Images:
    return resample(images, matrices, fill=fill, bilinear=False, outside=outside)
