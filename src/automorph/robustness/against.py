"""An audit of new data beside an earlier one: what has changed beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from automorph.errors import DataError
from automorph.experiments import holm
from automorph.robustness.audit_reference import Key, Reference, named
from automorph.robustness.audit_result import RATE, Audit, p_in_words, percent
from automorph.robustness.metrics import newcombe

_EXPECTED = 5
"""Cells of a chi-square test that expect fewer examples are merged (Cochran 1954)."""


@dataclass(frozen=True)
class Change:
    """A group then and now: ``n_before`` and ``n`` examples; accuracies are fractions.

    ``difference`` is now minus then, with Newcombe's 95 % interval; None where there are no
    examples. ``p`` tests whether the group is right less often than before (Fisher, one-sided;
    Holm over all groups); ``alarm`` is True below 5 %. ``share`` is that of all examples.
    """

    class_name: str
    subgroup: str
    n_before: int
    n: int
    before: float | None
    accuracy: float | None
    difference: float | None
    low: float | None
    high: float | None
    share_before: float
    share: float
    p: float
    alarm: bool


@dataclass(frozen=True)
class Against:
    """What has changed since an earlier audit, in ``reference``.

    ``groups`` are those of the earlier audit that had examples; ``missing`` are those of them
    without an example now, ``new`` those that the earlier audit had no example of. ``shares_p`` and
    ``classes_p`` test whether groups and classes are as frequent as before (chi-square).
    """

    reference: str
    groups: tuple[Change, ...]
    missing: tuple[Key, ...]
    new: tuple[Key, ...]
    shares_p: float
    classes_p: float

    @property
    def alarms(self) -> tuple[str, ...]:
        """The groups that are right less often than before, in sentences, worst first."""
        fallen = sorted((one for one in self.groups if one.alarm), key=lambda one: one.p)
        return tuple(
            f"({one.class_name}, {one.subgroup}) is right less often than before: "
            f"{percent(one.accuracy)} of {one.n:,} examples, {percent(one.before)} of "
            f"{one.n_before:,} then ({_points(one)}, p {p_in_words(one.p)})."
            for one in fallen
        )

    @property
    def verdict(self) -> str:
        """What has changed, or that nothing has beyond chance."""
        sentences = list(self.alarms) or [
            f"No group is right less often than in {self.reference} beyond chance (by chance alone "
            f"an alarm is raised in {RATE:.0%} of audits at most)."
        ]
        return " ".join([*sentences, *self.shifts])

    @property
    def shifts(self) -> tuple[str, ...]:
        """Sentences on classes and groups that are rarer or more frequent than before."""
        found = []
        if self.classes_p < RATE:
            found.append(
                f"The classes have other shares than before (p {p_in_words(self.classes_p)}): "
                f"{_moved(_by_class(self.groups))}."
            )
        if self.shares_p < RATE and len(_by_class(self.groups)) < len(self.groups):
            moved = [
                (f"({one.class_name}, {one.subgroup})", one.share_before, one.share)
                for one in self.groups
            ]
            found.append(
                f"The groups have other shares than before (p {p_in_words(self.shares_p)}): "
                f"{_moved(moved)}."
            )
        if self.new:
            found.append(f"Groups that were not there before: {named(self.new)}.")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as ``audit --json`` prints it."""
        rows = [{"class": one.class_name, **asdict(one)} for one in self.groups]
        for row in rows:
            del row["class_name"]
        return {
            "reference": self.reference,
            "verdict": self.verdict,
            "alarms": list(self.alarms),
            "groups": rows,
            "missing": [list(key) for key in self.missing],
            "new": [list(key) for key in self.new],
            "shares_p": self.shares_p,
            "classes_p": self.classes_p,
        }


