"""The result of a comparison: report content and terminal table.

Used by ``compare`` and ``search``, which ends in a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automorph.cli.options import WIDE, p_words, plain_table
from automorph.cli.provenance import provenance_of, report_curves, task_facts
from automorph.errors import DamagedError
from automorph.files import read_json

if TYPE_CHECKING:
    from automorph.experiments import Comparison, Metric, Row, Summary
    from automorph.training import Task


def facts_of(source: str, task: Task, comparison: Comparison, started: str) -> dict[str, Any]:
    """Return the content of the comparison's report, without pictures and the next command."""
    from automorph.cli.examples import base_rate_of, by_class

    classes = by_class(task, comparison.predictions)
    shared = task_facts(source, task)
    shared["data"]["notes"] += comparison.remarks
    return {
        **comparison.to_dict(),
        "rows": [
            {**row, "per_class": classes.get(row["policy"])} for row in ranked_rows(comparison)
        ],
        **shared,
        "base_rate": base_rate_of(task),
        "curves": {
            name: report_curves(curves, comparison.policies[name])
            for name, curves in comparison.curves.items()
        },
        "provenance": provenance_of(task.data, started, comparison.seconds),
    }


def ranked_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the rows as plain data with the rank of each policy."""
    sign = comparison.metric.sign
    ranked = sorted(
        (row for row in comparison.rows if row.accuracy),
        key=lambda row: -sign * row.accuracy.mean,  # type: ignore[union-attr]
    )
    ranks = {row.policy: rank for rank, row in enumerate(ranked, 1)}
    return [
        {**row, "label": row["policy"], "rank": ranks.get(row["policy"])}
        for row in comparison.to_dict()["rows"]
    ]


NAMES = 16
"""Least width of the names of policies beside long headers."""


def table_of(
    comparison: Comparison, *, base_rate: dict[str, Any] | None = None, width: int = WIDE
) -> Any:
    """Make the table of a comparison for a terminal of ``width`` columns.

    ``base_rate`` (see `base_rate_of`) is its last row.
    """
    from automorph.experiments import ACCURACY
    from automorph.report import TITLES

    metric = comparison.metric
    own = any("passes" in row.units for row in comparison.rows)
    passes = "passes over the data" if own else "passes"
    share = f"{comparison.confidence:.0%}"
    base = comparison.baseline if len(comparison.baseline) <= 16 else "the baseline"
    shown = ["accuracy", "difference", "p", "validation"]
    titles = {column: TITLES[column][1].format(base=base, share=share) for column in shown}
    if metric != ACCURACY:
        titles["accuracy"] = f"{metric.part}\n{metric.name}"
    if metric.part == "validation":
        shown.remove("validation")  # It is the first column already.
    columns = [titles[column] for column in shown]
    # A narrow terminal has no room for the number of passes; the report shows it.
    columns += [f"{passes}\na run", "wall s\na run"] if width >= WIDE else ["wall s\na run"]
    lines: list[tuple[list[str], str | None]] = []
    for row in comparison.rows:
        if row.accuracy is None:
            # The reason may have many lines, so it stands below the table: see `failed_rows`.
            lines.append(([row.policy, "failed"], "red"))
            continue
        difference, p = "", ""
        if row.difference is not None:
            gap = row.difference
            difference = f"{metric.difference(gap.mean)} ({row.note or metric.interval(gap)})"
            p = p_words(row.difference.p_adjusted)
        # Trainings of the user's own may report no passes.
        number = "" if row.passes is None else _passes_of(row, comparison)
        validation = _mean(row.validation, metric, spread=False) if row.validation else ""
        cells = [
            row.policy,
            _mean(row.accuracy, metric),
            difference,
            p,
            *([validation] if "validation" in shown else ()),
            *([number] if width >= WIDE else ()),
            f"{row.seconds.mean:.1f}" if row.seconds else "",
        ]
        lines.append((cells, "bold green" if row.policy == comparison.winner else None))
    if base_rate is not None and metric == ACCURACY:
        rate = metric.value(base_rate["accuracy"]).removesuffix(" %")
        lines.append(([f"always {base_rate['class']!r}", rate], "dim"))
    return _fitted(columns, lines, width)


def _fitted(
    columns: Sequence[str], lines: Sequence[tuple[list[str], str | None]], width: int
) -> Any:
    """Make a table of names and numbers; the last column is left out if it would be cut."""
    needed = NAMES
    for number, title in enumerate(columns, 1):
        cells = [cells[number] for cells, _ in lines if len(cells) > number]
        needed += 2 + max(map(len, (*title.split("\n"), *cells)))
    if needed > width:
        columns = columns[:-1]
    table = plain_table("policy", numbers=columns)
    table.columns[0].min_width = NAMES
    for cells, style in lines:
        table.add_row(*cells[: 1 + len(columns)], style=style)
    return table


def failed_rows(comparison: Comparison) -> list[str]:
    """Return a line for each policy without a result: why it failed."""
    from automorph.report import in_brief

    return [
        f"{row.policy} failed: {in_brief(row.error or 'no accuracy was measured')}"
        for row in comparison.rows
        if row.accuracy is None
    ]


def also_table(comparison: Comparison) -> Any:
    """Make the table of the further metrics: one line for each metric and policy."""
    base = comparison.baseline if len(comparison.baseline) <= 16 else "the baseline"
    share = f"{comparison.confidence:.0%}"
    table = plain_table("further metric", "policy", numbers=["test", f"against {base} ({share})"])
    for metric in comparison.also:
        for row in comparison.rows:
            if row.accuracy is None:
                continue
            found = row.also[metric.name]
            gap = found.difference
            table.add_row(
                metric.name, row.policy, _mean(found.value, metric),
                "" if gap is None
                else f"{metric.difference(gap.mean)} ({row.note or metric.interval(gap)})",
                style="bold green" if row.policy == comparison.winner else None,
            )  # fmt: skip
    return table


def _passes_of(row: Row, comparison: Comparison) -> str:
    """Format the passes of a training, with their ratio to the baseline if it is not 1."""
    from automorph.report import times

    base = next(one for one in comparison.rows if one.policy == comparison.baseline)
    ratio = times((row.passes or 0.0) / base.passes) if base.passes else ""
    return _short(row.passes or 0.0) + f" ({ratio})" * (ratio not in ("", "1.0 ×"))


def _short(number: float) -> str:
    """Format a count with three digits: 19k, 4.5M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{unit}"
    return f"{number:.0f}"


def _mean(summary: Summary, metric: Metric, *, spread: bool = True) -> str:
    mean = f"{100 * summary.mean:.1f}" if metric.share else metric.value(summary.mean)
    if summary.se is None or not spread:
        return mean
    if metric.share:
        return f"{mean} ± {100 * summary.se:.1f}"
    return f"{mean} ± {0.0 if summary.se < 1e-12 else summary.se:.2g}"


def paths_of(folder: Path) -> dict[str, str]:
    """Return the current paths of the policy and the report: a run folder may have been moved."""
    return {"policy": str(folder / "policy.json"), "report": str(folder / "report.html")}


def are_there(paths: Iterable[str]) -> bool:
    """Return whether all files exist that a finished run names: else it is written again."""
    return all(Path(path).exists() for path in paths)


def read_object(path: Path) -> dict[str, Any] | None:
    """Read the JSON object in a file, or None if the file is missing or damaged."""
    try:
        return read_json(path)
    except (OSError, DamagedError):
        return None
