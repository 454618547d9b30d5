"""The table of metrics that are shown beside the one that chooses."""

from __future__ import annotations

from automorph.report.metric_words import MetricWords
from automorph.report.page import PageTable, TableCell
from automorph.report.view_model import Results


def further_table(results: Results) -> PageTable | None:
    """Return one line for each further metric and policy, or None if there are none."""
    lines: list[list[TableCell | str]] = []
    for content in results.content.get("also") or ():
        metric = MetricWords(content)
        for row in results.rows:
            found = row["also"][metric.name]
            gap = found.get("difference") or {}
            se = found["value"].get("se")
            interval = metric.interval(gap.get("low"), gap.get("high"))
            lines.append(
                [
                    f"{metric.name}{metric.direction}",
                    TableCell(results.label(row), colour=results.colours[row["policy"]]),
                    TableCell(
                        metric.value(found["value"]["mean"]),
                        "" if se is None else f"± {metric.spread(se)}",
                    ),
                    TableCell(metric.difference(gap.get("mean")), interval if gap else ""),
                ]
            )
    if not lines:
        return None
    caption = (
        f"Further metrics on the {results.metric.part} part, with paired differences from the "
        f"baseline ({results.level} intervals, not corrected for the number of metrics). They "
        "choose nothing."
    )
    columns = ["Further metric", "Policy", "Value", "Difference"]
    return PageTable(columns, lines, caption, numbers=range(2, 4))
