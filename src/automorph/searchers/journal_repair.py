"""The journal of a search after a kill or damage: what can be read of it is kept."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from datetime import datetime
from pathlib import Path

from automorph.files import atomic_write, disk_errors

STUDY = "search"
"""The name of the study in a journal."""
_BEGIN, _DECISION, _TRIAL = 0, 2, 4
"""Optuna's numbers of what a line holds."""


def cut(journal: Path) -> None:
    """Cut off the last lines that a killed process, or a full disk, left unfinished."""
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
    """Leave whole lines only: each is one finished trial, or one decision.

    Damaged lines are left out, with a warning; the file as it was is then kept beside, as
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
        f"{journal}: {len(lines) - len(good)} of {len(lines)} lines are damaged and were left "
        f"out; what they held is done again. The file as it was is {aside.name}",
        stacklevel=2,
    )


def _whole(line: bytes) -> bool:
    """Whether it is a line as Optuna writes it for a study, a decision or a finished trial."""
    try:
        said = json.loads(line)
        if not line.endswith(b"\n") or not isinstance(said, dict):
            return False
        kind = said["op_code"]
        if kind == _BEGIN:
            return bool(said["study_name"] == STUDY and said["directions"] == [2])
        if kind == _DECISION:
            return bool(said["study_id"] == 0 and len(said["user_attr"].keys()) == 1)
        if kind == _TRIAL:
            for name in ("datetime_start", "datetime_complete"):
                datetime.fromisoformat(said[name])
            plain = ("distributions", "params", "user_attrs", "system_attrs")
            value, several = said.get("value"), said.get("values")
            return bool(
                said["study_id"] == 0
                and said["state"] in (1, 3)
                and all(isinstance(said[name], dict) for name in plain)
                and not any(said[name] for name in ("distributions", "params", "system_attrs"))
                and said["intermediate_values"] == {}
                and (isinstance(value, float) if said["state"] == 1 else value is None)
                and several is None
            )
        return isinstance(kind, int) and 0 <= kind < 10
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
