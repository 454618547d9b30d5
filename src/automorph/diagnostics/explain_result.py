"""The result of `explain`: per operation a finding, its sweep over magnitudes, rank and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from scipy import stats

from automorph.data import TargetKind
from automorph.diagnostics.diagnosis import Bench, Diagnosis
from automorph.errors import UsageError
from automorph.experiments import holm
from automorph.notebook import table_html
from automorph.operations import Operation, SearchSpace
from automorph.policies import value_text

Verdict = Literal["keep", "keep mild", "cannot tell", "drop", "risk if strong", "label risk"]

HARM = 0.02
"""A predicted relative rise of the ridge error by this much is harm."""
RISK = 0.05
"""This many more transformed than untransformed examples taken for another class are a risk."""
NOTHING = 0.01
"""An operation that moves features by less than this share has no effect."""
CHANCE = 0.025
"""Largest chance that any operation without an effect is kept (one-sided, Holm 1979)."""
FEW, HANDFUL = 50, 5
"""Below this many examples in all, and of a class, there is no evidence for keeping anything."""
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
        """True if a higher error is predicted: by 2 %, or by less, but surely, with a risk.

        Errors are means over all classes or labels, where harm to one of many is small.
        """
        return self.diagnosis.change >= HARM or (self.risky and self.surely_worse)

    @property
    def helps(self) -> bool:
        """True if a lower error is predicted, beyond chance (two standard errors)."""
        return self.diagnosis.change + 2 * self.diagnosis.change_se < 0

    @property
    def surely_worse(self) -> bool:
        """True if a higher error is predicted, beyond chance (two standard errors)."""
        return self.diagnosis.change - 2 * self.diagnosis.change_se > 0

    @property
    def interval(self) -> str:
        """The predicted change of error, with two standard errors to either side, in per cent."""
        change, wide = 100 * self.diagnosis.change, 200 * self.diagnosis.change_se
        at = f" at {self.value}" if self.value else ""
        return f"predicted error {change:+.1f} % ({change - wide:+.1f} to {change + wide:+.1f}){at}"

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
    most promising operation. ``p`` is the chance of a gain as large as that of its best harmless
    magnitude, corrected for the number of operations and magnitudes. ``doubt`` is why the data or
    the features can tell nothing of any operation, ``thin`` why they cannot tell what to keep.
    """

    operation: Operation
    points: tuple[Point, ...]
    rank: int
    rank_low: int
    rank_high: int
    classes: tuple[str, ...] = field(repr=False)
    p: float = 1.0
    doubt: str = ""
    thin: str = ""

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
    def changes_nothing(self) -> bool:
        """True if the operation leaves every example as it is."""
        return not any(point.diagnosis.changed for point in self.points)

    @property
    def harmless(self) -> bool:
        """True if no harm is predicted up to some magnitude; a gain need not be sure."""
        return not self.does_nothing and (self.limit is None or self.useful > 0)

    @property
    def verdict(self) -> Verdict:
        """What to do with the operation, or what speaks against it."""
        if self.changes_nothing:
            return "drop"
        if self.doubt or self.does_nothing:
            return "cannot tell"
        if not self.harmless:
            assert self.limit is not None
            if self.limit.risky:
                return "label risk"
            return "drop" if self.limit.surely_worse else "cannot tell"
        if self.thin or self.p > CHANCE:
            risky = self.limit is not None and self.limit.risky
            return "risk if strong" if risky else "cannot tell"
        return "keep" if self.limit is None else "keep mild"

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
        if self.changes_nothing:
            return f"changes none of the {len(self.best.diagnosis.changes)} examples"
        if self.doubt:
            return self.doubt
        if self.does_nothing:
            return "the features see nothing of it (invariance)"
        if self.verdict == "cannot tell":
            return self._unclear()
        if self.verdict in ("label risk", "risk if strong"):
            return self._at_risk()
        at = f" at {self.best.value}" if self.best.value else ""
        gain = f"predicted error {100 * self.best.diagnosis.change:+.1f} %{at}"
        if self.limit is None:
            return gain
        beyond = f" at {self.limit.value}" if self.limit.value else ""
        worse = f"error {100 * self.limit.diagnosis.change:+.1f} %{beyond}"
        if self.verdict == "drop":
            return f"{worse} already" if beyond else worse
        cause = f"{self._risk()}{beyond}" if self.limit.risky else worse
        return f"up to {self.useful_value} ({gain}); {cause}"

    def _at_risk(self) -> str:
        """Say at which magnitude labels are at risk, and what is known of milder ones."""
        assert self.limit is not None
        at = f" at {self.limit.value}" if self.limit.value else ""
        if not self.useful:
            return f"{self._risk()}{at} already" if at else self._risk()
        milder = self.thin or "no harm, no sure gain"
        return f"{self._risk()}{at}; up to {self.useful_value} {milder}"

    def _unclear(self) -> str:
        """Say what the evidence leaves open."""
        if not self.harmless:
            assert self.limit is not None
            return f"{self.limit.interval}: neither harm nor gain is sure"
        if self.thin:
            return self.thin
        if self.best_harmless.helps:
            return f"{self.best_harmless.interval}: chance, among all operations tried"
        return f"{self.best_harmless.interval}: no harm, no sure gain"

    @property
    def best_harmless(self) -> Point:
        """The point of the least predicted error up to the useful magnitude."""
        return best_of([point for point in self.points if point.magnitude <= self.useful])

    def _risk(self) -> str:
        assert self.limit is not None
        diagnosis = self.limit.diagnosis
        if diagnosis.label_risks:
            return self._risk_by_label(diagnosis.label_risks)
        if diagnosis.further_off:
            pairs = zip(self.classes, diagnosis.further_off, strict=True)
            named = [f"{name} {off:.3g}" for name, off in pairs if off > 0]
            return (
                f"values at risk (predictions further off: {', '.join(named[:4])}; "
                f"{diagnosis.label_risk:.2f} deviations)"
            )
        text = f"labels at risk ({100 * diagnosis.label_risk:.0f} % more taken for another class"
        if diagnosis.mistaken is not None:
            one, other, _ = diagnosis.mistaken
            text += f", most often {self.classes[one]} for {self.classes[other]}"
        return text + ")"

    def _risk_by_label(self, risks: Sequence[float]) -> str:
        """Name the labels whose decisions on transformed examples are wrong more often."""
        order = sorted(range(len(risks)), key=lambda k: -risks[k])
        named = [f"{self.classes[k]} {100 * risks[k]:+.0f}" for k in order if risks[k] >= RISK]
        more = f" and {len(named) - 4} more" if len(named) > 4 else ""
        return f"labels at risk (points of error: {', '.join(named[:4])}{more})"

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
            **self._label_risks(),
            "sweep": [point.to_dict() for point in self.points],
        }

    def _label_risks(self) -> dict[str, Any]:
        """Return the risk of every label at the magnitude that decides, if there are several."""
        risks = (self.limit or self.best).diagnosis.label_risks
        named = zip(self.classes, map(_rounded, risks), strict=False)
        return {"label_risks": dict(named)} if risks else {}


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
    target: TargetKind = "classes"

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

    def _repr_html_(self) -> str:
        """Return the findings as a table, for notebooks."""
        rows = [
            [row["rank"], row["name"], row["verdict"], row["useful_value"],
             f"{row['change']:+.1%}", f"{row['label_risk']:+.1%}" if self.target == "classes"
             else f"{row['label_risk']:+.2f}", row["reason"]]
            for row in self.operations
        ]  # fmt: skip
        columns = ["rank", "operation", "verdict", "useful range", "error", "label risk", "why"]
        title = f"{len(rows)} operations explained on {self.data}, {self.examples:,} examples"
        return table_html(columns, rows, title=title)

    def to_dict(self) -> dict[str, Any]:
        """Return the object of ``explain --json``, without the report's path."""
        return {
            "data": self.data,
            "space": self.space.name,
            "features": self.features,
            "examples": self.examples,
            "accuracy": _rounded(self.accuracy),
            **({} if self.target == "classes" else {"target": self.target}),
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
    doubt: str = "",
    thin: str = "",
) -> tuple[Finding, ...]:
    """Rank operations by the predicted change of error at their best point.

    Intervals hold 95 of 100 ranks under resampled examples (bootstrap; all operations share the
    draws, so effects common to all do not blur the order). ``doubt`` and ``thin``: see `Finding`.
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
        Finding(op, points, int(ranks[i, 0]), int(low[i]), int(high[i]), classes,
                doubt=doubt, thin=thin)
        for i, (op, points) in enumerate(sweeps)
    ]  # fmt: skip
    adjusted = holm([_chance_of_gain(finding) for finding in findings])
    findings = [replace(one, p=float(p)) for one, p in zip(findings, adjusted, strict=True)]
    return tuple(sorted(findings, key=lambda finding: finding.rank))


def _chance_of_gain(finding: Finding) -> float:
    """Return the one-sided p-value of the best harmless gain, for all magnitudes (Bonferroni)."""
    if not finding.harmless:
        return 1.0
    diagnosis = finding.best_harmless.diagnosis
    z = diagnosis.change / max(diagnosis.change_se, 1e-12)
    p = float(stats.t.cdf(z, len(diagnosis.changes) - 1))
    return min(1.0, p * sum(point.moves for point in finding.points))


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return ranks from 1 (the smallest) within each column; ties keep their order."""
    order = values.argsort(axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(values) + 1)[:, None], axis=0)
    return ranks


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
