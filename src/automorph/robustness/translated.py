"""Translated examples: made once, stored as memory-mapped bytes, indexed like the images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import Split, allocate, finish, mapped
from automorph.robustness.translators.base import Images, Translator, known_of

_CHUNK = 1024
_PROBE = 64
"""Images whose translations identify a translator."""


@dataclass(frozen=True, eq=False)
class Translated:
    """Every image of a part as it looks in every subgroup.

    ``images[z, i]``, uint8 ``(k, n, H, W, C)``, is image i in subgroup ``subgroups[z]``, and
    ``changed[z, i]`` is True if a translator made it; if it could not, the original is used. Rows
    are image indices, so the two cannot get out of step. ``key`` identifies translator and part.
    """

    images: Images
    changed: NDArray[np.bool_]
    subgroups: tuple[int, ...]
    key: str = ""

    def __getstate__(self) -> dict[str, Any]:
        # Another process maps the file itself; do not send its bytes.
        state = dict(self.__dict__)
        if isinstance(self.images, np.memmap) and self.images.filename is not None:
            state["images"] = str(self.images.filename)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["images"], str):
            state["images"] = np.load(state["images"], mmap_mode="r", allow_pickle=False)
        self.__dict__.update(state)

    def __len__(self) -> int:
        return int(self.images.shape[1])

    def take(self, rows: NDArray[np.int64]) -> Images:
        """Return the renderings of some images, ``(k, rows, H, W, C)``."""
        return np.asarray(self.images[:, rows])


def translate_part(
    translator: Translator,
    part: Split,
    *,
    folder: Path | None = None,
    progress: Callable[[float], object] | None = None,
) -> Translated:
    """Translate all images of a part into all of its subgroups.

    With a ``folder``, images are stored there in a memory-mapped ``.npy`` file and made only if it
    is missing; its name identifies part and translator by their content and effect. Texts stay in
    memory.
    """
    known = known_of(part)
    subgroups = tuple(np.unique(known.subgroups).tolist())
    shape = (len(subgroups), *part.data.shape)
    able = np.array(
        [
            (known.subgroups == z) | np.isin(known.subgroups, _sources(translator, z))
            for z in subgroups
        ]
    )
    key = _key(translator, part)
    texts = part.domain == "text"
    file = None if folder is None or texts else folder / f"translated-{key}.npy"
    if file is not None and (kept := mapped(file)) is not None and kept.shape == shape:
        return Translated(kept, able, subgroups, key)
    images: Images = np.empty(shape, part.data.dtype) if file is None else allocate(file, shape)
    starts = range(0, len(part), _CHUNK)
    for number, z in enumerate(subgroups):
        for start in starts:
            rows = np.arange(start, min(start + _CHUNK, len(part)))
            images[number, rows] = _translate(translator, part, rows, z, able[number, rows])
            if progress is not None:
                progress((number + (rows[-1] + 1) / len(part)) / len(subgroups))
    if file is not None:
        images = finish(file, images)
    return Translated(images, able, subgroups, key)


def _translate(
    translator: Translator, part: Split, rows: NDArray[np.intp], z: int, able: NDArray[np.bool_]
) -> Images:
    images: Images = np.array(part.data[rows])
    chosen = rows[able]
    if len(chosen):
        known = known_of(part).rows(chosen)
        images[able] = translator.translate(part.data[chosen], z, known)
    return images


def _sources(translator: Translator, direction: int) -> list[int]:
    return [a for a, b in translator.directions if b == direction]


def _key(translator: Translator, part: Split) -> str:
    total = blake2b(f"{translator.name} {sorted(translator.directions)}".encode(), digest_size=8)
    known = known_of(part)
    total.update(part.digests.tobytes() + known.labels.tobytes() + known.subgroups.tobytes())
    rows = np.unique(np.linspace(0, len(part) - 1, _PROBE).astype(np.intp))
    for z in np.unique(known.subgroups).tolist():
        able = (known.subgroups[rows] == z) | np.isin(
            known.subgroups[rows], _sources(translator, z)
        )
        made = _translate(translator, part, rows, z, able)
        # The memory of string arrays holds addresses, not characters.
        total.update("\n".join(made).encode() if made.dtype.kind == "T" else made.tobytes())
    return total.hexdigest()
