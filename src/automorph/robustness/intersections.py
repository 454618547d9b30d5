"""Intersections of column values on which a model is worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import holm
from automorph.robustness.metrics import deficits, wilson

MISSING = "(missing)"
_VALUES, _COLUMNS, _ORDER = 20, 12, 3
_RANGES = 4


@dataclass(frozen=True)
class Intersection:
    """Examples of a class with certain values of some columns, against the rest of their class.

    ``p`` is corrected for the number of intersections examined (Holm); ``alarm`` is True if it is
    below the audit's rate.
    """

    class_name: str
    values: dict[str, str]
    n: int
    accuracy: float
    low: float
    high: float
    class_accuracy: float
    p: float
    alarm: bool


def intersections(
    correct: NDArray[np.bool_],
    labels: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.str_]],
    classes: tuple[str, ...],
    *,
    smallest: int = 20,
    rate: float = 0.05,
    max_count: int = 10,
) -> tuple[Intersection, ...]:
    """Return the intersections of up to three columns with the lowest accuracy.

    ``columns`` are strings ``(n,)``, empty if missing. Numeric columns of many values are cut into
    four ranges with equally many examples; other columns of more than 20 values are left out. Only
    intersections of ``smallest`` examples or more that are worse than each with one column less are
    listed, ``max_count`` at most, the strongest evidence first: a simpler one explains the others.
    """
    coded = coded_columns(columns)
    counts: dict[tuple[int, tuple[tuple[str, str], ...]], tuple[int, int, float]] = {}
    for label in range(len(classes)):
        rows = labels == label
        if not rows.any():
            continue
        right = correct[rows]
        for order in range(1, min(_ORDER, len(coded)) + 1):
            for names in combinations(coded, order):
                codes = np.stack([coded[name][0][rows] for name in names], axis=1)
                cells, cell = np.unique(codes, axis=0, return_inverse=True)
                n = np.bincount(cell.ravel(), minlength=len(cells))
                k = np.bincount(cell.ravel(), right, minlength=len(cells)).astype(np.int64)
                p = deficits(k, n)
                for row in np.flatnonzero((n >= smallest) & (n < rows.sum())):
                    pairs = zip(names, cells[row].tolist(), strict=True)
                    key = tuple((name, coded[name][1][code]) for name, code in pairs)
                    counts[label, key] = (int(k[row]), int(n[row]), float(p[row]))
    if not counts:
        return ()
    keys = list(counts)
    adjusted = holm([counts[key][2] for key in keys])
    shares = np.array([counts[key][0] / counts[key][1] for key in keys])
    rows_of: list[Intersection] = []
    for place in np.lexsort([shares, adjusted]).tolist():
        label, values = keys[place]
        k_, n_, _ = counts[keys[place]]
        mine = correct[labels == label]
        if k_ / n_ >= mine.mean() or not _worse_than_parents(counts, label, values):
            continue
        low, high = wilson(k_, n_)
        rows_of.append(
            Intersection(
                classes[label], dict(values), n_, k_ / n_, float(low), float(high),
                float(mine.mean()), float(adjusted[place]), bool(adjusted[place] < rate),
            )
        )  # fmt: skip
        if len(rows_of) == max_count:
            break
    return tuple(rows_of)


def coded_columns(
    columns: Mapping[str, NDArray[np.str_]],
) -> dict[str, tuple[NDArray[np.int64], list[str]]]:
    """Return columns as codes ``(n,)`` and value names; columns without variation are dropped."""
    coded = {}
    for name, column in columns.items():
        values = np.array([str(value) or MISSING for value in column.tolist()])
        distinct = np.unique(values)
        numbers = _numbers(values)
        if len(distinct) > _VALUES // 2 and numbers is not None:
            values = _ranges(numbers)
            distinct = np.unique(values)
        if 1 < len(distinct) <= _VALUES:
            coded[name] = (np.searchsorted(distinct, values), [str(value) for value in distinct])
        if len(coded) == _COLUMNS:
            break
    return coded


def _numbers(values: NDArray[np.str_]) -> NDArray[np.float64] | None:
    try:
        return np.array([np.nan if v == MISSING else float(v) for v in values.tolist()])
    except ValueError:
        return None


def _ranges(numbers: NDArray[np.float64]) -> NDArray[np.str_]:
    """Return names of ranges with equally many numbers each."""
    finite = numbers[np.isfinite(numbers)]
    ends = np.unique(np.quantile(finite, np.linspace(0, 1, _RANGES + 1)))
    index = np.clip(np.searchsorted(ends, numbers, side="right") - 1, 0, max(0, len(ends) - 2))
    names = np.array([f"{a:g} to {b:g}" for a, b in pairwise(ends)] or ["all"])
    return np.where(np.isfinite(numbers), names[index], MISSING)


def _worse_than_parents(
    counts: dict[tuple[int, tuple[tuple[str, str], ...]], tuple[int, int, float]],
    label: int,
    values: tuple[tuple[str, str], ...],
) -> bool:
    k, n, _ = counts[label, values]
    parents = [values[:i] + values[i + 1 :] for i in range(len(values))] if len(values) > 1 else []
    shares = [counts[label, parent] for parent in parents if (label, parent) in counts]
    return all(k / n < right / size for right, size, _ in shares)
