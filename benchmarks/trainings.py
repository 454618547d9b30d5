"""Runs of the package whose jobs are lines of a benchmark's file, next to its other cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from automorph.augmenters import as_treatment
from automorph.experiments import Comparison, FullTraining, Treatment, compare, key_of
from automorph.experiments.version_1 import cell_path
from cells import Cells


class RunLog:
    """The log of one run among the lines of a file; ``name`` marks its lines.

    It is what `automorph.experiments.Store` expects of a log.
    """

    def __init__(self, cells: Cells, name: str) -> None:
        self.place = f"{cells.log.path} ({name})"
        self.cells, self.name = cells, name

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The notes by name, and the records of the jobs in their order."""
        notes: dict[str, Any] = {}
        jobs = []
        for line in self.cells.log.read():
            if line.pop("run", None) != self.name:
                continue
            if "note" in line:
                notes[line["note"]] = line["content"]
            else:
                jobs.append(line)
        return notes, jobs

    def add(self, record: dict[str, Any]) -> None:
        """Append the record of a job."""
        self.cells.log.append({"run": self.name, **record})

    def note(self, name: str, content: Any) -> None:
        """Append a note; it replaces an earlier one of its name."""
        self.cells.log.append({"run": self.name, "note": name, "content": content})


class ComparisonLog(RunLog):
    """The log of a comparison, with the trainings that version 0.1 finished.

    Those are cells with the names of their former files; the cell ``NAME/task`` identifies them.
    """

    def __init__(self, cells: Cells, name: str, trainings: Sequence[FullTraining]) -> None:
        super().__init__(cells, name)
        self._trainings = trainings

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The notes by name, and the records of the jobs in their order."""
        notes, jobs = super().read()
        known = self.cells.results
        if (task := f"{self.name}/task") in known:
            notes.setdefault("identity", {"task": known[task]})
        older = [
            _record(job, known[cell])
            for job in self._trainings
            if (cell := f"{self.name}/{cell_path(Path(), job).stem}") in known
        ]
        return notes, [*older, *jobs]


def _record(job: FullTraining, cell: dict[str, Any]) -> dict[str, Any]:
    """The record of a training that version 0.1 finished."""
    return {
        "key": key_of(job), "kind": "final", "score": cell["validation_accuracy"],
        "units": [cell["units"]["forward"], cell["units"]["backward"]],
        "seconds": cell["seconds"], "facts": cell, "error": "", "clock": 0.0,
        "job": job.describe(),
    }  # fmt: skip


def compared(
    cells: Cells,
    task: Any,
    policies: Sequence[str | Treatment],
    *,
    seeds: int,
    jobs: int = 1,
    name: str = "trainings",
    **options: Any,
) -> Comparison:
    """Compare policies; each finished training is appended to the file of the cells.

    ``options`` are those of `automorph.compare`.
    """
    treatments = [as_treatment(p) if isinstance(p, str) else p for p in policies]
    trainings = [
        FullTraining(policy=policy, seed=seed) for policy in treatments for seed in range(seeds)
    ]

    def show(every: list[Any], done: int) -> Any:
        return partial(report, len(every), done, set[Any]())

    def report(total: int, done: int, finished: set[Any], cell: Any, share: float) -> None:
        if share >= 1.0 and cell not in finished:
            finished.add(cell)
            policy, number = treatments[cell.treatment].name, done + len(finished)
            print(f"{name}: {policy} seed {cell.seed} ({number}/{total})", flush=True)

    return compare(
        task, treatments, seeds=seeds, log=ComparisonLog(cells, name, trainings), jobs=jobs,
        progress=show, **options,
    )  # fmt: skip
