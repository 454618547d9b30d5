"""Jobs and operations that fail, in a separate file so that other processes can import them."""

from __future__ import annotations

import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automorph.errors import TrainingError
from automorph.operations import operation
from automorph.searchers import JobResult
from automorph.training import Task


@dataclass(frozen=True)
class Job:
    """A job that succeeds, or fails in a given way."""

    number: int
    way: str = "well"

    def describe(self) -> dict[str, Any]:
        return {"job": self.way, "number": self.number}

    def run(self, task: Task, folder: Path) -> JobResult:
        time.sleep(0.05)
        if self.way == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.way == "killed once":
            mark = folder / f"killed-{self.number}"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if self.way == "hungry":
            limits = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (2**33, limits[1]))
            try:
                np.ones(2**33, np.uint8)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, limits)
        if self.way == "nan":
            raise TrainingError("the training diverged: the loss is nan")
        return JobResult(self.number / 100)


@operation(range=(0, 1), name="Raising")
def raising(image, value):
    raise KeyError("not there")


@operation(range=(0, 1), name="Hanging")
def hanging(image, value):
    while True:
        try:
            time.sleep(0.01)
        except Exception:  # Careless functions do this.
            continue


@operation(range=(0, 1), name="WrongShape")
def wrong_shape(image, value):
    return image[:-1]


@operation(range=(0, 1), name="WrongType")
def wrong_type(image, value):
    return image.astype(np.float64)
