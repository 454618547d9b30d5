"""An audit of several labels or of values: each of them on every subgroup, and alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import TargetKind
from automorph.notebook import table_html
from automorph.robustness.audit_result import RATE, p_in_words
from automorph.robustness.audited_metrics import MetricEstimate
from automorph.robustness.metrics import Estimate


@dataclass(frozen=True)
class OutputGroup:
    """A label or value on a subgroup (``subgroup`` is empty for all examples).

    ``figures`` are metrics with 95 % intervals; one without a value there is left out. ``present``
    is the number of examples that have the label, None for values. ``p`` tests whether the model
    is worse here than on the other subgroups (Holm over all); ``alarm`` is True below 5 %, and
    ``fault`` says in what: ``misses`` or ``false alarms`` of a label, ``errors`` of a value.
    ``small`` marks fewer than 100 examples.
    """

    output: str
    subgroup: str
    n: int
    present: int | None
    figures: tuple[MetricEstimate, ...]
    p: float = 1.0
    fault: str = ""
    alarm: bool = False
    small: bool = False


@dataclass(frozen=True)
class OutputAudit:
    """The result of an audit of several labels or of values.

    ``metrics`` are those of the whole part, ``subgroups`` the same by subgroup. ``groups`` are
    every output on all examples and on every subgroup. ``gap`` is by output, the largest minus the
    smallest value of its first metric among subgroups, None where undefined. ``predictions`` are
    those of the part ``(n, k)``.
    """

    target: TargetKind
    n: int
    metrics: tuple[MetricEstimate, ...]
    subgroups: dict[str, tuple[MetricEstimate, ...]]
    groups: tuple[OutputGroup, ...]
    gap: dict[str, Estimate | None]
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    report: Path | None = None
    predictions: NDArray[Any] | None = field(default=None, repr=False, compare=False)

    @property
    def failing(self) -> list[OutputGroup]:
        """The groups that fail beyond chance, the clearest first."""
        return sorted((one for one in self.groups if one.alarm), key=lambda one: one.p)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The failures beyond chance, in sentences, the clearest first; may be empty."""
        return tuple(
            f"{_FAULTS[one.fault].format(one.output)} on {one.subgroup!r}: {_shown(one)} "
            f"({one.n:,} examples; p {p_in_words(one.p)})."
            for one in self.failing
        )

    @property
    def verdict(self) -> str:
        """The clearest failure beyond chance, or that there is none."""
        if self.alarms:
            return self.alarms[0]
        if not self.subgroups:
            return "There is no subgroup to compare with the others."
        what = (
            "No label is missed or falsely predicted more often"
            if self.target == "labels"
            else "No value has larger errors"
        )
        return (
            f"{what} on a subgroup than on the others beyond chance (by chance alone an alarm is "
            f"raised in {RATE:.0%} of audits at most)."
        )

    def _repr_html_(self) -> str:
        """Return the verdict and every output on every subgroup, for notebooks."""
        rows = [
            [one.output, one.subgroup or "all", one.n, _shown(one), one.fault if one.alarm else ""]
            for one in self.groups
        ]
        columns = ["output", "subgroup", "examples", "figures", "worse, beyond chance"]
        return table_html(columns, rows, title=self.verdict, note=" ".join(self.notes))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the object of ``automorph audit --json``."""
        return {
            **self.facts,
            "target": self.target,
            "n": self.n,
            "metrics": [asdict(one) for one in self.metrics],
            "subgroups": {n: [asdict(one) for one in found] for n, found in self.subgroups.items()},
            "outputs": [asdict(one) for one in self.groups],
            "gap": {name: one and asdict(one) for name, one in self.gap.items()},
            "verdict": self.verdict,
            "alarms": list(self.alarms),
            "notes": list(self.notes),
            "report": None if self.report is None else str(self.report),
        }

    def with_report(self, report: Path, **facts: Any) -> OutputAudit:
        """Return the audit with the path of its page, and more facts."""
        return replace(self, report=report, facts={**self.facts, **facts})


_FAULTS = {
    "misses": "It misses {!r} more often",
    "false alarms": "It predicts {!r} falsely more often",
    "errors": "Its errors of {!r} are larger",
}


def _shown(group: OutputGroup) -> str:
    """Write the figures of a group in a sentence."""
    return ", ".join(f"{one.title} {figure_words(one)}" for one in group.figures)


def figure_words(one: MetricEstimate, numbers: tuple[float, float, float] | None = None) -> str:
    """Write a metric, or other numbers in its unit, with an interval; shares in percent.

    >>> figure_words(MetricEstimate("f1:open", "F1 of open", 0.5, 0.4, 0.62, True, True))
    '50.0 % (40.0 to 62.0)'
    """
    value, low, high = numbers or (one.value, one.low, one.high)
    if one.share:
        return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    return f"{value:.4g} ({low:.4g} to {high:.4g})"


def largest_gap(figures: Sequence[MetricEstimate]) -> Estimate | None:
    """Return the largest minus the smallest value of a metric, None of fewer than two.

    The interval joins those of both (Zou and Donner 2008), like that of `metrics.gap` for shares.

    >>> def seen(value):
    ...     return MetricEstimate("mae", "MAE", value, value - 3, value + 3, False, False)
    >>> largest_gap([seen(10.0), seen(20.0)])
    Estimate(value=10.0, low=5.7..., high=14.2...)
    """
    if len(figures) < 2:
        return None
    high = max(figures, key=lambda one: one.value)
    low = min(figures, key=lambda one: one.value)
    value = high.value - low.value
    down = float(np.hypot(high.value - high.low, low.high - low.value))
    up = float(np.hypot(high.high - high.value, low.value - low.low))
    return Estimate(value, max(0.0, value - down), value + up)
