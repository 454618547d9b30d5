"""Names of run folders: the same command finds its own run again."""

from __future__ import annotations

import json
import re
import shlex
import sys
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automorph.training import Task


_OF_DATA = ("--image", "--text", "--label", "--subgroup", "--size", "--limit", "--leakage",
            "--crop", "--decoders", "--cache")  # fmt: skip


def data_words(source: str) -> str:
    """DATA with the options that say how it is read, as they were typed for this command."""
    words, typed = [source], sys.argv[1:]
    for number, word in enumerate(typed):
        option, _, value = word.partition("=")
        if word == "--on-demand":
            words.append(word)
        elif option in _OF_DATA:
            words += [word] if value else typed[number : number + 2]
    return " ".join(map(shlex.quote, words))


def run_folder(verb: str, task: Task, more: list[str] | None = None) -> Path:
    """``runs/VERB-DATA-HASH``: the hash is over data, splits, model, recipe and ``more``."""
    from automorph.comparison import fingerprint

    content = json.dumps([fingerprint(task), more or []], sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    data = re.sub(r"[^a-z0-9]+", "-", task.data.name.lower()).strip("-")[-40:].strip("-")
    return Path("runs") / f"{verb}-{data}-{digest}"
