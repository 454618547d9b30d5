"""Predicted masks: files of class numbers, and a table with the share of each class."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from automorph.data import IGNORE
from automorph.errors import UsageError
from automorph.files import disk_errors, make_folder
from automorph.inference.predictions import TABLE_ENDINGS, Predictions, check_new_file
from automorph.metrics import Scorer

_UNSAFE = re.compile(r'[<>:"|?*\\\x00-\x1f]')


@dataclass(frozen=True, eq=False, repr=False)
class MaskPredictions(Predictions):
    """Predicted masks uint8 ``(n, H, W)``: positions in ``classes``.

    ``probabilities`` float64 ``(n, k)`` are the shares of the classes among the pixels. ``labels``
    uint8 ``(n, H, W)`` are the true masks, 255 where they are unknown or ignored.
    """

    kind: ClassVar[str] = "masks"
    shown: ClassVar[tuple[str, ...]] = ("mean-iou", "dice", "pixel-accuracy")

    def __repr__(self) -> str:
        return f"MaskPredictions({len(self):,} of {len(self.classes)} classes)"

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the mask of each example is known, ``(n,)``."""
        return np.asarray((self.labels != IGNORE).any(axis=(1, 2)))

    @property
    def decisions(self) -> NDArray[Any]:
        """The predicted masks, ``(n, H, W)``."""
        return self.predictions

    @property
    def accuracy(self) -> float | None:
        """The share of right pixels; None without known masks."""
        return self.figures.get("pixel accuracy")

    def _value(self, scorer: Scorer, labels: NDArray[Any]) -> float:
        return scorer.of_decisions(labels, self.predictions[self.known])

    @cached_property
    def mask_names(self) -> tuple[str, ...]:
        """The name of each example's file: its path or number, with the ending ``.png``."""
        seen: Counter[str] = Counter()
        found = []
        several = len(set(self.part_names)) > 1
        for name, part in zip(self.examples, self.part_names, strict=True):
            steps = [s for s in Path(_UNSAFE.sub("_", name)).parts if s not in ("/", "..")]
            numbered = several and name.isdigit()
            file = Path(*([part] if numbered else []), *(steps or ["mask"]))
            stem = file.with_suffix("") if file.suffix and not name.endswith("]") else file
            seen[stem.as_posix().casefold()] += 1  # Some file systems know no case.
            again = seen[stem.as_posix().casefold()]
            found.append(f"{stem.as_posix()}{'' if again == 1 else f'-{again}'}.png")
        return tuple(found)

    def columns(self) -> dict[str, Sequence[Any]]:
        """Return the table by column.

        ``example``, ``part`` (of data with several), ``mask`` (the file), ``subgroup`` (where
        known), ``share_CLASS`` of the pixels, and where masks are known ``true_share_CLASS`` and
        ``right``, the share of right pixels.
        """
        table: dict[str, Sequence[Any]] = {"example": self.examples}
        if len(set(self.part_names)) > 1:
            table["part"] = self.part_names
        table["mask"] = self.mask_names
        if any(self.subgroups):
            table["subgroup"] = self.subgroups
        for number, name in enumerate(self.classes):
            table[f"share_{name}"] = self.probabilities[:, number].tolist()
        if self.known.any():
            known = self.labels != IGNORE
            pixels = known.sum(axis=(1, 2))
            for number, name in enumerate(self.classes):
                count = (self.labels == number).sum(axis=(1, 2))
                table[f"true_share_{name}"] = _shares(count, pixels)
            right = ((self.labels == self.predictions) & known).sum(axis=(1, 2))
            table["right"] = _shares(right, pixels)
        return table

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table to a new file, and the masks to the new folder ``NAME-masks`` beside it.

        Masks are grey PNG files whose pixels are class numbers. The folder and the table are each
        written as a whole, the table last. Raises `UsageError` if one of them exists.
        """
        file = check_new_file(path, TABLE_ENDINGS)
        folder = check_new_masks(file)
        make_folder(file.parent)
        with disk_errors(folder), tempfile.TemporaryDirectory(
            prefix=f".{folder.name}-", dir=file.parent
        ) as temporary:  # fmt: skip
            inside = Path(temporary) / folder.name
            for name, mask in zip(self.mask_names, self.predictions, strict=True):
                target = inside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.asarray(mask, np.uint8)).save(target)
            inside.mkdir(exist_ok=True)
            inside.rename(folder)
        return super().save(file)


def masks_beside(table: str | os.PathLike[str]) -> Path:
    """Return the folder of masks that belongs to a table.

    >>> masks_beside("out/new.csv").as_posix()
    'out/new-masks'
    """
    file = Path(table).expanduser()
    return file.with_name(f"{file.stem}-masks")


def check_new_masks(table: str | os.PathLike[str]) -> Path:
    """Return the folder of masks beside a table. Raises `UsageError` if it exists."""
    folder = masks_beside(table)
    if folder.exists():
        raise UsageError(
            f"{folder} exists and is not overwritten; expected a new folder of masks beside the "
            "table: choose another name with --out, or delete that folder"
        )
    return folder


def class_shares(masks: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """Return the share of each class among the pixels of each mask ``(n, k)``.

    >>> class_shares(np.uint8([[[0, 1], [1, 1]]]), 2)
    array([[0.25, 0.75]])
    """
    counts = [np.bincount(mask.ravel(), minlength=classes) for mask in masks]
    return np.asarray(np.stack(counts) / masks[0].size, np.float64)


def _shares(count: NDArray[Any], pixels: NDArray[Any]) -> list[float | None]:
    """Return shares of pixels; None, an empty cell, where no pixel is known."""
    return [int(c) / int(p) if p else None for c, p in zip(count, pixels, strict=True)]
