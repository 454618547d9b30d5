"""The result of `explain`: per operation a finding, its sweep over magnitudes, rank and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from automorph.diagnostics.diagnosis import Bench, Diagnosis
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace
from automorph.policies import value_text

Verdict = Literal["keep", "keep mild", "drop", "label risk"]

HARM = 0.02
"""A predicted relative rise of the ridge error by this much is harm."""
RISK = 0.05
"""This many more transformed than untransformed examples taken for another class are a risk."""
NOTHING = 0.01
"""An operation that moves features by less than this share has no effect."""
DRAWS = 400


@dataclass(frozen=True, eq=False)
class Point:
    """An operation at one magnitude, and its effect on the data."""

    magnitude: float
    value: str
    diagnosis: Diagnosis

    @property
    def moves(self) -> bool:
        """True if the features move."""
        return self.diagnosis.invariance >= NOTHING

    @property
    def harms(self) -> bool:
        """True if a higher error is predicted."""
        return self.diagnosis.change >= HARM

    @property
    def helps(self) -> bool:
        """True if a lower error is predicted, beyond chance (two standard errors)."""
        return self.diagnosis.change + 2 * self.diagnosis.change_se < 0

    @property
    def risky(self) -> bool:
        """True if labels are at risk, beyond chance (two standard errors)."""
        diagnosis = self.diagnosis
        return diagnosis.label_risk >= RISK and diagnosis.label_risk > 2 * diagnosis.risk_se

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain data."""
        columns = {name: _rounded(value) for name, value in self.diagnosis.columns().items()}
        return {"magnitude": self.magnitude, "value": self.value, **columns}


@dataclass(frozen=True, eq=False)
class Finding:
    """One operation: its best point, its useful range, rank, verdict and the reason for it.

    ``useful`` is the largest magnitude up to which no harm is predicted (0: none). Rank 1 is the
    most promising operation.
    """

    operation: Operation
    points: tuple[Point, ...]
    rank: int
    rank_low: int
    rank_high: int
    classes: tuple[str, ...] = field(repr=False)

    @property
    def best(self) -> Point:
        """The point of the least predicted error."""
        return best_of(self.points)

    @property
    def useful(self) -> float:
        """Largest magnitude up to which no point of the sweep harms.

        It is 0 if no point before that has an effect.
        """
        reached = 0.0
        for point in self.points:
            if point.harms:
                break
            if point.moves:
                reached = point.magnitude
        return reached

    @property
    def useful_value(self) -> str:
        """The useful magnitude in the operation's own unit."""
        return value_text(self.operation, self.useful) if self.useful else ""

    @property
    def does_nothing(self) -> bool:
        """True if no point moves the features."""
        return not any(point.moves for point in self.points)

    @property
    def limit(self) -> Point | None:
        """The first point that harms."""
        return next((point for point in self.points if point.harms), None)

    @property
    def verdict(self) -> Verdict:
        """One of ``keep``, ``keep mild``, ``drop`` and ``label risk``."""
        if self.does_nothing:
            return "drop"
        if self.limit is None:
            return "keep"
        if self.useful:
            return "keep mild"
        return "label risk" if self.limit.risky else "drop"

    @property
    def decides(self) -> str:
        """The column that decides the verdict."""
        if self.does_nothing:
            return "invariance"
        if self.limit is not None and self.limit.risky:
            return "label_risk"
        return "change"

    @property
    def reason(self) -> str:
        """The reason for the verdict, in one sentence."""
        if self.does_nothing:
            return "the features see nothing of it (invariance)"
        at = f" at {self.best.value}" if self.best.value else ""
        change = 100 * self.best.diagnosis.change
        gain = f"predicted error {change:+.1f} %{at}"
        if self.limit is None:
            return gain if self.best.helps else f"{gain}: no harm, no sure gain"
        beyond = f" at {self.limit.value}" if self.limit.value else ""
        worse = f"error {100 * self.limit.diagnosis.change:+.1f} %"
        cause = self._risk() if self.limit.risky else worse
        if self.useful:
            return f"up to {self.useful_value} ({gain}); {cause}{beyond}"
        return f"{cause}{beyond} already" if beyond else cause

    def _risk(self) -> str:
        assert self.limit is not None
        diagnosis = self.limit.diagnosis
        text = f"labels at risk ({100 * diagnosis.label_risk:.0f} % more taken for another class"
        if diagnosis.mistaken is not None:
            one, other, _ = diagnosis.mistaken
            text += f", most often {self.classes[one]} for {self.classes[other]}"
        return text + ")"

    def to_dict(self) -> dict[str, Any]:
        """Return the row of ``--json``: the columns of the best point, rank and verdict."""
        return {
            "name": self.operation.name,
            **self.best.to_dict(),
            "rank": self.rank,
            "rank_interval": [self.rank_low, self.rank_high],
            "verdict": self.verdict,
            "decides": self.decides,
            "reason": self.reason,
            "useful": self.useful,
            "useful_value": self.useful_value,
            "sweep": [point.to_dict() for point in self.points],
        }


@dataclass(frozen=True, eq=False)
class Explanation:
    """The effect of every operation of a space on the data; ``findings`` are ordered by rank."""

    data: str
    space: SearchSpace
    features: str
    examples: int
    accuracy: float
    findings: tuple[Finding, ...]
    seconds: float
    bench: Bench = field(repr=False)

    def __getitem__(self, name: str) -> Finding:
        operation = self.space[name]
        for finding in self.findings:
            if finding.operation is operation:
                return finding
        raise UsageError(
            f"{name} was not explained: it is an identity operation; expected one of "
            f"{', '.join(finding.operation.name for finding in self.findings)}"
        )

    @property
    def operations(self) -> list[dict[str, Any]]:
        """The rows as plain data, best first."""
        return [finding.to_dict() for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """Return the object of ``explain --json``, without the report's path."""
        return {
            "data": self.data,
            "space": self.space.name,
            "features": self.features,
            "examples": self.examples,
            "accuracy": _rounded(self.accuracy),
            "seconds": round(self.seconds, 2),
            "operations": self.operations,
        }


def best_of(points: Sequence[Point]) -> Point:
    """Return the point of the least predicted error among those with any effect."""
    moving = [point for point in points if point.moves] or points
    return min(moving, key=lambda point: point.diagnosis.change)


def findings_of(
    sweeps: Sequence[tuple[Operation, tuple[Point, ...]]],
    *,
    classes: tuple[str, ...],
    seed: int = 0,
) -> tuple[Finding, ...]:
    """Rank operations by the predicted change of error at their best point.

    Intervals hold 95 of 100 ranks under resampled examples (bootstrap; all operations share the
    draws, so effects common to all do not blur the order).
    """
    if not sweeps:
        return ()
    best = [best_of(points) for _, points in sweeps]
    changes = np.stack([point.diagnosis.changes for point in best]).astype(np.float64)
    n = changes.shape[1]
    again = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=DRAWS).T / n
    ranks = _ranks(np.concatenate([changes.mean(1, keepdims=True), changes @ again], axis=1))
    low, high = np.quantile(ranks[:, 1:], [0.025, 0.975], axis=1, method="nearest").astype(int)
    findings = [
        Finding(op, points, int(ranks[i, 0]), int(low[i]), int(high[i]), classes)
        for i, (op, points) in enumerate(sweeps)
    ]
    return tuple(sorted(findings, key=lambda finding: finding.rank))


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return ranks from 1 (the smallest) within each column; ties keep their order."""
    order = values.argsort(axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(values) + 1)[:, None], axis=0)
    return ranks


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
