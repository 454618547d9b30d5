"""The finished work of a benchmark: one line of results/NAME.jsonl per cell.

A cell is the smallest piece of work that is stored: a training, a measurement or a learned policy.
Its line holds its name and its result. Lines are appended when cells finish, so a benchmark that is
killed loses only the cells it was working on, and running it again does what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from automorph.experiments import JsonLines
from automorph.training import Workers
from record import RESULTS

WORK = Path(__file__).parent / "work"
"""Large files that a benchmark needs while it runs and can make again; not in the repository."""

Content = dict[str, Any]


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
        start: Callable[..., object] | None = None,
        shared: tuple[Any, ...] = (),
    ) -> None:
        """Do the missing cells, ``work(*arguments)`` each, and append each as it finishes.

        With more than one job, cells run in separate processes with one thread each.
        ``start(*shared)`` prepares every process once, and only if a cell is missing.
        """
        missing = {cell: given for cell, given in cells.items() if cell not in self}
        if not missing:
            return
        names = list(missing)
        if jobs <= 1:
            if start is not None:
                start(*shared)
            for number, cell in enumerate(names, 1):
                self.kept(cell, work, *missing[cell])
                print(f"{cell} ({number}/{len(names)})", flush=True)
            return
        count = min(jobs, len(names))
        with Workers(count, start or _nothing, shared) as workers:
            finished = workers.run(work, list(missing.values()))
            for number, (place, result) in enumerate(finished, 1):
                if isinstance(result, Exception):
                    raise result
                self.add(names[place], result)
                print(f"{names[place]} ({number}/{len(names)})", flush=True)


def _nothing() -> None:
    """Prepare nothing."""
