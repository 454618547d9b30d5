"""Jobs that executors are checked with; they lie in a module of their own for worker processes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.errors import TrainingError
from automorph.experiments import JobResult, report
from automorph.training import Task


@dataclass(frozen=True)
class Look:
    """Compute a score with the task's network, and report what the job can see."""

    number: int = 0
    seconds: float = 0.0

    def describe(self) -> dict[str, Any]:
        """Return its content."""
        return {"job": "look", "number": self.number, "seconds": self.seconds}

    def run(self, task: Task, folder: Path) -> JobResult:
        """Run it."""
        import torch

        from automorph.models import evaluating

        time.sleep(self.seconds)
        report(0.5)
        rows = task.data.train.data[:32]
        network = task.build(self.number)
        with evaluating(network), torch.no_grad():
            logits = network(task.encoder(rows, torch.device("cpu")))
        facts = {
            "parts": sorted(task.data.parts),
            "threads": torch.get_num_threads(),
            "folder": folder.is_dir(),
        }
        return JobResult(float(logits.square().sum()), facts=facts)


@dataclass(frozen=True)
class Fail:
    """Fail with an error that automorph explains."""

    def describe(self) -> dict[str, Any]:
        """Return its content."""
        return {"job": "fail"}

    def run(self, task: Task, folder: Path) -> JobResult:
        """Run it."""
        raise TrainingError("the loss is not finite; expected a number: this job fails on purpose")


@dataclass(frozen=True)
class Die:
    """End the process that runs it, unless that is the process ``parent``, where it only fails."""

    parent: int

    def describe(self) -> dict[str, Any]:
        """Return its content."""
        return {"job": "die"}

    def run(self, task: Task, folder: Path) -> JobResult:
        """Run it."""
        if os.getpid() != self.parent:
            os._exit(9)
        raise TrainingError("this job ends its worker; expected a process of its own: none here")
