"""The table of a comparison from its cells: accuracies, paired differences, curves, predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import AutomorphError
from automorph.experiments.statistics import Difference, Summary, holm, paired_difference, summarise
from automorph.experiments.store import Cell
from automorph.training import unpacked

Outcome = dict[str, Any] | AutomorphError


@dataclass(frozen=True)
class Row:
    """One policy: accuracies over the seeds, paired difference from the baseline, cost."""

    policy: str
    accuracy: Summary | None
    validation: Summary | None = None
    difference: Difference | None = None
    units: dict[str, int] = field(default_factory=dict)
    seconds: Summary | None = None
    error: str | None = None


def rows_of(
    names: list[str],
    seeds: tuple[int, ...],
    results: Mapping[Cell, Outcome],
    base: str,
    confidence: float,
) -> tuple[Row, ...]:
    """Make the rows of the table from finished cells, with differences from ``base``."""
    rows = []
    base_cells = [results[Cell(names.index(base), seed)] for seed in seeds]
    for treatment, name in enumerate(names):
        cells = [results[Cell(treatment, seed)] for seed in seeds]
        failed = [outcome for outcome in cells if isinstance(outcome, AutomorphError)]
        if failed:
            rows.append(Row(name, None, error=f"{len(failed)} of {len(cells)}: {failed[0]}"))
            continue
        good = [outcome for outcome in cells if isinstance(outcome, dict)]
        accuracy = [cell["test_accuracy"] for cell in good]
        validation = [cell["validation_accuracy"] for cell in good]
        difference = None
        if name != base and all(isinstance(cell, dict) for cell in base_cells):
            reference = [cell["test_accuracy"] for cell in base_cells if isinstance(cell, dict)]
            difference = paired_difference(accuracy, reference, confidence=confidence)
        rows.append(
            Row(
                name,
                summarise(accuracy),
                None if None in validation else summarise(validation),
                difference,
                {key: sum(cell["units"][key] for cell in good) for key in good[0]["units"]},
                summarise([cell["seconds"] for cell in good]),
            )
        )
    return _adjusted(rows)


def _adjusted(rows: list[Row]) -> tuple[Row, ...]:
    tested = [i for i, row in enumerate(rows) if row.difference and row.difference.p is not None]
    adjusted = holm([rows[i].difference.p or 0.0 for i in tested])  # type: ignore[union-attr]
    for i, p in zip(tested, adjusted, strict=True):
        row = rows[i]
        assert row.difference is not None
        known = asdict(row.difference) | {"p_adjusted": float(p)}
        rows[i] = Row(**(row.__dict__ | {"difference": Difference(**known)}))
    return tuple(rows)


def curves_of(
    names: Sequence[str], seeds: Sequence[int], results: Mapping[Cell, Outcome]
) -> dict[str, dict[str, Any]]:
    """Return curves, ``{policy: {name: (seeds, epochs)}}``, without policies that failed."""
    return {
        name: {key: [cell["curves"][key] for cell in cells] for key in cells[0]["curves"]}
        for name, cells in _whole(names, seeds, results)
    }


def predictions_of(
    names: Sequence[str], seeds: Sequence[int], results: Mapping[Cell, Outcome]
) -> dict[str, NDArray[np.int64]]:
    """Predicted classes of the test examples by policy, int64 ``(seeds, n)``.

    Policies with a failed training, or with cells of older versions, are left out.
    """
    return {
        name: np.stack([unpacked(cell["predictions"]) for cell in cells])
        for name, cells in _whole(names, seeds, results)
        if all(cell.get("predictions") for cell in cells)
    }


def _whole(
    names: Sequence[str], seeds: Sequence[int], results: Mapping[Cell, Outcome]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the policies whose trainings all finished, with their cells."""
    found = []
    for treatment, name in enumerate(names):
        outcomes = [results[Cell(treatment, seed)] for seed in seeds]
        cells = [outcome for outcome in outcomes if isinstance(outcome, dict)]
        if cells and len(cells) == len(outcomes):
            found.append((name, cells))
    return found
