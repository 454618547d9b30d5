"""Runs seen by another of the metrics that they measured, for ``report --metric``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automorph.errors import UsageError


def seen_by(content: dict[str, Any], name: str, *, folder: Path) -> dict[str, Any]:
    """Return what a run found, with the metric ``name`` in place of the one that chose.

    The policies stay those that the run chose, on validation data and by its own metric; the values
    of the validation part, which only that metric has, are left out. Raises `UsageError` if the run
    did not measure the metric.
    """
    own, also = content.get("metric") or {"name": "accuracy"}, content.get("also") or []
    measured = [one["name"] for one in (own, *also)]
    title = name if name in measured else _title(content, name)
    if title not in measured:
        raise UsageError(
            f"{folder} did not measure {title}; expected one of its metrics: "
            f"{', '.join(measured)}. Choose one of these, or run it again with --also {name!r}"
        )
    if title == own["name"]:
        return content
    found = next(one for one in also if one["name"] == title)
    rest = [one for one in also if one is not found]
    rows = [_row(row, title) for row in content["rows"]]
    return {**content, "metric": found, "also": rest, "rows": rows}


def _title(content: dict[str, Any], name: str) -> str:
    """Return the title of a metric as ``--metric`` takes it, for the classes of a run."""
    from automorph.metrics import load_metric

    data = content["data"]
    return load_metric(name, data["classes"], data.get("target", "classes")).title


def _row(row: dict[str, Any], title: str) -> dict[str, Any]:
    if row.get("accuracy") is None:
        return row
    measured = row["also"][title]
    gap = measured.get("difference")
    return {**row, "accuracy": measured["value"], "difference": gap, "validation": None}
