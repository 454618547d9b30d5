"""Translated sets: made once, kept as memory-mapped bytes, tied to the images by their numbers."""

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
"""Images whose translations tell one translator from another."""


@dataclass(frozen=True, eq=False)
class Translated:
    """Every image of a part as it looks in every subgroup.

    ``images[z, i]``, uint8 ``(k, n, H, W, C)``, is image number i in subgroup ``subgroups[z]``,
    and ``changed[z, i]`` says whether a translator made it; where it could not, the image stands
    for itself. Rows are numbers of images, so that nothing can come out of step. ``key`` tells it
    from the set of any other translator or part.
    """

    images: Images
    changed: NDArray[np.bool_]
    subgroups: tuple[int, ...]
    key: str = ""

    def __getstate__(self) -> dict[str, Any]:
        # Another process maps the file; it need not be sent all bytes.
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
        """The renderings of some images, ``(k, rows, H, W, C)``."""
        return np.asarray(self.images[:, rows])


def translate_part(
    translator: Translator,
    part: Split,
    *,
    folder: Path | None = None,
    progress: Callable[[float], object] | None = None,
) -> Translated:
    """Translate all images of a part into all of its subgroups.

    With a ``folder`` the bytes of images lie there in an ``.npy`` file that is mapped, and are made
    only if they are not there yet; part and translator are told apart by what they hold and do.
    Texts stay in memory.
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
    for place, z in enumerate(subgroups):
        for start in starts:
            rows = np.arange(start, min(start + _CHUNK, len(part)))
            images[place, rows] = _translate(translator, part, rows, z, able[place, rows])
            if progress is not None:
                progress((place + (rows[-1] + 1) / len(part)) / len(subgroups))
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
        # Of texts the memory holds places, not letters.
        total.update("\n".join(made).encode() if made.dtype.kind == "T" else made.tobytes())
    return total.hexdigest()
