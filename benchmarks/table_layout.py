"""The layout of generated tables: Markdown, means with spreads, paired differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from automorph.experiments import paired_difference
from patching_arms import mentions, to_measure_again
from record import paired

Content = dict[str, Any]
"""One file of benchmarks/results."""

POINTS = "(points, 95 % interval)"
AGAIN = "to be measured again"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, align: str = "") -> str:
    """A Markdown table; ``align`` has l or r per column (default: first left, others right)."""
    marks = {"l": "---", "r": "---:"}
    align = align or "l" + "r" * (len(heads) - 1)
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(marks[a] for a in align)}|"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def difference(values: Any, others: Any) -> str:
    """Mean paired difference in points, with its interval."""
    return points(vars(paired_difference(*paired(values, others))))


def points(d: dict[str, Any] | None) -> str:
    """A paired difference in points, with its interval; empty if there is none."""
    if not d:
        return ""
    span = "" if d["low"] is None else f" ({100 * d['low']:+.1f} to {100 * d['high']:+.1f})"
    return f"{100 * d['mean']:+.1f}{span}"


def spread(summary: dict[str, Any]) -> str:
    """Mean and standard error of fractions, in percent."""
    se = summary["se"]
    return f"{100 * summary['mean']:.1f}" + ("" if se is None else f" ± {100 * se:.1f}")


def part_of(content: Content) -> str:
    """The part of a result's name after the benchmark: `short` of `online-short`."""
    return str(content["name"].split("-", 1)[1])


def by_arm(contents: dict[str, Content], *, base: str) -> str:
    """One row per arm, one column per content: accuracy of ``base``, differences of the others."""
    found = {
        name: {row["arm"]: row["accuracy"]["values"] for row in content["rows"]}
        for name, content in contents.items()
    }

    def cell(values: dict[str, Any], arm: str) -> str:
        if arm not in values or base not in values:
            return ""
        if arm == base:
            return f"{100 * sum(values[arm]) / len(values[arm]):.1f} %"
        return difference(values[arm], values[base])

    arms = dict.fromkeys(arm for values in found.values() for arm in values)
    rows = [(arm, *(cell(values, arm) for values in found.values())) for arm in arms]
    return table(("arm", *found), rows)


def claims(*contents: Content) -> str:
    """Every claim made before the run, with its value, interval and outcome."""
    rows = []
    for content, row in ((c, one) for c in contents for one in c["claims"]):
        if mentioned(outdated_arms(content), row["text"]):
            rows.append((row["text"], AGAIN, "", ""))
            continue
        low, high = row["interval"] or (None, None)
        interval = "" if low is None else f"{low:+.3g} to {high:+.3g}"
        unknown = "unclear" if low is not None and low <= 0 <= high else "not judged"
        holds = {True: "yes", False: "no", None: unknown}[row["holds"]]
        value = "" if row["value"] is None else f"{row['value']:+.3g}"
        rows.append((row["text"], value, interval, holds))
    return table(("claim", "value", "95 % interval", "holds"), rows, align="lrrl")


def outdated_arms(content: Content) -> dict[str, str]:
    """Why figures of a result must not be shown, by arm."""
    name = content["name"]
    if name == "patching":
        return to_measure_again(content["rows"])
    if content.get("outside") == "edge":
        return {}
    # TANDA's operations painted what came in from outside black.
    if name.startswith("tanda-"):
        arms = {row["arm"] for row in content["rows"]} - {"none"}
    else:
        arms = {"tanda"} if name == "search-methods" else set[str]()
    return dict.fromkeys(arms, "moved images had black borders")


def mentioned(arms: Iterable[str], text: str) -> bool:
    """Whether a text speaks of one of the arms."""
    return any(mentions(text, arm) for arm in arms)


def with_interval(values: Sequence[float]) -> str:
    """Mean and 95 % interval over seeds."""
    found = paired_difference(values, [0.0] * len(values))
    half = "" if found.low is None else f" ± {found.mean - found.low:.4f}"
    return f"{found.mean:.4f}{half}"


def reach(values: Sequence[int]) -> str:
    """The smallest and the largest number, or the one that all are."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"
