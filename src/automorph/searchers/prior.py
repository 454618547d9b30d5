"""What is known of the candidates before a race: their gains on public data sets.

The table ``prior.json`` has a row for each candidate, data set and regime: the mean gain over no
augmentation in the Brier score (`searchers.row_scores`), its standard error and the number of
seeds. ``benchmarks/portfolio.py`` measures it. Without rows for a regime, the prior is flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automorph.errors import DamagedError
from automorph.files import read_json

PRIOR = Path(__file__).parent / "prior.json"
FEWEST_SETS = 3
"""Candidates measured on fewer sets have a flat prior: their spread between sets is not known."""
TEXTS = ("candidate", "set", "domain", "regime")
NUMBERS = ("gain", "error", "seeds")


@dataclass(frozen=True)
class Gain:
    """A normal distribution of a candidate's gain over no augmentation."""

    mean: float
    variance: float


def load_prior(
    domain: str, regime: str, *, without: Iterable[str] = (), path: Path | None = None
) -> dict[str, Gain]:
    """Return the expected gain of candidates on a new data set, by name.

    ``without`` names sets whose rows are left out, so that a race on one of them can be judged.
    Raises `DamagedError` for a table that cannot be read.
    """
    rows = _rows(path or PRIOR)
    left_out = set(without)
    wanted = [
        row
        for row in rows
        if (row["domain"], row["regime"]) == (domain, regime) and row["set"] not in left_out
    ]
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in wanted:
        by_name.setdefault(row["candidate"], []).append(row)
    return gains_of({
        name: ([row["gain"] for row in own], [row["error"] for row in own])
        for name, own in by_name.items()
    })  # fmt: skip


def gains_of(table: Mapping[str, tuple[list[float], list[float]]]) -> dict[str, Gain]:
    """Return the predictive distributions of gains on a new set, given those on some sets.

    ``table`` has gains and standard errors by candidate. The variance between sets is the estimate
    by moments of DerSimonian and Laird, "Meta-analysis in clinical trials" (1986), section 3, but
    not below its mean over all candidates: of a few sets, single estimates are often 0 by chance.

    >>> gain = gains_of({"crop": ([0.1, 0.2, 0.3], [0.01, 0.01, 0.01])})["crop"]
    >>> round(gain.mean, 3), round(gain.variance, 3)
    (0.2, 0.013)
    """
    known = {
        name: (np.array(gains), np.maximum(errors, 1e-6) ** 2)
        for name, (gains, errors) in table.items()
        if len(gains) >= FEWEST_SETS
    }
    between = {name: _between(gains, within) for name, (gains, within) in known.items()}
    usual = float(np.mean(list(between.values()))) if between else 0.0
    made = {}
    for name, (gains, within) in known.items():
        spread = max(between[name], usual)
        weights = 1 / (within + spread)
        mean = float(weights @ gains / weights.sum())
        made[name] = Gain(mean, spread + 1 / float(weights.sum()))
    return made


def posterior(measured: float, error: float, prior: Gain | None) -> float:
    """Return the posterior mean of a gain that was measured with a standard error.

    The mean of two normal distributions, weighted by their precisions; this shrinks the best of
    many measurements the most. Without a prior, it is the measured gain.

    >>> round(posterior(0.3, 0.1, Gain(0.1, 0.01)), 3)
    0.2
    """
    if prior is None or error == 0:
        return measured
    return (measured * prior.variance + prior.mean * error**2) / (prior.variance + error**2)


def _between(gains: Any, within: Any) -> float:
    weights = 1 / within
    mean = weights @ gains / weights.sum()
    excess = weights @ (gains - mean) ** 2 - (len(gains) - 1)
    return max(0.0, float(excess / (weights.sum() - (weights**2).sum() / weights.sum())))


def _rows(path: Path) -> list[dict[str, Any]]:
    content = read_json(path)
    rows = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise DamagedError(
            f"{path} is not a table of gains; expected rows with {', '.join(TEXTS + NUMBERS)}: "
            "make it again with benchmarks/portfolio.py"
        )
    return rows


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and (
        all(isinstance(row.get(name), str) for name in TEXTS)
        and all(isinstance(row.get(name), (int, float)) for name in NUMBERS)
    )
