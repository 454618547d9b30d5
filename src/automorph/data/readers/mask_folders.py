"""Folders of images with a mask file for each: images/a.jpg and masks/a.png."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from automorph.data.image_opening import image_extensions
from automorph.data.notes import Notes
from automorph.data.readers.folders import read_images_of
from automorph.data.readers.hidden import passed_over
from automorph.data.readers.layout import folders_in, names_a_part
from automorph.data.readers.raw import RawData, Rows, words_of
from automorph.errors import DataError

_IMAGES = frozenset(("images", "image", "imgs", "img", "jpegimages", "photos", "pictures"))
_MASKS = frozenset(
    ("masks", "mask", "labels", "label", "annotations", "annotation", "segmentation",
     "segmentations", "groundtruth", "gt", "seg")
)  # fmt: skip
_ENDING = re.compile(
    r"[ _-](mask|masks|seg|segmentation|annotation|label|groundtruth|gt)$", re.IGNORECASE
)
_LAYOUT = (
    "a folder of images and one of masks with the same names (images/a.jpg and masks/a.png), "
    "alone or in folders train, validation and test, or masks beside the images (a_mask.png)"
)


def read_mask_folder(path: str, *, optional: bool = False) -> RawData:
    """Read a folder of images and masks, which are paired by their names.

    ``images/a.jpg`` belongs to ``masks/a.png`` (or ``masks/a_mask.png``), in parts
    ``train/images/a.jpg`` or ``images/train/a.jpg``; without such folders, ``a.jpg`` belongs to
    ``a_mask.png``. Images without a mask are rows that cannot be used, unless masks are
    ``optional``; a folder may then hold images alone.
    """
    root, name = Path(path).expanduser(), f"folder:{path}"
    if not root.is_dir():
        what = "a file" if root.exists() else "not found"
        raise DataError(f"{name}: {what}. Expected {_LAYOUT}.")
    notes = Notes()
    parts: dict[str, Rows] = {}
    unused: list[str] = []
    example = ""
    for part, (images, masks) in _parts(root, name).items():
        rows, left, shown = _paired(root, images, masks, optional=optional)
        if not rows.ids:
            raise DataError(
                f"{name}: no images in {images.relative_to(root).as_posix() or '.'}. Expected "
                f"{_LAYOUT}."
            )
        parts[part] = rows
        unused += left
        example = example or shown
    if not example and optional:
        return read_images_of(path)
    if not example:
        raise DataError(f"{name}: no image has a mask of its name. Expected {_LAYOUT}.")
    notes.add(f"masks are paired with images by their names: {example}")
    if unused:
        notes.ignored("masks without an image", unused)
    return RawData(name, "image", parts, notes=notes.lines)


def _parts(root: Path, name: str) -> dict[str, tuple[Path, Path]]:
    """Return the folders of images and of masks of every part."""
    pair = _pair(root)
    if pair is not None:
        inside = [
            {part: one for one in folders_in(folder) if (part := names_a_part(one.name))}
            for folder in pair
        ]
        if inside[0].keys() != inside[1].keys():
            raise DataError(
                f"{name}: {pair[0].name} has the parts {_listed(inside[0])}, but {pair[1].name} "
                f"has {_listed(inside[1])}. Expected the same parts in both."
            )
        found = {part: (inside[0][part], inside[1][part]) for part in inside[0]} or {"train": pair}
    else:
        tops = {part: one for one in folders_in(root) if (part := names_a_part(one.name))}
        found = {part: _pair(one) or (one, one) for part, one in tops.items()}
        found = found or {"train": (root, root)}
    if "train" not in found:
        raise DataError(
            f"{name}: found the parts {_listed(found)} but no train part. Expected a folder named "
            "train."
        )
    return {part: found[part] for part in ("train", "validation", "test") if part in found}


def _pair(folder: Path) -> tuple[Path, Path] | None:
    """Return the folders of images and of masks in a folder, if there is one of each."""
    kinds: dict[str, list[Path]] = defaultdict(list)
    for one in folders_in(folder):
        words = set(words_of(one.name))
        if words & _MASKS:
            kinds["masks"].append(one)
        elif words & _IMAGES:
            kinds["images"].append(one)
    if len(kinds["images"]) == len(kinds["masks"]) == 1:
        return kinds["images"][0], kinds["masks"][0]
    return None


def _paired(
    root: Path, images: Path, masks: Path, *, optional: bool
) -> tuple[Rows, list[str], str]:
    """Return the rows of a part, the masks without image, and a pair as an example."""
    together = images == masks
    found: dict[str, list[Path]] = defaultdict(list)
    for file in _files(masks):
        key = _key(file, masks)
        bare = _ENDING.sub("", key)
        if not together or bare != key:
            found[bare].append(file)
            if bare != key and not together:
                found[key].append(file)
    own = {file for files in found.values() for file in files} if together else set()
    pictures = [file for file in _files(images) if file not in own]
    chosen: list[Path | None] = []
    bad: dict[int, str] = {}
    for row, picture in enumerate(pictures):
        fitting = found.get(_key(picture, images), [])
        chosen.append(fitting[0] if len(fitting) == 1 else None)
        if len(fitting) > 1 or not (fitting or optional):
            shown = ", ".join(file.name for file in fitting[:3])
            bad[row] = f"several masks: {shown}" if fitting else "no mask of its name"
    used = {file for file in chosen if file is not None}
    every = {file for files in found.values() for file in files}
    left = sorted(file.relative_to(root).as_posix() for file in every - used)
    ids = [file.relative_to(root).as_posix() for file in pictures]
    example = next(
        (
            f"{i} and {m.relative_to(root).as_posix()}"
            for i, m in zip(ids, chosen, strict=True)
            if m
        ),
        "",
    )
    return Rows(pictures, chosen, ids, bad=bad), left, example


def _files(folder: Path) -> list[Path]:
    """Return the images in a folder at any depth, in order, without hidden ones."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in image_extensions()
        and not any(passed_over(part) for part in file.relative_to(folder).parts)
        and file.is_file()
    )


def _key(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _listed(parts: object) -> str:
    return ", ".join(map(str, parts)) if parts else "none"  # type: ignore[call-overload]
