"""Several labels or values measured on subgroups: metrics with intervals, and tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import TargetKind
from automorph.errors import DataError
from automorph.experiments import holm
from automorph.metrics import DEFAULTS, Scorer, interval, load_metric
from automorph.robustness.audit_result import RATE, SMALL
from automorph.robustness.audited_metrics import MetricEstimate
from automorph.robustness.metrics import deficits, wilson
from automorph.robustness.output_audit import OutputAudit, OutputGroup, largest_gap

PERMUTATIONS = 4999
"""Enough for a p-value of 0.0002, which stays below 5 % among 200 tests."""
RESAMPLES = 500
_OF_ONE = {
    "mean-average-precision": "average-precision", "auroc": "auroc", "macro-f1": "f1",
    "micro-f1": "f1", "mae": "mae", "rmse": "rmse", "r2": "r2",
    "quadratic-kappa": "quadratic-kappa",
}  # fmt: skip
"""The metric of one label or value that belongs to one of all of them."""


_MORE: dict[TargetKind, tuple[str, ...]] = {"values": ("rmse",)}


@dataclass(frozen=True)
class Answers:
    """What a model answers: ``decisions`` and ``probabilities`` ``(n, k)``, of values both alike.

    ``probabilities`` are None if only decisions are known; ``thresholds`` are those of labels.
    """

    decisions: NDArray[Any]
    probabilities: NDArray[np.float64] | None
    thresholds: NDArray[np.float64] | None = None


def measure_outputs(
    kind: TargetKind,
    expected: NDArray[Any],
    answers: Answers,
    names: Sequence[str],
    *,
    subgroups: NDArray[np.int64] | None = None,
    subgroup_names: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> OutputAudit:
    """Audit answers: ``expected`` are labels uint8 or values float64 ``(n, k)`` of ``names``.

    ``metrics`` are names (default: that of the target). Labels are tested apart on examples with
    and without the label (Fisher, one-sided, each subgroup against the others); values by a
    permutation test of the mean absolute error. If errors are independent of the subgroup, given
    the label, at most 5 % of audits raise any alarm. Raises `DataError` without examples.
    """
    if not len(expected):
        raise DataError("got no examples to audit; expected at least one: choose another part")
    default = DEFAULTS[kind] if answers.probabilities is not None else "macro-f1"
    scorers = [load_metric(name, names, kind) for name in metrics or (default,)]
    stems = dict.fromkeys([_OF_ONE.get(scorers[0].name, _OF_ONE[default]), *_MORE.get(kind, ())])
    alone = [[load_metric(f"{stem}:{name}", names, kind) for stem in stems] for name in names]
    rows: dict[str, NDArray[np.intp]] = {}
    if subgroups is not None:
        rows = {name: np.flatnonzero(subgroups == k) for k, name in enumerate(subgroup_names)}
        rows = {name: mine for name, mine in rows.items() if len(mine)}
    every = np.arange(len(expected))
    tests = _labels_tested if kind == "labels" else _values_tested
    p, faults = tests(expected, answers.decisions, list(rows.values()))
    groups, gaps = [], {}
    for k, name in enumerate(names):
        found = []
        for number, (subgroup, mine) in enumerate([("", every), *rows.items()]):
            given = [_estimate(one, expected, answers, mine) for one in alone[k]]
            values = [one for one in given if one is not None]
            more = _rates(expected[mine, k], answers.decisions[mine, k], name, kind)
            tested = bool(subgroup)
            found.append(OutputGroup(
                name, subgroup, len(mine), int(expected[mine, k].sum()) if more else None,
                (*values, *more),
                float(p[k, number - 1]) if tested else 1.0,
                faults[k][number - 1] if tested else "",
                bool(tested and p[k, number - 1] < RATE), len(mine) < SMALL,
            ))  # fmt: skip
        groups += found
        first = [one.figures[0] for one in found[1:] if one.figures]
        title = alone[k][0].title
        gaps[name] = largest_gap([one for one in first if one.title == title])
    whole = [_estimate(one, expected, answers, every) for one in scorers]
    by_subgroup = {
        name: tuple(
            seen for one in scorers if (seen := _estimate(one, expected, answers, mine)) is not None
        )
        for name, mine in rows.items()
    }
    notes = _notes(groups, scorers, expected)
    return OutputAudit(
        kind, len(expected), tuple(one for one in whole if one is not None), by_subgroup,
        tuple(groups), gaps, notes=notes, predictions=answers.decisions,
    )  # fmt: skip


def _estimate(
    scorer: Scorer, expected: NDArray[Any], answers: Answers, rows: NDArray[np.intp]
) -> MetricEstimate | None:
    """Return a metric of some rows with its bootstrap interval; None where it is undefined."""
    labels = expected[rows]
    if scorer.undefined(labels):
        return None
    given: Any = answers.probabilities
    if given is None:
        # Raises for metrics of probabilities, with the reason.
        scorer.of_decisions(labels, answers.decisions[rows])
        given = answers.decisions.astype(np.float64)
    at = answers.thresholds if answers.probabilities is not None else None
    value = scorer.value(labels, given[rows], threshold=at)
    ends = interval(scorer, labels, given[rows], threshold=at, resamples=RESAMPLES)
    return MetricEstimate(
        scorer.name, scorer.title, value, ends.low, ends.high, scorer.share,
        scorer.higher_is_better,
    )  # fmt: skip


def _rates(
    labels: NDArray[Any], decisions: NDArray[Any], name: str, kind: TargetKind
) -> list[MetricEstimate]:
    """Return recall and specificity of a label with Wilson's intervals; nothing of values."""
    if kind != "labels":
        return []
    found = []
    for title, mine in (("recall", labels == 1), ("specificity", labels == 0)):
        n = int(mine.sum())
        if n:
            right = int((decisions[mine] == labels[mine]).sum())
            low, high = wilson(right, n)
            found.append(MetricEstimate(
                f"{title}:{name}", title, right / n, float(low), float(high), True, True
            ))  # fmt: skip
    return found


