"""Draw "what a wrong guess costs": best, worst and usual policy on every set of suite.py.

Run: .venv/bin/python benchmarks/suite_figure.py (after suite.py, which draws it, too)
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from automorph.files import atomic_write
from automorph.report import figures, svg
from automorph.report.figures import FigureRow
from automorph.suite import USUAL
from table_layout import Content
from theory_drawings import FOLDER, STYLE

NAME = "wrong-guess"


def by_set(rows: Sequence[Content]) -> dict[str, dict[str, Content]]:
    """Return the rows of trainings of equal length by set and policy, the pick under ``pick``."""
    found: dict[str, dict[str, Content]] = {}
    for row in rows:
        if row["arm"] != "longer":
            name = "pick" if row["arm"] == "pick" else row["policy"]
            found.setdefault(row["data"], {})[name] = row
    return found


def extremes(arms: dict[str, Content]) -> tuple[str, str]:
    """Return the best and the worst fixed policy of a set."""
    means = {name: row["test"]["mean"] for name, row in arms.items() if name != "pick"}
    return max(means, key=lambda name: means[name]), min(means, key=lambda name: means[name])


def rows_of(content: Content) -> list[FigureRow]:
    """Return one row for each set: the range of the policies about the usual one, and the pick."""
    made = []
    for source, arms in by_set(content["rows"]).items():
        best, worst = extremes(arms)
        usual, pick = (arms[name]["test"]["mean"] for name in (USUAL, "pick"))
        high, low = (100 * (arms[name]["test"]["mean"] - usual) for name in (best, worst))
        words = f"best: {best}, worst: {worst}"
        made.append(
            FigureRow(source, 100 * (pick - usual), min(low, 0.0), max(high, 0.0), (), 1, words)
        )
    return sorted(made, key=lambda row: row.low or 0.0)


def draw(content: Content) -> Path | None:
    """Write the figure; None without results."""
    rows = rows_of(content)
    if not rows:
        return None
    axis = f"Test accuracy relative to {USUAL}, points"
    label = (
        "What a wrong guess costs: the range of fixed policies on each set, and the pick of the "
        "search as a mark"
    )
    drawn = figures.differences(rows, width=svg.WIDE, axis=axis, label=label)
    styled = re.sub("(<svg[^>]*>)", rf"\1<style>{STYLE}</style>", str(drawn), count=1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{NAME}.svg"
    with atomic_write(path) as draft:
        draft.write_text(styled + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    result = Path(__file__).parent / "results" / "suite.json"
    print(draw(json.loads(result.read_text(encoding="utf-8"))))
