"""Repair of a search journal after a kill or damage: every readable line is kept."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

from automorph.files import atomic_write, disk_errors

STUDY = "search"
"""Name of the study in a journal."""
_BEGIN, _DECISION, _TRIAL = 0, 2, 4
"""Optuna's operation codes: what a line holds."""


def cut(journal: Path) -> None:
    """Truncate the last lines that a killed process, or a full disk, left unfinished."""
    try:
        content = journal.read_bytes()
    except FileNotFoundError:
        return
    end = len(content)
    while end and not _finished(content[content.rfind(b"\n", 0, end - 1) + 1 : end]):
        end = content.rfind(b"\n", 0, end - 1) + 1
    if end < len(content):
        with disk_errors(journal):
            os.truncate(journal, end)


def _finished(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def mend(journal: Path) -> None:
    """Keep whole lines only: each is one finished trial, or one decision.

    Damaged lines are dropped, with a warning; the damaged file is kept beside the journal, as
    ``trials.journal.damaged``.
    """
    lines = journal.read_bytes().splitlines(keepends=True)
    good = [line for line in lines if _whole(line)]
    if not any(json.loads(line)["op_code"] == _BEGIN for line in good[:1]):
        begin = {"op_code": _BEGIN, "worker_id": "mended", "study_name": STUDY}
        good.insert(0, json.dumps({**begin, "directions": [2]}).encode() + b"\n")
    aside = journal.with_name(f"{journal.name}.damaged")
    with disk_errors(aside):
        shutil.copyfile(journal, aside)
    with atomic_write(journal) as temporary:
        temporary.write_bytes(b"".join(good))
    warnings.warn(
        f"{journal}: {len(lines) - len(good)} of {len(lines)} lines were damaged and have been "
        f"dropped; their trials will run again. The damaged file is kept as {aside.name}",
        stacklevel=2,
    )


def _whole(line: bytes) -> bool:
    """Return True for a line that Optuna writes for a study, a decision or a finished trial."""
    try:
        record = json.loads(line)
        if not line.endswith(b"\n") or not isinstance(record, dict):
            return False
        kind = record["op_code"]
        if kind == _BEGIN:
            return bool(record["study_name"] == STUDY and record["directions"] == [2])
        if kind == _DECISION:
            return bool(record["study_id"] == 0 and len(record["user_attr"].keys()) == 1)
        if kind == _TRIAL:
            for name in ("datetime_start", "datetime_complete"):
                datetime.fromisoformat(record[name])
            plain = ("distributions", "params", "user_attrs", "system_attrs")
            value, several = record.get("value"), record.get("values")
            return bool(
                record["study_id"] == 0
                and record["state"] in (1, 3)
                and all(isinstance(record[name], dict) for name in plain)
                and not record["system_attrs"]
                and _are_parameters(record["params"], record["distributions"])
                and record["intermediate_values"] == {}
                and (isinstance(value, float) if record["state"] == 1 else value is None)
                and several is None
            )
        return isinstance(kind, int) and 0 <= kind < 10
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _are_parameters(values: dict[str, Any], distributions: dict[str, Any]) -> bool:
    """Return True for parameters that Optuna can read: each value within its distribution."""
    from optuna.distributions import json_to_distribution

    return values.keys() == distributions.keys() and all(
        json_to_distribution(text)._contains(values[name]) for name, text in distributions.items()
    )
