"""The result of an audit: accuracy per group with intervals, and alarms beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError
from automorph.experiments import holm
from automorph.notebook import table_html
from automorph.robustness.audited_metrics import MetricEstimate
from automorph.robustness.discovery import SMALLEST, Slice
from automorph.robustness.groups import Grouper
from automorph.robustness.intersections import Intersection, intersections
from automorph.robustness.metrics import (
    Estimate,
    deficits,
    gap,
    information_interval,
    mean_interval,
    robust,
    wilson,
)
from automorph.robustness.pooling import Pooled, pooled_recalls

SMALL = 100
"""Below this size, the interval of a group is wider than 6 points to each side (at 90 %)."""
LEAST = 10
"""Subgroups below this size are left out of the mutual information: they would be noise."""
RATE = 0.05
"""Largest share of audits of a model without a real gap that raise any alarm."""


@dataclass(frozen=True)
class Group:
    """A class and a subgroup: its size, its accuracy, and the uncertainty.

    ``accuracy``, ``low`` and ``high`` (Wilson, 95 %) are None for a group without examples.
    ``overconfidence`` is mean confidence minus accuracy. ``p`` tests whether the group is right
    less often than the rest of its class (Fisher, one-sided; Holm over all groups); ``alarm`` is
    True if it is below the groups' share of the audit's rate. ``small`` marks fewer than 100
    examples.
    """

    class_name: str
    subgroup: str
    n: int
    accuracy: float | None
    low: float | None
    high: float | None
    loss: float | None
    confidence: float | None
    overconfidence: Estimate | None
    p: float
    alarm: bool
    small: bool


@dataclass(frozen=True)
class Audit:
    """The result of an audit. Accuracies are fractions; ``gap`` is per class, None where undefined.

    ``robust`` is the accuracy of the worst group with its interval. ``predictions`` are those of
    the part, in its order. ``information`` is the mutual information of prediction and subgroup
    given the class, in nats, over subgroups with 10 examples or more; None if no class has two of
    them. ``method`` is the method of slice discovery, None without discovery. ``only`` is the class
    that all examples were predicted to be, if there is one. ``metrics`` are those asked for, and
    those of the operating point of the model. ``pooled`` are recalls by class and value of a
    column, if a smallest size of groups was asked for.
    """

    n: int
    accuracy: Estimate
    robust: Estimate
    worst: Group
    groups: tuple[Group, ...]
    gap: dict[str, Estimate | None]
    information: Estimate | None
    loss: float | None
    overconfidence: Estimate | None
    intersections: tuple[Intersection, ...] = ()
    slices: tuple[Slice, ...] = ()
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    report: Path | None = None
    method: str | None = None
    only: str | None = None
    metrics: tuple[MetricEstimate, ...] = ()
    pooled: tuple[Pooled, ...] = ()
    predictions: NDArray[np.int64] | None = field(default=None, repr=False, compare=False)

    @property
    def robust_accuracy(self) -> float:
        """The accuracy of the worst group."""
        return self.robust.value

    @property
    def mutual_information(self) -> float | None:
        """The value of the mutual information, without its interval."""
        return None if self.information is None else self.information.value

    @property
    def named(self) -> bool:
        """True if there are subgroups; else every group is a whole class."""
        return len(self.groups) > len(self.gap)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The failures beyond chance, in sentences; may be empty."""
        return _alarms(self)

    @property
    def verdict(self) -> str:
        """The worst failure beyond chance, or that there is none and what was examined."""
        return _verdict(self, rate=RATE)

    def _repr_html_(self) -> str:
        """Return the verdict and the groups, worst first, for notebooks."""
        ordered = sorted(self.groups, key=lambda g: 2.0 if g.accuracy is None else g.accuracy)
        rows = [
            [g.class_name, g.subgroup, g.n, "no examples" if g.accuracy is None
             else f"{g.accuracy:.1%} ({g.low:.1%} to {g.high:.1%})", "yes" if g.alarm else ""]
            for g in ordered
        ]  # fmt: skip
        columns = ["class", "subgroup", "examples", "accuracy", "below the rest, beyond chance"]
        return table_html(columns, rows, title=self.verdict, note=" ".join(self.notes))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the object of ``automorph audit --json``."""
        groups = [
            {"class": g.class_name, **{k: v for k, v in asdict(g).items() if k != "class_name"}}
            for g in self.groups
        ]
        return {
            **self.facts,
            "n": self.n,
            "accuracy": self.accuracy.value,
            "accuracy_interval": _ends(self.accuracy),
            "robust_accuracy": self.robust.value,
            "robust_accuracy_interval": _ends(self.robust),
            "worst": {"class": self.worst.class_name, "subgroup": self.worst.subgroup},
            "groups": groups,
            "gap": {name: one and 100 * one.value for name, one in self.gap.items()},
            "gap_interval": {
                name: one and [100 * end for end in _ends(one)] for name, one in self.gap.items()
            },
            "mutual_information": self.mutual_information,
            "mutual_information_interval": self.information and _ends(self.information),
            "loss": self.loss,
            "overconfidence": self.overconfidence and asdict(self.overconfidence),
            "intersections": [_plain(one) for one in self.intersections],
            "slices": [_plain(one) for one in self.slices],
            "method": self.method,
            "answers_only": self.only,
            "verdict": self.verdict,
            "alarms": list(self.alarms),
            "notes": list(self.notes),
            **({"metrics": [asdict(one) for one in self.metrics]} if self.metrics else {}),
            **({"pooled": [_plain(one) for one in self.pooled]} if self.pooled else {}),
            "report": None if self.report is None else str(self.report),
        }

    def with_report(self, report: Path, **facts: Any) -> Audit:
        """Return the audit with the path of its page, and more facts."""
        return replace(self, report=report, facts={**self.facts, **facts})


def measure(
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64],
    groups: NDArray[np.int64],
    grouper: Grouper,
    *,
    probabilities: NDArray[np.floating[Any]] | None = None,
    columns: Mapping[str, NDArray[Any]] | None = None,
    rate: float = RATE,
    looks: int = 1,
    min_group: int = 0,
) -> Audit:
    """Audit predictions: ``labels``, ``predictions`` and ``groups`` are int64 ``(n,)``.

    ``probabilities`` ``(n, classes)`` add losses and calibration; ``columns`` are strings ``(n,)``
    by name, whose intersections are searched. If a model's errors are independent of the subgroup,
    at most a share ``rate / looks`` of its audits raises any alarm about a group: ``looks`` is the
    number of methods that share the rate. Intersections have their own rate. With ``min_group``,
    groups of fewer examples are not the worst group, and recalls are pooled (see
    `pooled_recalls`). Raises `DataError` without examples, or without a group of this size.

    >>> grouper = Grouper(("cat", "dog"), ("day", "night"))
    >>> labels = np.repeat([0, 0, 1, 1], 100)
    >>> groups = np.repeat([0, 1, 2, 3], 100)
    >>> predictions = np.where(np.arange(400) % 10 == 0, 1 - labels, labels)
    >>> predictions[300:340] = 0
    >>> audit = measure(labels, predictions, groups, grouper)
    >>> audit.accuracy.value, audit.robust_accuracy, audit.worst.subgroup
    (0.81, 0.54, 'night')
    """
    if len(labels) == 0:
        raise DataError("got no examples to audit; expected at least one: choose another part")
    correct = grouper.target.correct(predictions, labels)
    count, k = len(grouper), len(grouper.subgroups)
    n = np.bincount(groups, minlength=count).astype(np.int64)
    right = np.bincount(groups, correct, minlength=count).astype(np.int64)
    losses, confidence = _certainty(labels, probabilities)
    rows = _groups_of(grouper, groups, correct, n, right, losses, confidence, rate / looks)
    gaps = {
        name: gap(right[i * k : (i + 1) * k], n[i * k : (i + 1) * k])
        for i, name in enumerate(grouper.classes)
    }
    tables = np.zeros((len(grouper.classes), k, len(grouper.classes)), np.int64)
    np.add.at(tables, (labels, groups % k, predictions), 1)
    tables[tables.sum(axis=2) < LEAST] = 0
    several = bool(((tables.sum(axis=2) > 0).sum(axis=1) > 1).any())
    answers = np.unique(predictions)
    large = n >= max(1, min_group)
    if not large.any():
        raise DataError(
            f"got no group of at least {min_group:,} examples; expected one: the largest has "
            f"{n.max():,}. Lower the limit (--min-group, min_group)"
        )
    middle_low, middle_high = wilson(correct.sum(), len(correct))
    return Audit(
        n=len(labels),
        accuracy=Estimate(float(correct.mean()), float(middle_low), float(middle_high)),
        robust=robust(right[large], n[large]),
        worst=min(
            (row for row, able in zip(rows, large, strict=True) if able),
            key=lambda row: row.accuracy or 0.0,
        ),
        groups=rows,
        gap=gaps,
        information=information_interval(tables) if several else None,
        loss=None if losses is None else float(losses.mean()),
        overconfidence=None if confidence is None else mean_interval(confidence - correct),
        intersections=intersections(correct, labels, columns or {}, grouper.classes, rate=rate),
        notes=(*_notes(rows, gaps, few=SMALL), *_below(rows, min_group)),
        pooled=pooled_recalls(correct, labels, columns or {}, grouper.classes) if min_group else (),
        only=grouper.classes[answers[0]]
        if len(answers) == 1 and len(np.unique(labels)) > 1
        else None,
    )


def _below(rows: Sequence[Group], min_group: int) -> tuple[str, ...]:
    """Name the groups that are too small to be the worst group."""
    small = [row for row in rows if row.n < min_group]
    if not small:
        return ()
    names = ", ".join(f"({row.class_name}, {row.subgroup}; {row.n:,})" for row in small[:10])
    more = f" and {len(small) - 10:,} more" if len(small) > 10 else ""
    return (
        f"Fewer than {min_group:,} examples (--min-group): {names}{more}. They are not counted as "
        "the worst group; their pooled estimates are pulled towards their class.",
    )


def _groups_of(
    grouper: Grouper,
    groups: NDArray[np.int64],
    correct: NDArray[np.bool_],
    n: NDArray[np.int64],
    right: NDArray[np.int64],
    losses: NDArray[np.float64] | None,
    confidence: NDArray[np.float64] | None,
    rate: float,
) -> tuple[Group, ...]:
    """Return all numbers of every group; ``n`` and ``right`` ``(groups,)`` count its examples."""
    count, k = len(grouper), len(grouper.subgroups)
    p = np.concatenate([deficits(right[i : i + k], n[i : i + k]) for i in range(0, count, k)])
    tested = np.flatnonzero(p < 1)
    adjusted = np.ones(count)
    adjusted[tested] = holm(p[tested].tolist()) if len(tested) else []
    low, high = wilson(right, n)
    rows = []
    for g, (class_name, subgroup) in enumerate(grouper.names):
        mine = groups == g
        there = bool(n[g])
        sure = confidence is not None and there
        rows.append(
            Group(
                class_name, subgroup, int(n[g]),
                float(right[g] / n[g]) if there else None,
                float(low[g]) if there else None,
                float(high[g]) if there else None,
                float(losses[mine].mean()) if losses is not None and there else None,
                float(confidence[mine].mean()) if confidence is not None and there else None,
                mean_interval(confidence[mine] - correct[mine])
                if sure and confidence is not None else None,
                float(adjusted[g]), bool(adjusted[g] < rate), int(n[g]) < SMALL,
            )
        )  # fmt: skip
    return tuple(rows)


def _certainty(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]] | None
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return the cross-entropy of every example, and the probability of its prediction."""
    if probabilities is None:
        return None, None
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -np.log(np.maximum(own, 1e-12)), probabilities.max(axis=1).astype(np.float64)


