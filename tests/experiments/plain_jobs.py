"""Jobs for the workers of the tests, in a separate file so that other processes can import it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.experiments import JobResult
from automorph.training import Task


@dataclass(frozen=True)
class Sees:
    """Report which parts of the task a job can see, and how it is run."""

    number: int = 0

    def describe(self) -> dict[str, Any]:
        return {"job": "sees", "number": self.number}

    def run(self, task: Task, folder: Path) -> JobResult:
        import torch

        facts = {"parts": list(task.data.parts), "threads": torch.get_num_threads()}
        return JobResult(float(self.number), facts=facts)


@dataclass(frozen=True)
class Dies:
    """Kill the worker, the first time."""

    mark: str

    def describe(self) -> dict[str, Any]:
        return {"job": "dies"}

    def run(self, task: Task, folder: Path) -> JobResult:
        path = Path(self.mark)
        if not path.exists():
            path.touch()
            os._exit(9)
        return JobResult(1.0)
