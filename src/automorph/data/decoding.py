"""Many images decoded to one array, in threads; all bad images are collected."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from automorph.bars import progress_bar, watched
from automorph.data.cache import Store
from automorph.data.deep_pixels import FULL, Window
from automorph.data.image_opening import BadImageError, strict_pillow
from automorph.data.images import Mode, NoWindowError, Size, image_size, read_with_remarks
from automorph.data.notes import shortened
from automorph.data.resizing import COVER, Resizing
from automorph.errors import DataError

T = TypeVar("T")
_Result = tuple[NDArray[np.uint8], str] | str
"""Pixels and a remark, or the reason why there are none."""

GREY = "grey among images in colour, so its values are repeated in all channels"
_PROBE, _CHUNK = 16, 64
# Below this many pixels the interpreter dominates, and threads only add cost.
_THREADS_PAY = 96 * 96


@dataclass(frozen=True)
class Decoded:
    """Images uint8 (m, H, W, C), the reasons of bad rows, and remarks on good ones, by position."""

    images: NDArray[np.uint8]
    bad: dict[int, str]
    remarks: dict[int, str]


def read_images(
    sources: Sequence[Any],
    *,
    mode: Mode | None = None,
    size: Size | None = None,
    cache: Path | None = None,
) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Read images into one uint8 array (m, H, W, C) of the m good ones, in their order.

    Sources, ``mode`` and ``size`` are those of :func:`automorph.data.images.read_image`. Without
    ``mode``, C is 1 when all are grey and 3 otherwise (grey ones are repeated). Returns the array
    and the bad rows: position to reason. With ``cache`` (a folder) the array is a read-only memory
    map, which the next call with the same sources reuses. Raises DataError when the sizes differ
    and ``size`` is None.

    >>> images, bad = read_images([np.zeros((2, 2), np.uint8), b"", np.ones((2, 2), np.uint8)])
    >>> images.shape, bad
    ((2, 2, 2, 1), {1: 'zero bytes'})
    """
    decoded = decode_images(sources, mode=mode, size=size, cache=cache)
    return decoded.images, decoded.bad


def decode_images(
    sources: Sequence[Any],
    *,
    mode: Mode | None = None,
    size: Size | None = None,
    cache: Path | None = None,
    choose: Callable[[], Window] = lambda: FULL,
    resizing: Resizing = COVER,
) -> Decoded:
    """Read images like `read_images`, with remarks on what was guessed.

    ``choose`` is called once, if an image has more than 8 bits, for the window of all of them.
    """
    how = _How(mode, size, None, resizing)
    try:
        return _decode(sources, how, cache)
    except NoWindowError:
        with strict_pillow():
            window = choose()
        return _decode(sources, replace(how, window=window), cache)


def remark_notes(remarks: Iterable[tuple[str, str]]) -> list[str]:
    """Return one note for each kind of remark: how many images, and the first names.

    >>> remark_notes([("a.png", "odd"), ("b.png", "odd")])
    ['2 images: odd (a.png, b.png)']
    """
    names: dict[str, list[str]] = {}
    for name, remark in remarks:
        names.setdefault(remark, []).append(name)
    return [
        f"{len(found):,} image{'s' if len(found) > 1 else ''}: {remark} ({shortened(found)})"
        for remark, found in names.items()
    ]


@dataclass(frozen=True)
class _How:
    """How every image is read; see `read_with_remarks`."""

    mode: Mode | None
    size: Size | None
    window: Window | None
    resizing: Resizing

    @property
    def key(self) -> tuple[object, ...]:
        """What names a cache: that of images without a window or a resizing is older than both."""
        window = () if self.window is None else (self.window,)
        return self.mode, self.size, *window, *(() if self.resizing == COVER else (self.resizing,))

    def read(self, source: Any) -> _Result:
        """Return pixels and a remark, or the reason why there are none."""
        try:
            return read_with_remarks(
                source, mode=self.mode, size=self.size, window=self.window, resizing=self.resizing
            )
        except NoWindowError:
            raise
        except BadImageError as error:
            return str(error)


