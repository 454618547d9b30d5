"""Operations diagnosed at rising magnitudes, on two cores where there are two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby

import numpy as np

from automorph import engine
from automorph.diagnostics.diagnosis import Bench, Diagnosis
from automorph.diagnostics.explain_result import Point
from automorph.diagnostics.features import Images
from automorph.operations import Operation, SearchSpace, Sequences, Stream
from automorph.policies import value_text
from automorph.processes import usable_cores

_AHEAD = 2
"""Transformations whose copies wait to be judged."""


class Sweeper:
    """Diagnoses operations at rising magnitudes, or once if they have no magnitude.

    Operations run in this thread, since functions of users may need it; what was drawn is judged in
    another one, where there is a core for it.
    """

    def __init__(self, bench: Bench, magnitudes: Sequence[float]) -> None:
        self.bench, self.magnitudes = bench, tuple(sorted(magnitudes))
        self._judged: list[tuple[Operation, float, Future[Diagnosis]]] = []

    def __enter__(self) -> Sweeper:
        _ = self.bench.error  # What all diagnoses share is computed once, before any.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="automorph-explain")
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self._pool.shutdown(cancel_futures=error is not None)

    def add(self, operation: Operation) -> None:
        """Transform the examples at all magnitudes, and have the copies judged."""
        strengths = (1.0,) if operation.magnitude_free else self.magnitudes
        for magnitude in strengths:
            drawn = self.bench.draw(transform_of(operation, magnitude, seed=self.bench.seed))
            if len(self._judged) >= _AHEAD:  # Features that wait take memory.
                self._judged[-_AHEAD][2].result()
            if usable_cores() > 1:
                judged = self._pool.submit(self.bench.judge, drawn)
            else:
                judged = Future()
                judged.set_result(self.bench.judge(drawn))
            self._judged.append((operation, magnitude, judged))

    def finished(self) -> list[tuple[Operation, tuple[Point, ...]]]:
        """Return the points of every operation, in the order in which they were added."""
        return [
            (operation, tuple(
                Point(magnitude, value_text(operation, magnitude), judged.result())
                for _, magnitude, judged in points
            ))
            for operation, points in groupby(self._judged, lambda one: one[0])
        ]  # fmt: skip


def transform_of(
    operation: Operation, magnitude: float, *, seed: int = 0
) -> Callable[[Images, int], Images]:
    """Return the operation at one magnitude as a function of images and copy number."""
    space = SearchSpace(operation.name, (operation,))

    def transform(images: Images, copy: int) -> Images:
        n = len(images)
        stream = Stream(seed=seed, index=np.arange(n), copy=copy)
        sequences = Sequences.of(np.zeros((n, 1), np.int16), magnitude)
        augmented: Images = engine.apply(images, sequences, space, stream)
        return augmented

    return transform
