"""Comparisons of version 0.1: a file per training, beside ``task.json``. They are only read."""

from __future__ import annotations

import json
import math
import re
from hashlib import blake2b
from pathlib import Path
from typing import Any

from automorph.errors import DamagedError
from automorph.experiments.full_training import CURVES, FullTraining
from automorph.experiments.job import JobResult, plain_treatment
from automorph.files import read_json
from automorph.training import Units, unpacked


def cell_path(folder: Path, job: FullTraining) -> Path:
    """Return the file of a finished training, named by policy, a hash of the policy, and seed."""
    content = json.dumps(plain_treatment(job.policy), sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    words = re.sub(r"[^a-z0-9]+", "-", job.policy.name.lower()).strip("-")[:40]
    return folder / "cells" / f"{words}-{digest}-seed{job.seed}.json"


def read_cell(folder: Path, job: FullTraining) -> JobResult | None:
    """Return the result of a training that version 0.1 finished; None if missing or damaged."""
    try:
        content = read_json(cell_path(folder, job))
    except (OSError, DamagedError):
        return None
    if not _is_cell(content):
        return None
    score, units = content.get("validation_accuracy"), content["units"]
    facts = {name: content.get(name) for name in ("test_accuracy", "curves", "predictions")}
    return JobResult(
        math.nan if score is None else score, Units(units["forward"], units["backward"]),
        content["seconds"], facts,
    )  # fmt: skip


def _is_cell(content: dict[str, Any]) -> bool:
    """Return True if the content has everything that tables and reports need."""
    units, curves = content.get("units"), content.get("curves")
    return (
        _is_share(content.get("test_accuracy"))
        and (
            content.get("validation_accuracy") is None or _is_share(content["validation_accuracy"])
        )
        and _is_number(content.get("seconds"))
        and isinstance(units, dict)
        and all(isinstance(units.get(way), int) for way in ("forward", "backward"))
        and isinstance(curves, dict)
        and all(isinstance(curves.get(name), list) for name in CURVES)
        and _are_predictions(content.get("predictions"))
    )


def _are_predictions(value: Any) -> bool:
    """Return True for readable predictions, and for None, as in cells of older versions."""
    try:
        return value is None or unpacked(value) is not None
    except (TypeError, ValueError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1
