"""Tables of what each candidate of the race gained on public sets, without any search."""

from __future__ import annotations

from typing import Any

from table_layout import Content, table

SHOWN = ("flip-crop", "trivialaugment", "flip-crop + trivialaugment")
GAIN = "Brier score gained"


def best_by_set(content: Content) -> str:
    """The best and the worst candidate of each image set, and what usual policies gain there."""
    rows = []
    for name, own in _by_set(content).items():
        order = sorted(own.values(), key=lambda row: -row["gain"])
        ends = (f"`{row['candidate']}` {_gain(row)}" for row in (order[0], order[-1]))
        usual = (_gain(own[policy]) if policy in own else "" for policy in SHOWN)
        rows.append((name, str(order[0]["seeds"]), *ends, *usual))
    head = ("set", "seeds", "best", "worst", *(f"`{policy}`" for policy in SHOWN))
    return table(head, rows, align="lrllrrr")


def red_cells(content: Content) -> str:
    """Every candidate on the microscope pictures of red blood cells, the best first."""
    own = _by_set(content)["red_cells"].values()
    rows = [
        (f"`{row['candidate']}`", str(row["seeds"]), _gain(row), f"{row['points']:+.1f}")
        for row in sorted(own, key=lambda row: -row["gain"])
    ]
    return table(("policy", "seeds", GAIN, "accuracy (points)"), rows)


def _by_set(content: Content) -> dict[str, dict[str, dict[str, Any]]]:
    sets: dict[str, dict[str, dict[str, Any]]] = {}
    for row in content["rows"]:
        if row["domain"] == "image":
            sets.setdefault(row["set"], {})[row["candidate"]] = row
    return sets


def _gain(row: dict[str, Any]) -> str:
    error = f" ± {row['error']:.3f}" if row["error"] else ""
    return f"{row['gain']:+.3f}{error}"
