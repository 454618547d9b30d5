"""Answers of a language model on disk, each found by all that decides it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

from automorph.files import disk_errors
from automorph.rewriting.client import Answer


def key_of(address: str | None, body: dict[str, Any]) -> str:
    """Return the key of a request: of its server's address and of its whole content."""
    content = json.dumps([address, body], sort_keys=True)
    return blake2b(content.encode(), digest_size=16).hexdigest()


class Answers:
    """A file of JSON lines, to which every answer is added as soon as it is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self.known: dict[str, Answer] = {}
        text = path.read_text("utf-8", errors="replace") if path.exists() else ""
        for line in text.splitlines():
            # A killed process may leave half a line, at the end or before what was added later.
            try:
                entry = json.loads(line)
                self.known.setdefault(entry.pop("key"), Answer(**entry))
            except (ValueError, TypeError, LookupError, AttributeError):
                continue
        self._whole = not text or text.endswith("\n")

    def add(self, key: str, answer: Answer) -> None:
        """Keep an answer: it is on the disk when this returns."""
        line = json.dumps({"key": key, **asdict(answer)}) + "\n"
        with self._lock, disk_errors(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(line if self._whole else "\n" + line)
            file.flush()
            os.fsync(file.fileno())
            self._whole = True
            self.known[key] = answer