def _plain(part: Any) -> dict[str, Any]:
    plain = asdict(part)
    return {"class": plain.pop("class_name"), **plain}


def _ends(estimate: Estimate) -> list[float]:
    return [estimate.low, estimate.high]


# The audit in sentences.


def _alarms(audit: Audit) -> tuple[str, ...]:
    """Return the failures beyond chance."""
    alarms = [
        f"It fails on ({g.class_name}, {g.subgroup}): {percent(g.accuracy)} right "
        f"({percent(g.low)} to {percent(g.high)}, {g.n:,} examples), "
        f"less often than the rest of its class (p {p_in_words(g.p)})."
        for g in sorted(audit.groups, key=lambda g: g.accuracy or 0.0)
        if g.alarm
    ]
    alarms += [
        f"It fails on a discovered slice of {s.class_name!r}: {percent(s.accuracy)} right "
        f"({percent(s.low)} to {percent(s.high)}) on {s.n:,} examples that took no part in "
        f"finding it, the rest of the class {percent(s.rest)} (p {p_in_words(s.p)})."
        for s in audit.slices
        if s.alarm
    ]
    return tuple(alarms)


def _verdict(audit: Audit, *, rate: float) -> str:
    """Return the worst failure beyond chance, or that there is none and what was examined."""
    if audit.alarms:
        return audit.alarms[0]
    compared = any(gap is not None for gap in audit.gap.values())
    looked = [name for name, there in (("subgroup", compared), ("slice", audit.slices)) if there]
    sentences = [] if audit.only is None else [one_answer("It", audit.only)]
    sentences += [] if audit.named or audit.method is None else [_worst_class(audit)]
    if looked:
        sentences.append(
            f"No {' and no '.join(looked)} is right less often than the rest of its class beyond "
            f"chance (by chance alone an alarm is raised in {rate:.0%} of audits at most)."
        )
    elif audit.method is None:
        sentences.append("There is no subgroup to compare with the rest of its class.")
    return " ".join([*sentences, *_searched(audit)])


