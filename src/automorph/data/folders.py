"""Class folders: PATH/cats/1.png, with or without train, validation and test above."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from automorph.data.images import image_extensions
from automorph.data.rows import RawData, Rows, part_of
from automorph.errors import DataError


def read_folder(path: str) -> RawData:
    """Read a folder with one sub-folder for each class, searched to any depth.

    Folders named ``train``, ``validation``/``valid``/``val``/``dev`` and ``test`` at the top are
    the parts. Only files with an image's extension are taken; others are counted in the notes.
    Hidden files and folders are passed over. The names of the examples are their paths.
    """
    root = Path(path).expanduser()
    name = f"folder:{path}"
    if not root.is_dir():
        what = "a file" if root.exists() else "not there"
        raise DataError(f"{name}: {what}. Expected a folder with one sub-folder for each class.")
    tops = _folders(root)
    found = {top: part_of(top.name) for top in tops if top.name.isalpha()}
    parts = {top: part for top, part in found.items() if part and _folders(top)}
    if not parts:
        parts = {root: "train"}
    elif "train" not in parts.values():
        raise DataError(
            f"{name}: found the parts {', '.join(sorted(parts.values()))} and no train part. "
            "Expected a folder named train."
        )
    elif len(set(parts.values())) < len(parts):
        raise DataError(
            f"{name}: two folders for one part: {', '.join(sorted(p.name for p in parts))}. "
            "Expected one each for train, validation and test."
        )
    others: Counter[str] = Counter()
    rows = {part: _read_part(top, root, name, others) for top, part in parts.items()}
    notes = []
    if others:
        kinds = ", ".join(f"{count:,} {ending}" for ending, count in others.most_common(5))
        notes.append(f"files without an image's extension ignored: {kinds}")
    beside = [top.name for top in tops if top not in parts] if root not in parts else []
    if beside:
        notes.append(f"folders beside the parts ignored: {', '.join(beside)}")
    return RawData(name, "image", rows, notes=tuple(notes))


def _read_part(top: Path, root: Path, name: str, others: Counter[str]) -> Rows:
    classes = _folders(top)
    if not classes:
        inside = ", ".join(sorted(p.name for p in top.iterdir())[:5]) or "nothing"
        raise DataError(
            f"{name}: no class folders in {top} (it holds {inside}). Expected one sub-folder for "
            "each class, with its images inside."
        )
    files: list[Path] = []
    labels: list[str] = []
    for folder in classes:
        images = _images(folder, others)
        if not images:
            raise DataError(
                f"{name}: the class folder {folder} holds no images. Expected files such as .png "
                "or .jpg: add some, or remove the folder."
            )
        files += images
        labels += [folder.name] * len(images)
    return Rows(files, labels, [file.relative_to(root).as_posix() for file in files])


def _images(folder: Path, others: Counter[str]) -> list[Path]:
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            ending = os.path.splitext(file)[1].lower()
            if file.startswith("."):
                continue
            if ending in image_extensions():
                found.append(Path(place, file))
            else:
                others[ending or "without any"] += 1
    return sorted(found)


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
