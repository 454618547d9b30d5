"""Images that stay in their files and are decoded on demand, with random crops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.data.cut import Size, scale_for
from automorph.data.decoders import map_chunks
from automorph.data.deep_pixels import Window
from automorph.data.image_opening import BadImageError
from automorph.data.images import CHANNELS, Depth, Mode, depth_of, read_image
from automorph.data.resizing import COVER, Resizing
from automorph.errors import DataError
from automorph.operations import Stream

_CHUNK, _SAMPLE = 32, 16
TRIES = 10
"""Tries of a random crop, before the largest crop at the centre is taken."""
DRAWS = 4 * TRIES
_RATIO = (3 / 4, 4 / 3)
Inspected = tuple[bytes, str | None, Depth]
"""Of a file: the hash of its bytes, why it is no image (or None), and what its header says."""


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files that behave like an array uint8 ``(n, H, W, C)`` when rows are read.

    ``names`` are paths below ``root``, as ``StringDType`` ``(n,)``. Rows are scaled to cover
    ``size`` and cropped at the centre; with ``crop``, `drawn` cuts random regions of at least that
    share of the area, for training. ``window`` maps images of more than 8 bits, ``resizing`` says
    how images are scaled. ``decoders`` processes decode (0: threads of this one); their number does
    not affect results. Raises DataError for a file that cannot be decoded.
    """

    root: Path
    names: NDArray[Any]
    size: Size
    mode: Mode = "rgb"
    crop: float | None = None
    decoders: int = 0
    window: Window | None = None
    resizing: Resizing = COVER
    dtype: np.dtype[np.uint8] = field(default=np.dtype(np.uint8), init=False)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``(n, H, W, C)``."""
        return len(self), *self.size, CHANNELS[self.mode]

    def __getitem__(self, rows: Any) -> NDArray[np.uint8]:
        """Decode rows (a number, a slice, numbers or a mask)."""
        if isinstance(rows, int | np.integer):
            return np.asarray(self._decoded(np.array([rows]), None)[0])
        return self._decoded(np.arange(len(self))[rows], None)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Decode all rows into memory."""
        return np.asarray(self[:], dtype)

    def drawn(self, rows: NDArray[np.int64], stream: Stream) -> NDArray[np.uint8]:
        """Decode rows as training sees them: with random crops if ``crop`` is set."""
        return self._decoded(rows, None if self.crop is None else crop_draws(stream))

    def take(self, rows: ArrayLike) -> ImageFiles:
        """Return a subset of the rows; nothing is decoded."""
        return replace(self, names=self.names[np.asarray(rows)])

    def digests(self) -> NDArray[np.bytes_]:
        """Hash every file's bytes, reading it once: BLAKE2b, S16 ``(n,)``."""
        return np.array([digest for digest, _, _ in self.inspect()], "S16")

    def inspect(self) -> Iterator[Inspected]:
        """Read every file: yield the hash of its bytes, why it is not an image, and its depth."""
        paths = map_chunks(_inspect, self._chunks(np.arange(len(self)), 64), 0)
        for chunk in paths:
            yield from chunk

    def reduces(self, whole: Size) -> bool:
        """Return whether a JPEG file of this size (W, H) may be decoded smaller than it is."""
        return self.resizing.decode == "reduced" and (
            scale_for((0, 0, *whole) if self.crop else self.resizing.region(whole, self.size),
                      self.size) > 1
        )  # fmt: skip

    def describe(self) -> dict[str, Any]:
        """Return the options that decide how rows look, as plain data."""
        window = {} if self.window is None else {"window": list(asdict(self.window).values())}
        resizing = {} if self.resizing == COVER else {"resizing": self.resizing.to_dict()}
        return {"size": list(self.size), "mode": self.mode, "crop": self.crop, **window, **resizing}

    @cached_property
    def sample_hash(self) -> str:
        """Hash the decoded pixels of a few rows: another decoder may give other ones."""
        rows = np.unique(np.linspace(0, len(self) - 1, min(len(self), _SAMPLE)).round().astype(int))
        pixels = replace(self, decoders=0)[rows]
        return blake2b(pixels.tobytes(), digest_size=8).hexdigest()

    def _chunks(self, rows: NDArray[Any], size: int) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(rows), size):
            some = self.names[rows[start : start + size]]
            yield ([str(self.root / name) for name in some.tolist()],)

    def _decoded(self, rows: NDArray[Any], draws: NDArray[np.float32] | None) -> NDArray[np.uint8]:
        out = np.empty((len(rows), *self.shape[1:]), np.uint8)
        # Small batches are shared among the decoders too.
        each = max(1, min(_CHUNK, -(-len(rows) // max(1, self.decoders))))
        how = self.mode, self.size, self.crop, self.window, self.resizing
        jobs = (
            (paths, *how, _part(draws, number, each))
            for number, (paths,) in enumerate(self._chunks(rows, each))
        )
        start = 0
        for made in map_chunks(_decode, jobs, self.decoders):
            if isinstance(made, str):
                raise DataError(
                    f"{made}. Repair or remove that file, then run the same call again to continue."
                )
            out[start : start + len(made)] = made
            start += len(made)
        return out


def _part(draws: NDArray[np.float32] | None, number: int, each: int) -> list[list[float]] | None:
    return None if draws is None else draws[number * each : (number + 1) * each].tolist()


def _decode(
    paths: Sequence[str],
    mode: Mode,
    size: Size,
    crop: float | None,
    window: Window | None,
    resizing: Resizing,
    draws: Sequence[Sequence[float]] | None,
) -> NDArray[np.uint8] | str:
    """Return the images of a chunk, or the message of the first bad one."""
    out = np.empty((len(paths), *size, CHANNELS[mode]), np.uint8)
    for number, path in enumerate(paths):
        box = None
        if draws is not None and crop is not None:
            box = RandomCrop(crop, tuple(draws[number]))
        try:
            out[number] = read_image(
                Path(path), mode=mode, size=size, box=box, window=window, resizing=resizing
            )
        except BadImageError as error:
            return f"{path}: {error}"
    return out


def _inspect(paths: Sequence[str]) -> list[Inspected]:
    found: list[Inspected] = []
    for path in paths:
        try:
            content = Path(path).read_bytes()
            depth = depth_of(content)
        except (BadImageError, OSError) as error:
            found.append((b"", str(error), Depth(None)))
        else:
            found.append((blake2b(content, digest_size=16).digest(), None, depth))
    return found


def crop_draws(stream: Stream) -> NDArray[np.float32]:
    """Draw the random numbers of a batch's crops from their own stream: float32 ``(n, 40)``."""
    return stream.uniform("crop", DRAWS)


@dataclass(frozen=True)
class RandomCrop:
    """A random crop: a share of the area from ``min_area`` to 1, of a shape from 3:4 to 4:3.

    Szegedy et al., "Going deeper with convolutions" (CVPR 2015), section 6, with the ten tries of
    torchvision's ``RandomResizedCrop``; then the largest crop at the centre within those shapes.

    >>> RandomCrop(0.5, (0.0,) * 40)((40, 30))
    (0, 0, 28, 21)
    """

    min_area: float
    draws: tuple[float, ...]

    def __call__(self, size: Size) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the crop in an image of this height and width."""
        height, width = size
        low, high = (math.log(ratio) for ratio in _RATIO)
        for k in range(TRIES):
            a, r, y, x = self.draws[4 * k : 4 * k + 4]
            area = height * width * (self.min_area + (1 - self.min_area) * a)
            ratio = math.exp(low + (high - low) * r)
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return int(y * (height - h + 1)), int(x * (width - w + 1)), h, w
        ratio = min(max(width / height, _RATIO[0]), _RATIO[1])
        w, h = min(width, round(height * ratio)), min(height, round(width / ratio))
        w, h = max(1, w), max(1, h)
        return (height - h) // 2, (width - w) // 2, h, w
