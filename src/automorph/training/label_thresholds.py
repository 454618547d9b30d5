"""The thresholds of labels that a training keeps with its weights."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError
from automorph.training.checkpoint import read_facts
from automorph.training.task import Task


def threshold_facts(task: Task, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """Return what a file of weights says about the thresholds of labels, if there are any."""
    names = task.data.predicted
    if task.data.target != "labels" or not all(name in thresholds for name in names):
        return {}
    return {"thresholds": [thresholds[name] for name in names]}


def thresholds_in(file: str | os.PathLike[str]) -> tuple[float, ...]:
    """Return the thresholds of the labels of a file of weights; empty if it has none.

    Raises `DamagedError` for thresholds that no training wrote.
    """
    facts = read_facts(Path(file))
    found = facts.get("thresholds", [])
    numbers = isinstance(found, list) and all(
        isinstance(one, int | float) and math.isfinite(one) for one in found
    )
    if not numbers or len(found) not in (0, len(facts["classes"])):
        raise DamagedError(
            f"{file} has the thresholds {found!r:.80}; expected a number for each of its "
            f"{len(facts['classes'])} labels. Train again"
        )
    return tuple(map(float, found))
