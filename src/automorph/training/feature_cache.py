"""Features on disk, each file named by all that decides its content."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from automorph.errors import DamagedError, DiskError
from automorph.files import cache_home, keep_recent, make_folder
from automorph.training.checkpoint import read_checkpoint, write_checkpoint
from automorph.training.linear_head import Features

MOST = 2 << 30
"""Bytes of all files together; the ones that were used least recently are deleted."""


def cached(content: dict[str, Any], make: Callable[[], Features]) -> Features:
    """Return the features that plain data describe: from disk, or made and written to it.

    A file that cannot be read is made again, and one that cannot be written is not kept.
    """
    text = json.dumps(content, sort_keys=True)
    folder = cache_home() / "features"
    path = folder / f"{blake2b(text.encode(), digest_size=16).hexdigest()}.safetensors"
    with suppress(DamagedError, TypeError):
        found = Features(**read_checkpoint(path)[0])
        with suppress(OSError):
            os.utime(path)
        return found
    made = make()
    with suppress(DiskError):
        make_folder(folder)
        write_checkpoint(path, asdict(made), content)
        keep_recent(folder, MOST)
    return made
