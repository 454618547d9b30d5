"""Many images decoded to one array, in threads; all bad images are collected."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from automorph.data.cache import Store
from automorph.data.image_opening import BadImageError, strict_pillow
from automorph.data.images import Mode, Size, image_size, read_image
from automorph.errors import DataError

T = TypeVar("T")

_PROBE, _CHUNK = 16, 64
# Below this many pixels the interpreter dominates, and threads only add cost.
_THREADS_PAY = 96 * 96


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
    if cache is None:
        images, bad = _stack(sources, mode, size, lambda shape: np.zeros(shape, np.uint8))
        return images[: len(sources) - len(bad)], bad
    store = Store.of(cache, sources, mode, size)
    if (found := store.load()) is None:
        try:
            images, bad = _stack(sources, mode, size, store.allocate)
            found = store.save(images, bad), bad
        except BaseException:
            store.discard()
            raise
    return found[0][: len(sources) - len(found[1])], found[1]


def _stack(
    sources: Sequence[Any],
    mode: Mode | None,
    size: Size | None,
    allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]],
) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Read into an array with room for all sources; the good images come first."""
    images: NDArray[np.uint8] | None = None
    bad: dict[int, str] = {}
    n = 0
    with strict_pillow(), closing(_read_all(sources, mode, size)) as results:
        for row, pixels in enumerate(progress(results, len(sources), "Reading images")):
            if isinstance(pixels, str):
                bad[row] = pixels
                continue
            if images is None:
                images = allocate((len(sources), *pixels.shape))
            if pixels.shape[:2] != images.shape[1:3]:
                raise _sizes_differ(sources)
            if pixels.shape[2] > images.shape[3]:  # the first colour image after grey ones
                grey = images[:n].copy()
                images = allocate((len(sources), *pixels.shape))
                images[:n] = grey
            images[n] = pixels
            n += 1
    return allocate((len(sources), 1, 1, 1)) if images is None else images, bad


def progress(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Iterate over items; long work shows a bar on standard error, if that is a terminal."""
    if total < 2000 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(items, title, total=total, console=console, transient=True)


def _read_all(
    sources: Sequence[Any], mode: Mode | None, size: Size | None
) -> Generator[NDArray[np.uint8] | str]:
    """Read in order; yield the reason in place of each bad image."""
    read = partial(_pixels_or_reason, mode=mode, size=size)
    probe = [read(source) for source in sources[:_PROBE]]
    yield from probe
    large = max((p.shape[0] * p.shape[1] for p in probe if not isinstance(p, str)), default=0)
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


def _pixels_or_reason(
    source: Any, *, mode: Mode | None, size: Size | None
) -> NDArray[np.uint8] | str:
    try:
        return read_image(source, mode=mode, size=size)
    except BadImageError as error:
        return str(error)


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
