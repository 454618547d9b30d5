"""What an explanation predicted for labels, in words, to show beside what a person marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError, UsageError
from automorph.files import read_json

RECORD = "explain.json"


@dataclass(frozen=True)
class Risks:
    """The data that were explained, and a sentence by operation."""

    data: str
    sentences: Mapping[str, str]


def read_risks(path: Path) -> Risks:
    """Read the label risks of a run of ``automorph explain``: its folder, or its explain.json.

    Raises `UsageError` for anything else.
    """
    file = path / RECORD if path.is_dir() else path
    try:
        content = read_json(file)
        percent = content.get("target") != "values"
        return Risks(
            str(content["data"]),
            {row["name"]: _sentence(row, percent=percent) for row in content["operations"]},
        )
    except (FileNotFoundError, DamagedError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} has no result of automorph explain ({type(error).__name__}: "
            f"{str(error)[:120]}); expected its run folder, such as runs/explain-digits-1a2b3c4d, "
            f"or the {RECORD} in it"
        ) from None


def _sentence(row: Mapping[str, Any], *, percent: bool) -> str:
    """Return the label risk at the magnitudes that were explained.

    >>> row = {"sweep": [{"value": "±9 deg", "label_risk": 0.012}], "verdict": "keep",
    ...        "useful_value": "±9 deg"}
    >>> _sentence(row, percent=True)
    'Predicted label risk +1.2% at ±9 deg. Verdict: keep, useful to ±9 deg.'
    """
    points = []
    for point in row["sweep"]:
        risk = point["label_risk"]
        words = f"{round(100 * risk, 1) + 0.0:+.1f}%" if percent else f"{risk:+.2f}"
        points.append(f"{words} at {point['value']}" if point["value"] else words)
    useful = f", useful to {row['useful_value']}" if row["useful_value"] else ""
    return f"Predicted label risk {', '.join(points)}. Verdict: {row['verdict']}{useful}."
