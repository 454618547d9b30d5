"""Class folders: PATH/cats/1.png, optionally below train, validation and test."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from automorph.data.images import HEIC, image_extensions
from automorph.data.readers.raw import RawData, Rows, part_of
from automorph.errors import DataError


def read_folder(path: str) -> RawData:
    """Read a folder with one sub-folder for each class, searched to any depth.

    Folders named ``train``, ``validation``/``valid``/``val``/``dev`` and ``test`` at the top are
    the parts. Only files with an image extension are read; others are counted in the notes. Hidden
    files and folders are skipped. The names of the examples are their paths.
    """
    root, name = Path(path).expanduser(), f"folder:{path}"
    parts, beside = parts_of(root, name)
    others: Counter[str] = Counter()
    rows = {part: _read_part(top, root, name, others) for top, part in parts.items()}
    notes = []
    if others:
        notes.append(ignored(others))
    if beside:
        notes.append(f"ignored folders that are not parts: {', '.join(beside)}")
    return RawData(name, "image", rows, notes=tuple(notes))


def parts_of(root: Path, name: str) -> tuple[dict[Path, str], list[str]]:
    """Return the part of each folder, and the names of folders that belong to no part.

    Raises DataError if there is no train part, or if two folders are the same part.
    """
    if not root.is_dir():
        what = "a file" if root.exists() else "not found"
        raise DataError(f"{name}: {what}. Expected a folder with one sub-folder for each class.")
    tops = folders_in(root)
    found = {top: part_of(top.name) for top in tops if top.name.isalpha()}
    parts = {top: part for top, part in found.items() if part and folders_in(top)}
    if not parts:
        return {root: "train"}, []
    if "train" not in parts.values():
        raise DataError(
            f"{name}: found the parts {', '.join(sorted(parts.values()))} but no train part. "
            "Expected a folder named train."
        )
    if len(set(parts.values())) < len(parts):
        raise DataError(
            f"{name}: two folders for one part: {', '.join(sorted(p.name for p in parts))}. "
            "Expected one each for train, validation and test."
        )
    return parts, [top.name for top in tops if top not in parts]


def classes_in(top: Path, name: str) -> list[Path]:
    """Return the class folders of a part. Raises DataError if there are none."""
    classes = folders_in(top)
    if not classes:
        inside = ", ".join(sorted(p.name for p in top.iterdir())[:5]) or "nothing"
        raise DataError(
            f"{name}: no class folders in {top} (it contains {inside}). Expected one sub-folder "
            "for each class, with its images inside."
        )
    return classes


def _read_part(top: Path, root: Path, name: str, others: Counter[str]) -> Rows:
    files: list[Path] = []
    labels: list[str] = []
    for folder in classes_in(top, name):
        images = images_in(folder, others, name)
        files += images
        labels += [folder.name] * len(images)
    return Rows(files, labels, [file.relative_to(root).as_posix() for file in files])


def images_in(folder: Path, others: Counter[str], name: str) -> list[Path]:
    """Return the images of a class, in order; count the extensions of other files in ``others``."""
    found = []
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _passed_over(name))
        for file in sorted(files):
            ending = os.path.splitext(file)[1].lower()
            if file.startswith("."):
                continue
            if ending in image_extensions():
                found.append(Path(directory, file))
            else:
                others[ending or "without any"] += 1
    if not found:
        raise DataError(
            f"{name}: the class folder {folder} contains no images. Expected files such as .png "
            f"or .jpg: add some, or remove the folder{_advice(others)}."
        )
    return sorted(found)


def folders_in(path: Path) -> list[Path]:
    """Return the sub-folders, in order, without hidden ones and ``__MACOSX``."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not _passed_over(p.name))


def ignored(others: Counter[str]) -> str:
    """Return a note on files that are not images, by extension."""
    kinds = ", ".join(f"{count:,} {ending}" for ending, count in others.most_common(5))
    return f"ignored files without an image extension: {kinds}{_advice(others)}"


def _advice(endings: Iterable[str]) -> str:
    """Return a remedy for image formats that are not supported."""
    return f". {HEIC}" if {".heic", ".heif"} & set(endings) else ""


def _passed_over(folder: str) -> bool:
    """Return whether to skip a folder: hidden, or added by macOS to archives."""
    return folder.startswith(".") or folder == "__MACOSX"
