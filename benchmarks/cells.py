"""The finished work of a benchmark: one line of results/NAME.jsonl per cell.

A cell is the smallest piece of work that is stored: a training, a measurement or a learned policy.
Its line holds its name and its result. Lines are appended when cells finish, so a benchmark that is
killed loses only the cells it was working on, and running it again does what is missing.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph.experiments import JobResult, JsonLines, open_executor
from record import RESULTS

WORK = Path(__file__).parent / "work"
"""Large files that a benchmark needs while it runs and can make again; not in the repository."""

Content = dict[str, Any]


def cells_parser(header: str | None) -> argparse.ArgumentParser:
    """Return a parser of what benchmarks of paired seeds take: ``seeds``, ``jobs``, ``tiny``."""
    parser = argparse.ArgumentParser(description=(header or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--try", dest="tiny", action="store_true")
    return parser


class Cells:
    """The finished cells of ``results/NAME.jsonl``: their results by name.

    Several processes may append to the file at once. The first result of a cell counts. A damaged
    line is reported and costs only its cell, which the next run does again.
    """

    def __init__(self, name: str, folder: Path = RESULTS) -> None:
        self.log = JsonLines(folder / f"{name}.jsonl")
        self._size, self._results = -1, dict[str, Content]()

    @property
    def results(self) -> dict[str, Content]:
        """The results of all finished cells by name, those of other processes too."""
        size = self.log.path.stat().st_size if self.log.path.exists() else 0
        if size != self._size:
            self._size, self._results = size, {}
            for record in self.log.read():
                if "cell" in record:  # Comparisons share the file: see `trainings`.
                    self._results.setdefault(record["cell"], record["result"])
        return self._results

    def __contains__(self, cell: str) -> bool:
        return cell in self.results

    def __getitem__(self, cell: str) -> Content:
        return self.results[cell]

    def add(self, cell: str, result: Content) -> Content:
        """Append the result of a cell, and return it as it is read back."""
        self.log.append({"cell": cell, "result": result})
        return self[cell]

    def kept(self, cell: str, work: Callable[..., Content], *arguments: Any) -> Content:
        """Return the result of a cell; do its work if it is missing."""
        return self[cell] if cell in self else self.add(cell, work(*arguments))

    def run(
        self,
        work: Callable[..., Content],
        cells: Mapping[str, tuple[Any, ...]],
        *,
        jobs: int = 1,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        """Do the missing cells, ``work(*arguments)`` each, and append each as it finishes.

        ``jobs`` cells run in parallel, each on one thread. ``prepare()`` is called before every
        cell, in the process that runs it. A cell that fails is reported at the end.
        """
        missing = [CellJob(cell, work, given) for cell, given in cells.items() if cell not in self]
        if not missing:
            return
        failed = []
        with (
            TemporaryDirectory() as folder,
            open_executor("processes", prepare, Path(folder), jobs=jobs) as executor,
        ):
            finished = executor.run(missing, test=True)
            for number, (place, outcome) in enumerate(finished, 1):
                cell, error = missing[place].cell, outcome.error
                print(f"{cell} ({number}/{len(missing)}) {error}", flush=True)
                if error:
                    failed.append(cell)
                else:
                    self.add(cell, dict(outcome.facts))
        if failed:
            raise SystemExit(f"failed: {', '.join(failed)}; the same command tries them again")


@dataclass(frozen=True)
class CellJob:
    """A cell as a job of an executor."""

    cell: str
    work: Callable[..., Content]
    arguments: tuple[Any, ...]

    def describe(self) -> dict[str, Any]:
        """Return what identifies the cell in its file."""
        return {"job": "cell", "cell": self.cell}

    def run(self, task: Callable[[], object] | None, folder: Path) -> JobResult:
        """Do the work; ``task`` is the ``prepare`` of `Cells.run`."""
        if task is not None:
            task()
        return JobResult(math.nan, facts=self.work(*self.arguments))
