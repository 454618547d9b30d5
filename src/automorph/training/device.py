"""The device of a training, and the processes that share the work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from automorph.errors import UsageError


@dataclass(frozen=True)
class Machine:
    """A device, and the rank of this process among those that share the training."""

    device: torch.device
    process: int = 0
    processes: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.process == 0

    @property
    def spare_threads(self) -> int:
        """Threads that can make batches while the device trains."""
        return 0 if self.device.type == "cpu" else min(4, max(1, (os.cpu_count() or 1) - 1))

    def share(self, n: int) -> slice:
        """Return this process's slice of n rows: consecutive, sizes differing by at most one.

        >>> [Machine(torch.device("cpu"), process=p, processes=2).share(5) for p in (0, 1)]
        [slice(0, 3, None), slice(3, 5, None)]
        """
        each, left = divmod(n, self.processes)
        start = self.process * each + min(self.process, left)
        return slice(start, start + each + (self.process < left))

    def passes(self, n: int, count: int) -> list[NDArray[np.int64]]:
        """Return this process's rows of n in each of ``count`` passes; all processes agree on them.

        Together, the processes see in a pass exactly the rows that a single process would see.
        There are fewer passes if a process would have no rows in one.

        >>> second = Machine(torch.device("cpu"), process=1, processes=2)
        >>> [rows.tolist() for rows in second.passes(8, 2)]
        [[2, 3], [6, 7]]
        """
        count = max(1, min(count, n // self.processes))
        bounds = [number * n // count for number in range(count + 1)]
        return [
            np.arange(first, last)[self.share(last - first)] for first, last in pairwise(bounds)
        ]

    def count(self, n: int) -> int:
        """Return the sum of a number over all processes."""
        return n if self.processes == 1 else int(self.sum(torch.tensor(n, device=self.device)))

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place."""
        if self.processes > 1:
            dist.all_reduce(tensor)
        return tensor

    def wait(self) -> None:
        """Wait until all processes have arrived."""
        if self.processes > 1:
            dist.barrier()


def find_machine(device: str = "auto") -> Machine:
    """Find the device and the processes: ``auto`` takes an accelerator if there is one.

    Other values of ``device`` are torch device names.

    If started by ``torchrun`` or ``accelerate launch``, the processes share the work: Accelerate's
    `PartialState` reads their number and starts their group. The rest of Accelerate is not used:
    its `Accelerator` fixes one precision for the whole Python process, while several trainings with
    different precisions may run in it here. Precision is one `torch.autocast` in the loop.
    """
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if several or (device == "auto" and torch.accelerator.is_available()):
        from accelerate import PartialState

        state = PartialState(cpu=device == "cpu" or not torch.accelerator.is_available())
        return Machine(state.device, state.process_index, state.num_processes)
    try:
        return Machine(torch.device("cpu" if device == "auto" else device))
    except RuntimeError as error:
        raise UsageError(f"device {device!r}: expected auto, cpu, cuda or mps") from error


@contextmanager
def repeatable(machine: Machine) -> Iterator[None]:
    """Make results reproducible: deterministic cuDNN; restore torch's generators at the end."""
    devices = [machine.device] if machine.device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=devices),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        yield
