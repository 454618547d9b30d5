"""Class folders: PATH/cats/1.png, optionally below train, validation and test."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from automorph.data.dicom import is_dicom
from automorph.data.image_opening import HEIC, image_extensions
from automorph.data.notes import Notes, shortened
from automorph.data.readers.hidden import hidden_images, passed_over
from automorph.data.readers.layout import (
    folders_in,
    images_in,
    layout_of,
    names_a_part,
    refuse_part_inside,
)
from automorph.data.readers.raw import RawData, Rows
from automorph.errors import DataError


def read_folder(path: str) -> RawData:
    """Read a folder with one sub-folder for each class, searched to any depth.

    Folders named ``train``, ``validation``/``valid``/``val``/``dev`` and ``test``, also such as
    ``training_set`` or ``test2017``, are the parts, above or below the classes. Only files with an
    image extension, and DICOM files (``.dcm``, ``.dicom``, or known by their first bytes), are
    read; others are counted in the notes. Hidden files and folders are skipped, links followed. The
    names of the examples are their paths.
    """
    root, name = Path(path).expanduser(), f"folder:{path}"
    notes = Notes()
    parts = layout_of(root, name, notes)
    found = ClassImages(root, name)
    rows = {}
    for part, folders in parts.items():
        files: list[Path] = []
        labels: list[str] = []
        for class_name, folder in folders:
            images = found.of(class_name, folder)
            files += images
            labels += [class_name] * len(images)
        rows[part] = Rows(files, labels, [file.relative_to(root).as_posix() for file in files])
    found.note(notes)
    return RawData(name, "image", rows, notes=notes.lines)


def read_images_of(path: str) -> RawData:
    """Read the images of a folder, at any depth, without labels; see `read_folder`.

    If folders at the top are parts, they are read as with labels, so that none is overlooked.
    """
    root, name = Path(path).expanduser(), f"folder:{path}"
    notes = Notes()
    if not root.is_dir():
        what = "a file" if root.exists() else "not found"
        raise DataError(f"{name}: {what}. Expected a folder of images.")
    if any(names_a_part(one.name) for one in folders_in(root)):
        return read_folder(path)
    found = ClassImages(root, name)
    files = found.of("unlabelled", root)
    if found.nested:
        notes.ignored("the names of sub-folders, which are no labels here", found.nested)
        found.nested.clear()
    found.note(notes)
    ids = [file.relative_to(root).as_posix() for file in files]
    rows = Rows(files, [None] * len(files), ids)
    return RawData(name, "image", {"train": rows}, notes=notes.lines)


def read_any_folder(path: str) -> RawData:
    """Read class folders with their labels, and images in any other arrangement without labels.

    Images that lie at the top belong to no class: then none has a label, and none is overlooked.
    """
    root = Path(path).expanduser()
    if not root.is_dir() or images_in(root):
        return read_images_of(path)
    try:
        return read_folder(path)
    except DataError:
        return read_images_of(path)


_MASK = re.compile(
    r"[ _-](mask|masks|seg|segmentation|annotation|groundtruth|gt)(_?[0-9]+)?$", re.I
)


class ClassImages:
    """Find the images of classes, and count what is not read."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self.others: Counter[str] = Counter()
        self.nested: list[str] = []
        self.loops: list[str] = []
        self.masks: list[str] = []
        self.hidden: list[str] = []

    def of(self, class_name: str, folder: Path) -> list[Path]:
        """Return the images of a class folder, in order.

        Linked folders are followed, each once. Raises DataError for a folder that cannot be
        listed, that holds a part, or without any image.
        """
        found: list[Path] = []
        # Links to what lies above would bring in other classes.
        seen = {_identity(one) for one in (*folder.absolute().parents, *folder.resolve().parents)}
        for directory, folders, files in os.walk(folder, onerror=self._refuse, followlinks=True):
            here = Path(directory)
            if (identity := _identity(here)) in seen:
                self.loops.append(here.relative_to(self.root).as_posix())
                folders.clear()
                continue
            seen.add(identity)
            if here.is_symlink():
                seen |= {_identity(one) for one in here.resolve().parents}
            kept = [name for name in folders if not passed_over(name)]
            folders[:] = sorted(kept, key=lambda name: ((here / name).is_symlink(), name))
            if part := next((name for name in folders if names_a_part(name)), None):
                refuse_part_inside(here / part, class_name, self.name)
            read = self._images(here, files)
            self.hidden += [
                (here / n).relative_to(self.root).as_posix() for n in hidden_images(here)
            ]
            stems = {file.stem for file in read}
            self.masks += [
                file.relative_to(self.root).as_posix()
                for file in read
                if (mark := _MASK.search(file.stem)) and file.stem[: mark.start()] in stems
            ]
            if read and here != folder:
                self.nested.append(here.relative_to(self.root).as_posix())
            found += read
        if not found:
            raise DataError(
                f"{self.name}: the class folder {folder} contains no images. Expected files such "
                f"as .png or .jpg: add some, or remove the folder{_advice(self.others)}."
            )
        return sorted(found)

    def note(self, notes: Notes) -> None:
        """Note what was not read, and folders that were read as one class."""
        if self.others:
            kinds = ", ".join(f"{count:,} {ending}" for ending, count in self.others.most_common(5))
            notes.ignored("files without an image extension", [kinds], advice=_advice(self.others))
        if self.nested:
            notes.add(f"sub-folders read with their class: {shortened(self.nested)}")
        if self.masks:
            notes.add(
                f"{len(self.masks):,} images are named like masks of others, but were read as "
                f"examples: {shortened(self.masks)}"
            )
        if self.hidden:
            notes.ignored("hidden images and folders of images", self.hidden)
        if self.loops:
            notes.ignored("links to folders that are read elsewhere", self.loops)

    def _images(self, folder: Path, files: list[str]) -> list[Path]:
        read = []
        for file in files:
            ending = os.path.splitext(file)[1].lower()
            if file.startswith("."):
                continue
            if ending in image_extensions() or is_dicom(folder / file):
                read.append(folder / file)
            else:
                self.others[ending or "without any"] += 1
        return read

    def _refuse(self, error: OSError) -> NoReturn:
        raise DataError(
            f"{self.name}: {error.filename} cannot be listed ({error.strerror}). Expected folders "
            "that you may read: change its permissions, or move it elsewhere."
        ) from error


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _advice(endings: Iterable[str]) -> str:
    """Return a remedy for image formats that are not supported."""
    return f". {HEIC}" if {".heic", ".heif"} & set(endings) else ""