def _decode(sources: Sequence[Any], how: _How, cache: Path | None) -> Decoded:
    if cache is None:
        found = _stack(sources, how, lambda shape: np.zeros(shape, np.uint8))
    else:
        store = Store.of(cache, sources, *how.key)
        loaded, remarks = store.load(), store.load_remarks()
        if loaded is not None and remarks is not None:
            found = Decoded(*loaded, remarks)
        else:
            try:
                made = _stack(sources, how, store.allocate)
                store.save_remarks(made.remarks)
                found = Decoded(store.save(made.images, made.bad), made.bad, made.remarks)
            except BaseException:
                store.discard()
                raise
    return replace(found, images=found.images[: len(sources) - len(found.bad)])


def _stack(
    sources: Sequence[Any],
    how: _How,
    allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]],
) -> Decoded:
    """Read into an array with room for all sources; the good images come first."""
    images: NDArray[np.uint8] | None = None
    bad: dict[int, str] = {}
    remarks: dict[int, str] = {}
    grey_rows: list[int] = []
    n = 0
    with strict_pillow(), closing(_read_all(sources, how)) as results:
        for row, result in enumerate(progress(results, len(sources), "Reading images")):
            if isinstance(result, str):
                bad[row] = result
                continue
            pixels, remark = result
            if remark:
                remarks[row] = remark
            if images is None:
                images = allocate((len(sources), *pixels.shape))
            if pixels.shape[:2] != images.shape[1:3]:
                raise _sizes_differ(sources)
            if pixels.shape[2] > images.shape[3]:  # the first colour image after grey ones
                grey = images[:n].copy()
                images = allocate((len(sources), *pixels.shape))
                images[:n] = grey
            if pixels.shape[2] == 1:
                grey_rows.append(row)
            images[n] = pixels
            n += 1
    if images is None:
        images = allocate((len(sources), 1, 1, 1))
    if images.shape[3] > 1:
        for row in grey_rows:
            remarks[row] = "; ".join(filter(None, (remarks.get(row), GREY)))
    return Decoded(images, bad, remarks)


def progress(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Iterate over items; long work shows a bar, on a terminal or in a notebook."""
    if total < 2000 or not watched():
        yield from items
        return
    from rich.console import Console

    with progress_bar(Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, facts="")
        for number, item in enumerate(items, 1):
            yield item
            bar.update(task, completed=number, facts=f"{number:,} of {total:,}")


def _read_all(sources: Sequence[Any], how: _How) -> Generator[_Result]:
    """Read in order; yield the reason in place of each bad image."""
    read = how.read
    probe = [read(source) for source in sources[:_PROBE]]
    yield from probe
    shapes = [result[0].shape for result in probe if not isinstance(result, str)]
    large = max((height * width for height, width, _ in shapes), default=0)
    rest = range(_PROBE, len(sources), _CHUNK)
    if large < _THREADS_PAY or not rest:
        yield from map(read, sources[_PROBE:])
        return
    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        for chunk in pool.map(lambda at: list(map(read, sources[at : at + _CHUNK])), rest):
            yield from chunk
    finally:
        pool.shutdown(cancel_futures=True)


def _sizes_differ(sources: Sequence[Any]) -> DataError:
    counts: Counter[Size] = Counter()
    for source in progress(sources, len(sources), "Counting sizes"):
        try:
            counts[image_size(source)] += 1
        except BadImageError:
            continue
    common = counts.most_common(5)
    listed = ", ".join(f"{h}x{w} ({count:,})" for (h, w), count in common)
    more = f" and {len(counts) - len(common)} more" if len(counts) > len(common) else ""
    return DataError(
        f"the images have {len(counts)} different sizes (height x width): {listed}{more}. "
        "Expected one size. Set it with size=(H, W) (--size): every image is then scaled to cover "
        "that size and centre-cropped."
    )
