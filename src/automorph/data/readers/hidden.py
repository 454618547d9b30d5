"""Files and folders that are passed over in a source: hidden, or added by a system."""

from __future__ import annotations

import os
from pathlib import Path

from automorph.data.image_opening import image_extensions

# Added by systems to folders and archives: macOS, Synology, Linux, Windows.
_SYSTEM = frozenset(("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN"))


def passed_over(folder: str) -> bool:
    """Return whether to skip a folder: hidden, or added by a system."""
    return folder.startswith(".") or folder in _SYSTEM


def hidden_images(folder: Path) -> list[str]:
    """Return the hidden entries of a folder that are images or hold some, so that skipping matters.

    Checkpoints of notebooks, for example; not the shadows (``._1.png``) that macOS adds to files.
    """
    return sorted(
        entry.name for entry in folder.iterdir() if entry.name.startswith(".") and _images(entry)
    )


def _images(path: Path) -> bool:
    if path.is_dir():
        return any(_is_image(name) for _, _, files in os.walk(path) for name in files)
    return _is_image(path.name)


def _is_image(name: str) -> bool:
    shadow = name.startswith("._")
    return not shadow and os.path.splitext(name)[1].lower() in image_extensions()
