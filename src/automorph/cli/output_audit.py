"""The audit of several labels or values on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph.cli.options import p_words, plain_table
from automorph.cli.suggestions import first_policies, suggest

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.data import Domain
    from automorph.robustness import MetricEstimate, OutputAudit

SHOWN = 40
"""Maximum number of rows of the table."""


def print_outputs(result: OutputAudit, say: Console) -> None:
    """Print the audit: every label or value on all examples and on every subgroup."""
    from automorph.robustness import figure_words

    shares = {_column(one): one.share for g in result.groups for one in g.figures}
    titles = ["\n".join([*title.split(), *(["%"] if shares[title] else [])]) for title in shares]
    labels, named = result.target == "labels", bool(result.subgroups)
    table = plain_table(
        "label" if labels else "value", *(("subgroup",) if named else ()),
        numbers=("exam-\nples", *(("with\nit",) if labels else ()), *titles[:1], "95 %",
                 *titles[1:], *(("p",) if named else ())),
    )  # fmt: skip
    for group in result.groups[:SHOWN]:
        found = {_column(one): one for one in group.figures}
        first, *others = (found.get(title) for title in shares)
        table.add_row(
            group.output, *((group.subgroup or "all",) if named else ()), f"{group.n:,}",
            *((f"{group.present:,}",) if labels else ()),
            _number(first), _interval(first), *map(_number, others),
            *((p_words(group.p if group.subgroup else None),) if named else ()),
            style="bold red" if group.alarm else None if group.subgroup else "dim",
        )  # fmt: skip
    say.print(f"\n{result.n:,} examples of the {result.facts['part']} part\n")
    say.print(table)
    if len(result.groups) > SHOWN:
        say.print(f"and {len(result.groups) - SHOWN:,} more: see the report", style="dim")
    for one in result.metrics:
        say.print(f"All together, {one.title}: {figure_words(one)}", soft_wrap=True)
    for name, gap in result.gap.items():
        first = next((g.figures[0] for g in result.groups if g.output == name and g.figures), None)
        if gap is not None and first is not None:
            words = figure_words(first, (gap.value, gap.low, gap.high))
            say.print(f"Gap of {name} among subgroups ({first.title}): {words}", soft_wrap=True)
    for note in result.notes:
        say.print(note, style="dim", soft_wrap=True)
    say.print(f"\n{result.verdict}", style="bold", soft_wrap=True)
    for alarm in result.alarms[1:5]:
        say.print(alarm, soft_wrap=True)


def next_of_outputs(result: OutputAudit, source: str, domain: Domain) -> list[str]:
    """Return the recommended command: mend a label that fails on a subgroup, or compare."""
    if result.failing and result.target == "labels":
        return [suggest("patch", source, target=None, label_of=result.failing[0].output)]
    return [suggest("compare", source, policies=first_policies(domain))]


def _number(one: MetricEstimate | None, value: float | None = None) -> str:
    """Write a value of a metric in its unit, which the column states."""
    if one is None:
        return ""
    shown = one.value if value is None else value
    return f"{100 * shown:.1f}" if one.share else f"{shown:.4g}"


def _interval(one: MetricEstimate | None) -> str:
    return "" if one is None else f"{_number(one, one.low)} to {_number(one, one.high)}"


def _column(one: MetricEstimate) -> str:
    """Return the title of a metric without the label or value that it is of."""
    return one.title.partition(" of ")[0]
