"""The reference path: apply sequences to a batch, position by position, in plain NumPy.

It defines every operation. Rows with the same operation at a position go through its kernel
together; there is no other optimisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from automorph.engine.batching import run_kernel
from automorph.engine.validation import check_batch, check_fill
from automorph.operations import (
    KERNELS,
    NOTHING,
    Context,
    Images,
    Matrix,
    Operation,
    Outside,
    SearchSpace,
    Sequences,
    Stream,
    Values,
    compose,
    composed,
    resample,
    unmoved,
    values_of,
)

Interpolation = Literal["nearest", "bilinear"]
Mode = Literal["exact", "fused"]


def apply_reference(
    images: NDArray[Any],
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    fill: int | str | Sequence[int] = 0,
    interpolation: Interpolation = "nearest",
    mode: Mode = "exact",
    prefixes: bool = False,
    threads: int = 1,
) -> NDArray[Any]:
    """Apply sequences to a batch; see ``automorph.engine.apply``. ``threads`` has no effect."""
    check_batch(images, sequences, space, stream, interpolation, mode, threads)
    walk = _Walk(images, stream.at_stage(0), *check_fill(fill, images), interpolation)
    fused = mode == "fused" and space.domain == "image"
    steps = [walk.done.copy()]
    for position in range(sequences.length):
        active = sequences.fire[:, position] & (sequences.op[:, position] != NOTHING)
        for number in np.unique(sequences.op[active, position]):
            rows = np.flatnonzero(active & (sequences.op[:, position] == number))
            operation = space.operations[number]
            walk.step(operation, rows, sequences.magnitude[rows, position], position, fused)
        if prefixes:
            steps.append(walk.result())
    return np.stack(steps, axis=1) if prefixes else walk.result()


class _Walk:
    """The images of a batch between operations, and their pending affine maps."""

    def __init__(
        self,
        images: NDArray[Any],
        stream: Stream,
        fill: Images,
        outside: Outside,
        interpolation: Interpolation,
    ) -> None:
        self.batch = images
        self.done = np.array(images, order="C")
        self.stream = stream
        self.fill, self.outside = fill, outside
        self.bilinear = interpolation == "bilinear"
        self.pending = unmoved(len(images))
        self.moved = np.zeros(len(images), bool)

    def step(
        self,
        operation: Operation,
        rows: NDArray[np.int64],
        magnitude: NDArray[np.float32],
        position: int,
        fused: bool,
    ) -> None:
        """Apply one operation at one position; identity values leave the image unchanged."""
        values = values_of(operation, magnitude, self._step(operation, rows, position))
        changed = values != operation.identity
        rows, values = rows[changed], values[changed]
        if not len(rows):
            return
        known = KERNELS.get(operation.kernel)
        if fused and known and known.matrix and composed(operation, known):
            self._postpone(known.matrix, self._step(operation, rows, position), rows, values)
            return
        self._settle(rows)
        run_kernel(
            operation, self.done, rows, values, lambda part: self._step(operation, part, position)
        )

    def result(self) -> NDArray[Any]:
        """Return the current images, with all pending maps applied, as a new array."""
        out = self.done.copy()
        rows = np.flatnonzero(self.moved)
        out[rows] = self._resampled(rows)
        return out

    def _step(self, operation: Operation, rows: NDArray[np.int64], position: int) -> Context:
        stream = self.stream.take(rows)
        return Context(
            operation, stream, position, self.batch, self.fill, self.bilinear, self.outside
        )

    def _postpone(
        self, matrix: Matrix, step: Context, rows: NDArray[np.int64], values: Values
    ) -> None:
        size = (self.done.shape[1], self.done.shape[2])
        matrices = matrix(values, step, size)
        self.pending[rows] = compose(self.pending[rows], matrices)
        self.moved[rows] = True

    def _settle(self, rows: NDArray[np.int64]) -> None:
        """Apply the pending maps of some rows."""
        rows = rows[self.moved[rows]]
        self.done[rows] = self._resampled(rows)
        self.pending[rows] = unmoved(len(rows))
        self.moved[rows] = False

    def _resampled(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        if not len(rows):
            return self.done[rows]
        return resample(
            self.done[rows], self.pending[rows],
            fill=self.fill, bilinear=self.bilinear, outside=self.outside,
        )  # fmt: skip
