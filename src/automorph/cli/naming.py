"""Names of run folders: the same command finds its own run again."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automorph.training import Task


def run_folder(verb: str, task: Task, more: list[str] | None = None) -> Path:
    """``runs/VERB-DATA-HASH``: the hash is over data, splits, model, recipe and ``more``."""
    from automorph.comparison import fingerprint

    content = json.dumps([fingerprint(task), more or []], sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    data = re.sub(r"[^a-z0-9]+", "-", task.data.name.lower()).strip("-")[-40:].strip("-")
    return Path("runs") / f"{verb}-{data}-{digest}"
