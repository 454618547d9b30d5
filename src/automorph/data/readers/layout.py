"""The layout of a folder of images: which folders are parts, and which are classes.

Only layouts with one plausible reading are read; of the others, the error names both readings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from automorph.data.image_opening import image_extensions
from automorph.data.notes import Notes, shortened
from automorph.data.readers.hidden import hidden_images, passed_over
from automorph.data.readers.raw import PART_WORDS, part_of, words_of
from automorph.errors import DataError

ClassFolders = list[tuple[str, Path]]
"""The class and the folder of its images, in order."""

# Words that say nothing about what the images show.
_FILLERS = frozenset(
    ("set", "data", "dataset", "images", "image", "imgs", "img", "pictures", "photos", "pics",
     "split", "part", "folder", "files")
)  # fmt: skip
_TABLES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
_PLAIN = frozenset(PART_WORDS)


def layout_of(root: Path, name: str, notes: Notes) -> dict[str, ClassFolders]:
    """Return the class folders of every part: ``train`` alone where no folder is a part.

    Parts lie above the classes (``train/cats``) or below them (``cats/train``). A single folder
    around everything is passed through. Raises DataError for a layout without classes, without
    train part, or with two readings.
    """
    if not root.is_dir():
        what = "a file" if root.exists() else "not found"
        raise DataError(f"{name}: {what}. Expected a folder with one sub-folder for each class.")
    top = _inner(root, notes)
    parts = _parts_above(top, name, notes)
    if parts is None:
        parts = _parts_below(top, name, notes)
    classes = [folder for folders in parts.values() for _, folder in folders]
    for above in dict.fromkeys([top, *(folder.parent for folder in classes)]):
        _note_loose(above, notes)
    return parts


def folders_in(path: Path) -> list[Path]:
    """Return the sub-folders, in order, without hidden ones and those added by systems."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not passed_over(p.name))


def names_a_part(folder: str) -> str | None:
    """Return the part that a folder is, if its name says nothing else.

    >>> names_a_part("training_set"), names_a_part("test2017"), names_a_part("test_tubes")
    ('train', 'test', None)
    """
    mark = _marked(folder)
    return mark.part if mark and not mark.rest else None


@dataclass(frozen=True)
class _Mark:
    """The part that a folder's name contains, and the words beside it."""

    part: str
    rest: str


def _marked(folder: str) -> _Mark | None:
    if (part := part_of(folder)) is None:
        return None
    rest = " ".join(
        word for word in words_of(folder) if word not in PART_WORDS and word not in _FILLERS
    )
    return _Mark(part, rest)


def _inner(root: Path, notes: Notes) -> Path:
    """Pass through folders that hold nothing but one folder with several others."""
    top = root
    while len(only := folders_in(top)) == 1 and not images_in(top):
        if names_a_part(only[0].name):
            break
        top = only[0]
    if top == root or not only or images_in(top):
        return root
    notes.add(f"read from the only folder inside: {top.relative_to(root).as_posix()}")
    return top


def _parts_above(top: Path, name: str, notes: Notes) -> dict[str, ClassFolders] | None:
    """Return the classes of the folders that are parts; None if there are no such folders."""
    tops = folders_in(top)
    marks = {folder: mark for folder in tops if (mark := _marked(folder.name))}
    parts = {folder: mark.part for folder, mark in marks.items() if not mark.rest}
    if not parts:
        parts = _same_rest(marks, name)
    if not parts:
        if marks:
            shown = shortened([repr(folder.name) for folder in marks])
            notes.add(f"folders named like parts are classes: {shown}")
        return None
    others = [folder.name for folder in tops if folder not in parts]
    full = {folder: part for folder, part in parts.items() if folders_in(folder)}
    if not full:
        _two_readings(
            name,
            f"{_listed(parts)} are parts, without the class folders that parts need",
            f"{_listed(parts)} are classes" + (f", like {shortened(others)}" if others else ""),
            "move the images of each class to a folder such as train/cats, or rename folders that "
            "are classes",
        )
    if "train" not in full.values():
        hint = f" or move the classes {shortened(others)} to a folder train" if others else ""
        raise DataError(
            f"{name}: found the parts {', '.join(sorted(set(full.values())))} but no train part. "
            f"Expected a folder named train with one sub-folder for each class: add it{hint}."
        )
    if len(set(full.values())) < len(full):
        raise DataError(
            f"{name}: two folders for one part: {', '.join(sorted(p.name for p in full))}. "
            "Expected one each for train, validation and test."
        )
    if any(folder.name.lower() not in _PLAIN for folder in full):
        read = [f"{folder.name} is the {part} part" for folder, part in full.items()]
        notes.add(f"folders read as parts by their names: {', '.join(read)}")
    if flat := [folder.name for folder in parts if folder not in full]:
        notes.ignored("folders of parts without class folders", flat)
    if others:
        notes.ignored("folders that are not parts", others)
    found: dict[str, ClassFolders] = {}
    for folder, part in sorted(full.items(), key=lambda item: item[1] != "train"):
        inside = _classes_of_part(folder, found.get("train"), notes)
        found[part] = [(one.name, one) for one in inside]
    return {part: found[part] for part in full.values()}