def one_answer(who: str, only: str) -> str:
    """Describe a network that predicts a single class: its groups say nothing yet."""
    return f"{who} predicts only {only!r} for every example: train it longer, or lower --lr."


def _worst_class(audit: Audit) -> str:
    worst = audit.worst
    return (
        f"The class that fails most is {worst.class_name!r}: {percent(worst.accuracy)} right "
        f"({percent(worst.low)} to {percent(worst.high)}, {worst.n:,} examples), "
        f"{percent(audit.accuracy.value)} of all."
    )


def _searched(audit: Audit) -> list[str]:
    """Describe the result of slice discovery; empty without discovery."""
    if audit.method is None:
        return []
    where = f"the {audit.facts['part']} part" if "part" in audit.facts else "the examples"
    begun = f"Slices were searched for in {where} ({audit.method})"
    if not audit.slices:
        return [
            f"{begun}, without result: no slice of {SMALLEST} held-out examples or more is right "
            "less often than the rest of its class."
        ]
    first = audit.slices[0]
    return [
        f"{begun}: {len(audit.slices)} are right less often than the rest of their class, the "
        f"clearest of them of {first.class_name!r} ({percent(first.accuracy)} right, the rest "
        f"{percent(first.rest)}; p {p_in_words(first.p)})."
    ]