def _labels_tested(
    labels: NDArray[Any], decisions: NDArray[Any], rows: Sequence[NDArray[np.intp]]
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Return the p-value of every label and subgroup ``(k, s)``, and what it is about."""
    k = labels.shape[1]
    p = np.ones((2, k, len(rows)))
    for side, value in enumerate((1, 0)):
        for one in range(k):
            counts = [
                (int((decisions[mine, one][of] == value).sum()), int(of.sum()))
                for mine in rows
                for of in [labels[mine, one] == value]
            ]
            if counts:
                right, n = np.array(counts).T
                p[side, one] = deficits(right, n)
    adjusted = _adjusted(p)
    words = ("misses", "false alarms")
    faults = [[words[side] for side in row] for row in adjusted.argmin(axis=0).tolist()]
    return adjusted.min(axis=0), faults


def _values_tested(
    values: NDArray[np.float64], predicted: NDArray[np.float64], rows: Sequence[NDArray[np.intp]]
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Return the p-value of every value and subgroup ``(k, s)``, and what it is about."""
    errors = np.abs(predicted - values)
    k = values.shape[1]
    p = np.ones((k, len(rows)))
    tested = np.concatenate(rows) if rows else np.zeros(0, np.intp)
    if len(rows) > 1:
        ends = np.cumsum([0, *map(len, rows)])
        sums = np.stack([errors[mine].sum(axis=0) for mine in rows], axis=1)
        reached = np.ones((k, len(rows)))
        for drawn in _drawn(errors[tested]):
            found = np.add.reduceat(drawn, ends[:-1], axis=0).T
            # Sums of the same numbers in another order may differ in the last digits.
            reached += found >= sums * (1 - 1e-12)
        p = reached / (PERMUTATIONS + 1)
    return _adjusted(p), [["errors"] * len(rows)] * k


def _drawn(errors: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    random = np.random.default_rng(0)
    for _ in range(PERMUTATIONS):
        yield errors[random.permutation(len(errors))]


def _adjusted(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values by Holm's correction over those that test something."""
    found = np.ones(p.shape)
    tested = p < 1
    if tested.any():
        found[tested] = holm(p[tested].tolist())
    return found


def _notes(
    groups: Sequence[OutputGroup], scorers: Sequence[Scorer], expected: NDArray[Any]
) -> tuple[str, ...]:
    """Return what a reader must know about the groups."""
    notes = [
        f"The audited part has {one}" for scorer in scorers if (one := scorer.remark(expected))
    ]
    small = {one.subgroup: one.n for one in groups if one.small and one.subgroup}
    if small:
        shown = ", ".join(f"{name} ({n})" for name, n in list(small.items())[:8])
        notes.append(
            f"Fewer than {SMALL} examples: {shown}{' and more' if len(small) > 8 else ''}. Rely on "
            "their intervals, not on their values."
        )
    never = [
        f"{one.output!r} on {one.subgroup!r}" for one in groups if one.present == 0 and one.subgroup
    ]
    if never:
        shown = ", ".join(never[:8])
        notes.append(
            f"No example of {shown}{' and more' if len(never) > 8 else ''}: whether the label is "
            "missed there is unknown."
        )
    return tuple(dict.fromkeys(notes))
