"""An audit in sentences: alarms, the verdict, and what a reader must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from automorph.robustness.discovery import SMALLEST
from automorph.robustness.metrics import Estimate

if TYPE_CHECKING:
    from automorph.robustness.audit_result import Audit, Group


def alarms(found: Audit) -> tuple[str, ...]:
    """What is beyond chance; empty if nothing is."""
    told = [
        f"It fails on ({g.class_name}, {g.subgroup}): {percent(g.accuracy)} right "
        f"({percent(g.low)} to {percent(g.high)}, {g.n:,} examples), "
        f"less often than the rest of its class (p {_p(g.p)})."
        for g in sorted(found.groups, key=lambda g: g.accuracy or 0.0)
        if g.alarm
    ]
    told += [
        f"It fails on a discovered slice of {s.class_name!r}: {percent(s.accuracy)} right "
        f"({percent(s.low)} to {percent(s.high)}) on {s.n:,} examples that took no part in "
        f"finding it, the rest of the class {percent(s.rest)} (p {_p(s.p)})."
        for s in found.slices
        if s.alarm
    ]
    return tuple(told)


def verdict(found: Audit, *, rate: float) -> str:
    """The worst that is beyond chance, or that nothing is and what was looked for."""
    if found.alarms:
        return found.alarms[0]
    compared = any(gap is not None for gap in found.gap.values())
    looked = [name for name, there in (("subgroup", compared), ("slice", found.slices)) if there]
    told = [] if found.only is None else [one_answer("It", found.only)]
    told += [] if found.named or found.method is None else [_worst_class(found)]
    if looked:
        told.append(
            f"No {' and no '.join(looked)} is right less often than the rest of its class beyond "
            f"chance (by chance alone an alarm is raised in {rate:.0%} of audits at most)."
        )
    elif found.method is None:
        told.append("There is no subgroup to compare with the rest of its class.")
    return " ".join([*told, *_searched(found)])


def one_answer(who: str, only: str) -> str:
    """What a network that answers one class needs: groups tell nothing of it yet."""
    return f"{who} answers only {only!r}, whatever it is shown: train it longer, or lower --lr."


def _worst_class(found: Audit) -> str:
    worst = found.worst
    return (
        f"The class that fails most is {worst.class_name!r}: {percent(worst.accuracy)} right "
        f"({percent(worst.low)} to {percent(worst.high)}, {worst.n:,} examples), "
        f"{percent(found.accuracy.value)} of all."
    )


def _searched(found: Audit) -> list[str]:
    """What looking for slices came to; nothing where nobody looked."""
    if found.method is None:
        return []
    where = f"the {found.facts['part']} part" if "part" in found.facts else "the examples"
    begun = f"Slices were looked for in {where} ({found.method})"
    if not found.slices:
        return [
            f"{begun} and none was found: of those with {SMALLEST} held-out examples or more, none "
            "is right less often than the rest of its class."
        ]
    first = found.slices[0]
    return [
        f"{begun}: {len(found.slices)} there are right less often than the rest of their class, "
        f"the clearest one of {first.class_name!r} ({percent(first.accuracy)} right, the rest "
        f"{percent(first.rest)}; p {_p(first.p)})."
    ]


def notes(
    rows: Sequence[Group], gaps: Mapping[str, Estimate | None], *, few: int
) -> tuple[str, ...]:
    """What a reader must know of the groups; ``few`` examples are too few."""
    told = []
    named = len(rows) > len(gaps)
    empty = [f"({g.class_name}, {g.subgroup})" for g in rows if not g.n]
    small = [
        f"({g.class_name}, {g.subgroup}: {g.n})" if named else f"{g.class_name} ({g.n})"
        for g in rows
        if 0 < g.n < few
    ]
    if empty:
        told.append(
            f"Nothing can be said about {', '.join(empty)}: there is no example. The robust "
            "accuracy is that of the groups that are there."
        )
    if small:
        told.append(
            f"Fewer than {few} examples: {', '.join(small[:8])}"
            f"{' and more' if len(small) > 8 else ''}. Read their intervals, not their accuracies"
            f"{', or merge groups' if named else ''}."
        )
    if named:
        told += [
            f"Class {name!r} has a single subgroup here: it has no gap to measure."
            for name, found in gaps.items()
            if found is None
        ]
    return tuple(told)


def percent(share: float | None) -> str:
    """A share in percent.

    >>> percent(0.083), percent(None)
    ('8.3 %', '-')
    """
    return "-" if share is None else f"{100 * share:.1f} %"


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