def _same_rest(marks: Mapping[Path, _Mark], name: str) -> dict[Path, str]:
    """Return folders such as ``seg_train`` and ``seg_test`` as parts; refuse parts by class."""
    alike: dict[str, dict[Path, str]] = defaultdict(dict)
    for folder, mark in marks.items():
        alike[mark.rest][folder] = mark.part
    several = {rest: found for rest, found in alike.items() if len(set(found.values())) > 1}
    if len(several) == 1:
        return several.popitem()[1]
    if several:
        _two_readings(
            name,
            f"{_listed(marks)} are parts of the classes {shortened(sorted(several))}",
            f"{_listed(marks)} are {len(marks)} classes",
            "move the images to folders such as train/cats and test/cats, or rename the classes",
        )
    return {}


def _classes_of_part(folder: Path, train: ClassFolders | None, notes: Notes) -> list[Path]:
    """Return the class folders of a part, also of ``seg_train/seg_train/CLASS``."""
    inside = folders_in(folder)
    while len(inside) == 1 and not images_in(inside[0]) and len(folders_in(inside[0])) > 1:
        if train is not None and inside[0].name in {one for one, _ in train}:
            break
        notes.add(f"classes read from the only folder inside: {folder.name}/{inside[0].name}")
        inside = folders_in(inside[0])
    return inside


def _parts_below(top: Path, name: str, notes: Notes) -> dict[str, ClassFolders]:
    """Return the parts inside the class folders, or all classes as the train part."""
    classes = folders_in(top)
    if not classes:
        names = sorted(p.name for p in top.iterdir())
        inside = ", ".join(names[:5]) or "nothing"
        raise DataError(
            f"{name}: no class folders in {top} (it contains {inside}). Expected one sub-folder "
            f"for each class, with its images inside{_table_hint(top, names)}."
        )
    subs = {one: folders_in(one) for one in classes}
    below = {
        one: [part for sub in found if (part := names_a_part(sub.name))]
        for one, found in subs.items()
    }
    if not any(below.values()):
        _note_same_folders(subs, notes)
        return {"train": [(one.name, one) for one in classes]}
    regular = all(
        "train" in below[one]
        and len(subs[one]) == len(below[one]) == len(set(below[one]))
        and not images_in(one)
        for one in classes
    )
    if not regular:
        odd = next(sub for one in classes for sub in subs[one] if names_a_part(sub.name))
        refuse_part_inside(odd, odd.parent.name, name)
    found: dict[str, ClassFolders] = defaultdict(list)
    for one in classes:
        for sub, part in zip(subs[one], below[one], strict=True):
            found[part].append((one.name, sub))
    order = [part for part in ("train", "validation", "test") if part in found]
    shown = shortened([sub.relative_to(top).as_posix() for one in classes for sub in subs[one]])
    notes.add(f"parts read inside the classes: {shown}")
    return {part: found[part] for part in order}


def _note_same_folders(subs: Mapping[Path, list[Path]], notes: Notes) -> None:
    """Note classes with the same sub-folders: these may be the classes, and those the parts."""
    inside = [[sub.name for sub in found] for found in subs.values()]
    if len(inside) > 1 and len(inside[0]) > 1 and all(names == inside[0] for names in inside):
        notes.add(
            f"classes are {_listed(subs)}, each with the sub-folders {shortened(inside[0])}; if "
            "these are the classes, name the folders above train, validation and test"
        )


def refuse_part_inside(folder: Path, of: str, name: str) -> NoReturn:
    """Refuse a folder named like a part among the images of a class."""
    _two_readings(
        name,
        f"{folder} is the {names_a_part(folder.name)} part of the class {of!r}",
        f"its images are examples of {of!r} like all others",
        "give every class the same folders (cats/train, cats/test, dogs/train, dogs/test), or "
        "put the parts on top (train/cats, test/cats), or rename the folder",
    )


def _two_readings(name: str, first: str, second: str, remedy: str) -> NoReturn:
    raise DataError(
        f"{name}: the folders can be read in two ways: either {first}; or {second}. Expected a "
        f"layout with one reading: {remedy}."
    )


def _table_hint(folder: Path, names: Iterable[str]) -> str:
    """Return how to read a table of the images, if there is one."""
    for name in names:
        if kind := _TABLES.get(Path(name).suffix.lower()):
            return f"; for the table of images and labels, write {kind}:{folder / name}"
    return ""


def _note_loose(folder: Path, notes: Notes) -> None:
    """Note what lies beside the folders and belongs to no class."""
    if loose := images_in(folder):
        notes.ignored(f"images outside the class folders ({len(loose):,})", loose)
    if hidden := hidden_images(folder):
        notes.ignored("hidden images and folders of images", hidden)
    broken = sorted(p.name for p in folder.iterdir() if p.is_symlink() and not p.exists())
    if broken:
        notes.ignored("links that lead nowhere", broken)


def images_in(folder: Path) -> list[str]:
    """Return the names of the images in a folder itself, in order, without hidden ones."""
    return sorted(
        p.name
        for p in folder.iterdir()
        if p.suffix.lower() in image_extensions() and not p.name.startswith(".") and p.is_file()
    )


def _listed(folders: Iterable[Path]) -> str:
    return shortened([folder.name for folder in folders], shown=4)