def compare_audits(audit: Audit, reference: Reference) -> Against:
    """Compare an audit with an earlier one, group by group.

    Raises `DataError` if the two have no group in common.

    >>> from automorph.robustness import Grouper, measure
    >>> labels = np.zeros(300, np.int64)
    >>> answers = (np.arange(300) < 60).astype(np.int64)
    >>> now = measure(labels, answers, labels, Grouper(("cat", "dog"), ("",)))
    >>> then = Reference("runs/audit", {("cat", ""): 300}, {("cat", ""): 270})
    >>> compare_audits(now, then).groups[0].alarm
    True
    """
    now = {(one.class_name, one.subgroup): one for one in audit.groups}
    known = [key for key, n in reference.n.items() if n]
    shared = [key for key in known if key in now and now[key].n]
    if not shared:
        raise DataError(
            f"{reference.folder} has the groups {named(known)}, and these data have "
            f"{named([key for key, one in now.items() if one.n])}; expected at least one in "
            "common: check --subgroup and the names of the classes"
        )
    n_now = np.array([now[key].n if key in now else 0 for key in known], np.int64)
    right_now = np.array(
        [round(now[key].n * (now[key].accuracy or 0.0)) if key in now else 0 for key in known],
        np.int64,
    )
    n_then = np.array([reference.n[key] for key in known], np.int64)
    right_then = np.array([reference.right[key] for key in known], np.int64)
    p = holm(fallen(right_then, n_then, right_now, n_now).tolist())
    changes = []
    for place, key in enumerate(known):
        n, before = int(n_now[place]), right_then[place] / n_then[place]
        span = newcombe(right_now[place], n, right_then[place], n_then[place]) if n else None
        changes.append(Change(
            *key, int(n_then[place]), n, float(before), right_now[place] / n if n else None,
            None if span is None else span.value, None if span is None else span.low,
            None if span is None else span.high,
            n_then[place] / n_then.sum(), n / max(n_now.sum(), 1),
            float(p[place]), bool(p[place] < RATE and n),
        ))  # fmt: skip
    classes = sorted({key[0] for key in known})
    of_class = np.array([classes.index(key[0]) for key in known])
    by_class = [np.bincount(of_class, counts, len(classes)) for counts in (n_then, n_now)]
    return Against(
        reference.folder, tuple(changes),
        missing=tuple(key for key in known if key not in shared),
        new=tuple(key for key, one in now.items() if one.n and not reference.n.get(key)),
        shares_p=shifted(n_then, n_now), classes_p=shifted(*by_class),
    )  # fmt: skip


def fallen(
    right_then: NDArray[np.int64],
    n_then: NDArray[np.int64],
    right_now: NDArray[np.int64],
    n_now: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return p-values that groups ``(k,)`` are right no less often than before.

    Fisher's exact test, one-sided: given the errors of both times, those of now are hypergeometric.

    >>> fallen(*(np.array([x]) for x in (270, 300, 240, 300))).round(4).tolist()
    [0.0004]
    """
    wrong = (n_then - right_then) + (n_now - right_now)
    p = stats.hypergeom.sf(n_now - right_now - 1, n_then + n_now, wrong, n_now)
    return np.asarray(np.where(n_now == 0, 1.0, p), np.float64)


def shifted(then: NDArray[Any], now: NDArray[Any]) -> float:
    """Return the p-value that groups ``(k,)`` are as frequent as before; 1 with nothing to test.

    Pearson's chi-square test; groups of which few are expected are merged into one.
    """
    table = np.stack([then, now]).astype(np.float64)
    total = table.sum()
    if not total or not table.sum(axis=1).all():
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / total
    rare = (expected < _EXPECTED).any(axis=0)
    if rare.any():
        table = np.concatenate([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)], axis=1)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def _by_class(groups: Sequence[Change]) -> list[tuple[str, float, float]]:
    names = list(dict.fromkeys(one.class_name for one in groups))
    return [
        (
            repr(name),
            sum(one.share_before for one in groups if one.class_name == name),
            sum(one.share for one in groups if one.class_name == name),
        )
        for name in names
    ]


def _moved(shares: Sequence[tuple[str, float, float]]) -> str:
    """Name the three largest changes of a share."""
    largest = sorted(shares, key=lambda one: -abs(one[2] - one[1]))[:3]
    return "; ".join(f"{name} {percent(then)} then, {percent(now)} now"
                     for name, then, now in largest)  # fmt: skip


def _points(one: Change) -> str:
    assert one.difference is not None
    assert one.low is not None
    assert one.high is not None
    return f"{100 * one.difference:+.1f} points, {100 * one.low:+.1f} to {100 * one.high:+.1f}"
