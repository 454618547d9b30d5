"""The command that runs, and its run folder: the same command always gets the same folder."""

from __future__ import annotations

import json
import re
import shlex
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automorph.experiments import ExternalTask
    from automorph.training import Task


_typed: list[str] = []
RANDOM = {"image": "random", "text": "random(space=texts-plain)"}
"""The random control of each domain."""


def remember(words: list[str]) -> None:
    """Store the command line that runs, for its report."""
    _typed[:] = words


def typed_words() -> list[str]:
    """Return the words of the command line that runs, without the program."""
    return list(_typed)


def command_words() -> str:
    """Return the command that runs, quoted for a shell."""
    return shlex.join(["automorph", *_typed])


def run_folder(verb: str, task: Task | ExternalTask, more: list[str] | None = None) -> Path:
    """Return ``runs/VERB-DATA-HASH``: the hash is over data, splits, model, recipe and ``more``.

    Of the user's own training, it is over the command and the files that it names.
    """
    from automorph.experiments import fingerprint

    content = json.dumps([fingerprint(task), more or []], sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    data = re.sub(r"[^a-z0-9]+", "-", task.name.lower()).strip("-")[-40:].strip("-")
    return Path("runs") / f"{verb}-{data}-{digest}"
