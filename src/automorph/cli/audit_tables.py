"""An audit on a terminal: groups, metrics, and what stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph.cli.options import p_words, plain_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from automorph.robustness import Audit, MetricEstimate

SHOWN = 30
"""Maximum number of groups in the terminal table."""


def print_audit(result: Audit, say: Console) -> None:
    """Print the audit on a terminal."""
    lines = [
        f"Gap of {name}: {100 * gap.value:.1f} points ({100 * gap.low:.1f} to {100 * gap.high:.1f})"
        for name, gap in result.gap.items()
        if gap is not None
    ]
    if (information := result.information) is not None:
        lines.append(
            "Mutual information of prediction and subgroup, given the class: "
            f"{information.value:.4f} nats ({information.low:.4f} to {information.high:.4f})"
        )
    lines += _pooled_lines(result)
    for one in [one for one in result.intersections if one.alarm][:3]:
        where = ", ".join(f"{column} = {value}" for column, value in one.values.items())
        lines.append(
            f"Intersection: {one.class_name} with {where}: {100 * one.accuracy:.1f} % correct "
            f"({one.n:,} examples; {100 * one.class_accuracy:.1f} % in the whole class)"
        )
    part = result.facts["part"]
    where = "left out of the training" if part == "out-of-fold" else f"of the {part} part"
    say.print(f"\n{result.n:,} examples {where}\n")
    say.print(_table_of(result))
    for found in result.metrics:
        say.print(_in_words(found), soft_wrap=True)
    for line in lines:
        say.print(line, soft_wrap=True)
    for note in result.notes:
        say.print(note, style="dim", soft_wrap=True)
    say.print(f"\n{result.verdict}", style="bold", soft_wrap=True)
    for alarm in result.alarms[1:5]:
        say.print(alarm, soft_wrap=True)


def _pooled_lines(result: Audit) -> list[str]:
    """Write the recall of every class, and the lowest pooled estimates of values of columns."""
    whole = [one for one in result.pooled if one.column == "class"]
    rest = sorted(result.pooled[len(whole) :], key=lambda one: one.pooled)[:5]
    return [
        f"Recall of {one.class_name}"
        + ("" if one in whole else f" with {one.column} = {one.value}")
        + f": {100 * one.pooled:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f}; "
        + f"{one.n:,} examples{'' if one in whole else ', pooled'})"
        for one in [*whole, *rest]
    ]


def _in_words(one: MetricEstimate) -> str:
    """Write a metric with its interval."""
    from automorph.experiments import Metric

    shown = Metric(one.title, one.higher_is_better, one.share)
    value, low, high = (shown.value(number) for number in (one.value, one.low, one.high))
    worse = "" if one.higher_is_better else "; lower is better"
    return f"{one.title[0].upper()}{one.title[1:]}: {value} ({low} to {high}{worse})"


def _table_of(result: Audit) -> Table:
    """Make the terminal table of groups, worst first."""
    # Without subgroups each group is a whole class: no remainder to test it against.
    p = ("p",) if result.named else ()
    numbers = ("examples", "accuracy", "95 %", "over-\nconfidence", *p)
    table = plain_table("class", *(("subgroup",) if result.named else ()), numbers=numbers)
    order = sorted(result.groups, key=lambda g: 2.0 if g.accuracy is None else g.accuracy)
    for g in order[:SHOWN]:
        over = g.overconfidence
        table.add_row(
            g.class_name, *((g.subgroup,) if result.named else ()), f"{g.n:,}",
            "" if g.accuracy is None else f"{100 * g.accuracy:.1f}",
            "" if g.low is None or g.high is None else f"{100 * g.low:.1f} to {100 * g.high:.1f}",
            "" if over is None else f"{100 * over.value:+.1f}",
            *((p_words(g.p if g.n else None),) if result.named else ()),
            style="bold red" if g.alarm else None,
        )  # fmt: skip
    whole = result.accuracy
    table.add_row(
        "all", *(("",) if result.named else ()), f"{result.n:,}", f"{100 * whole.value:.1f}",
        f"{100 * whole.low:.1f} to {100 * whole.high:.1f}", style="dim",
    )  # fmt: skip
    return table
