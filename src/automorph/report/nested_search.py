"""What the page of a search has more if it ran anew in every fold: its picks, and their tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from automorph.report import formatting
from automorph.report.comparison import pair_name
from automorph.report.page import Answer, PageTable, Section, TableCell
from automorph.report.view_model import Results

OF_TABLE = (
    "In every fold, the whole search ran anew on the training and the validation examples; what it "
    "picked and the policies that need no search were then trained once, and tested on the fold, "
    "which none of them had seen (nested cross-validation). The first row therefore measures a way "
    "of choosing, and not one policy. Its validation column is too good, because the search chose "
    "by the same examples."
)
OF_COURSE = (
    "Shown is the search on all examples, whose policy is kept; trials and costs in the list are "
    "those of all searches together."
)


def kept_answer(nested: Mapping[str, Any]) -> Answer:
    """Say which policy is kept, and how often it was picked."""
    picks = nested["picks"]
    return Answer(
        "Which policy is kept?",
        nested["kept"],
        f"picked by the search on all examples, and by {picks.count(nested['kept'])} of the "
        f"{len(picks)} searches in the folds.",
    )


def picks_section(nested: Mapping[str, Any], results: Results) -> Section:
    """Return what the search picked in every fold, and how that did on the fold."""
    metric, base = results.metric, results.label(results.baseline)
    mine, theirs = (_values(row, results) for row in (results.winner, results.baseline))
    rows: list[list[TableCell | str]] = []
    for seed, name, value, other in zip(
        results.content["seeds"], nested["picks"], mine, theirs, strict=True
    ):
        gap = None if value is None or other is None else value - other
        rows.append([
            pair_name(results, seed), name, metric.value(value), metric.value(other),
            metric.difference(gap),
        ])  # fmt: skip
    columns = ["Fold", "Picked", metric.title, base, "Difference"]
    caption = f"What the search picked in every fold, and {metric.title.lower()} there"
    counted = Counter(nested["picks"]).most_common()
    often = ", ".join(f"{name} {formatting.plural(count, 'time')}" for name, count in counted)
    text = f"Picked in the folds: {often}. On all examples: {nested['kept']}, which is kept."
    table = PageTable(columns, rows, caption, numbers=(2, 3, 4))
    return Section("Picks of the folds", [table], [text])


def _values(row: Mapping[str, Any] | None, results: Results) -> list[float | None]:
    """Return the values of a row by fold; None for each if it failed."""
    values = ((row or {}).get("accuracy") or {}).get("values")
    return list(values or [None] * results.seeds)
