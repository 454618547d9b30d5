"""Batches, made on demand or ahead of time in background threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.models import modes_kept
from automorph.operations import occurring
from automorph.training.augmenter import Augmenter
from automorph.training.balance import Balance
from automorph.training.batch import Batch, RawBatch, Rows
from automorph.training.device import Machine
from automorph.training.precision import Chosen, casting
from automorph.training.sampler import repeats, steps_per_epoch, unlabelled_rows
from automorph.training.task import Task

Job = TypeVar("Job")
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Loader:
    """The augmented batches of a task, one epoch at a time.

    A batch is a pure function of seed, epoch and step, so ``workers`` (threads that work ahead)
    affect only speed. Threads suffice because array and image code releases the GIL. ``counted``:
    repeats of an example in an epoch get different draws.
    """

    task: Task
    augmenter: Augmenter
    seed: int
    machine: Machine
    precision: Chosen = "fp32"
    workers: int = 0
    counted: bool = True

    @cached_property
    def balance(self) -> Balance:
        """What makes up for classes of different sizes."""
        return Balance(self.task, self.augmenter)

    def epoch(
        self, epoch: int, model: nn.Module, *, last_epoch: int | None = None
    ) -> Generator[Batch]:
        """Yield this process's rows of the epoch's batches, in order.

        ``last_epoch`` is the length of the training as far as it is known (None: the recipe's).
        """
        last = last_epoch or self.task.recipe.epochs
        rows = self.balance.rows(seed=self.seed, epoch=epoch)

        # Counted here, before threads and processes share the batches out.
        times = repeats(rows) if self.counted else [np.zeros_like(batch) for batch in rows]

        def make(job: tuple[int, tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Batch:
            step, (batch, occurrence) = job
            progress = (epoch + step / len(rows)) / last
            return self._make(epoch, step, batch, occurrence, progress, model=model)

        # An augmenter that uses the model needs its current weights.
        ahead = 0 if self.augmenter.needs_model else self.workers
        return in_order(make, enumerate(zip(rows, times, strict=True)), ahead)

    def _make(
        self,
        epoch: int,
        step: int,
        rows: NDArray[np.int64],
        occurrence: NDArray[np.int64],
        progress: float,
        *,
        model: nn.Module,
    ) -> Batch:
        whole = self.augmenter.whole_batch
        own = slice(None) if whole else self._own(len(rows))
        index, times = rows[own], occurrence[own]
        part = self.task.data.train
        numbers = occurring(index, times)
        raw = RawBatch(
            examples=part.drawn(index, seed=self.seed, epoch=epoch, numbers=numbers),
            labels=self.task.target.encode(part.expected[index]),
            index=index,
            seed=self.seed,
            epoch=epoch,
            step=step,
            encoder=self.task.encoder,
            device=self.machine.device,
            target=self.balance.target,
            occurrence=times if times.any() else None,
            progress=progress,
            others=partial(self._others, epoch),
        )
        raw = replace(raw, unlabelled=self._unlabelled(raw, whole=whole))
        if self.augmenter.needs_model:
            # Candidates are often scored in evaluation mode.
            with modes_kept(model), casting(self.precision, self.machine.device):
                batch = self.augmenter(raw, model)
        else:
            batch = self.augmenter(raw, None)
        # Augmenters that make batches of their own need not know what is predicted.
        weights = self.balance.weights(batch.labels, batch.weights)
        batch = replace(batch, target=self.balance.target, weights=weights)
        return self._own_part(batch) if whole and self.machine.processes > 1 else batch

    def _unlabelled(self, raw: RawBatch, *, whole: bool) -> RawBatch | None:
        """Return the examples without labels of a step, or None if the augmenter needs none."""
        labelled, size = self.task.data.train, self.task.recipe.batch_size
        steps = steps_per_epoch(len(labelled), size)
        count = self.augmenter.unlabelled_rows(round(len(labelled) / steps))
        if not count:
            return None
        count = max(count, self.machine.processes)
        pool = labelled if self.task.data.unlabelled is None else self.task.data.unlabelled
        first = raw.epoch * steps
        rows, times = unlabelled_rows(len(pool), count, seed=self.seed, step=first + raw.step)
        times -= first * count // len(pool)  # The passes that earlier epochs began.
        own = slice(None) if whole else self._own(count)
        rows, times = rows[own], times[own]
        index = len(labelled) + rows
        numbers = occurring(index, times)
        return replace(
            raw,
            examples=pool.drawn(rows, seed=self.seed, epoch=raw.epoch, numbers=numbers),
            labels=np.zeros((len(rows), *raw.labels.shape[1:]), np.float32),
            index=index,
            occurrence=times,
        )

    def _own_part(self, batch: Batch) -> Batch:
        """Return this process's rows of a whole batch, of the unlabelled ones too."""
        own = batch.part(self._own(batch.examples))
        rest = batch.unlabelled
        return own if rest is None else replace(
            own, unlabelled=rest.part(self._own(rest.examples))
        )  # fmt: skip

    def _others(self, epoch: int, uniform: NDArray[np.float32]) -> tuple[Any, NDArray[np.float32]]:
        """Return the training examples at some shares of their number, and their labels."""
        part = self.task.data.train
        rows = (uniform.astype(np.float64) * len(part)).astype(np.int64)
        examples = part.drawn(rows, seed=self.seed, epoch=epoch, numbers=rows)
        return examples, self.task.target.encode(part.expected[rows])

    def _own(self, n: int) -> Rows:
        """Return this process's rows of a batch, pass by pass."""
        if self.machine.processes == 1:
            return slice(0, n)
        return np.concatenate(self.machine.passes(n, self.task.recipe.accumulate))


def in_order(make: Callable[[Job], Made], jobs: Iterable[Job], workers: int) -> Generator[Made]:
    """Map ``make`` over ``jobs`` in order, with up to two results per worker made ahead.

    >>> list(in_order(abs, [-3, -1, -2], workers=2))
    [3, 1, 2]
    """
    if workers == 0:
        yield from map(make, jobs)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="automorph-batches")
    waiting: deque[Future[Made]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(make, job))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