def _notes(
    rows: Sequence[Group], gaps: Mapping[str, Estimate | None], *, few: int
) -> tuple[str, ...]:
    """Return what a reader must know about the groups; fewer than ``few`` examples are too few."""
    notes = []
    named = len(rows) > len(gaps)
    empty = [f"({g.class_name}, {g.subgroup})" for g in rows if not g.n]
    small = [
        f"({g.class_name}, {g.subgroup}: {g.n})" if named else f"{g.class_name} ({g.n})"
        for g in rows
        if 0 < g.n < few
    ]
    if empty:
        notes.append(
            f"No examples of {', '.join(empty)}: their accuracy is unknown. The robust accuracy is "
            "that of the groups with examples."
        )
    if small:
        notes.append(
            f"Fewer than {few} examples: "
            f"{', '.join(small[:8])}{' and more' if len(small) > 8 else ''}. Rely on their "
            f"intervals, not on their accuracies{', or merge groups' if named else ''}."
        )
    if named:
        notes += [
            f"Class {name!r} has only one subgroup here, so there is no gap to measure."
            for name, estimate in gaps.items()
            if estimate is None
        ]
    return tuple(notes)


def percent(share: float | None) -> str:
    """Return a share in percent.

    >>> percent(0.083), percent(None)
    ('8.3 %', '-')
    """
    return "-" if share is None else f"{100 * share:.1f} %"


def p_in_words(p: float) -> str:
    """Return a p-value for a sentence.

    >>> p_in_words(0.0123), p_in_words(1e-9)
    ('0.012', 'below 0.001')
    """
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
