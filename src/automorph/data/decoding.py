"""Many images decoded to one array, in threads; all bad images are collected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from automorph.bars import progress_bar, watched
from automorph.data.cache import Store
from automorph.data.cut import Size
from automorph.data.decoded_cache import Kept, digest_of
from automorph.data.decoders import map_chunks
from automorph.data.deep_pixels import FULL, Window
from automorph.data.dicom import is_dicom
from automorph.data.image_opening import BadImageError, content_of, strict_pillow
from automorph.data.images import Mode, NoWindowError, Read, image_size, read_with_remarks
from automorph.data.notes import shortened
from automorph.data.resizing import COVER, Resizing
from automorph.errors import DataError
from automorph.processes import usable_cores

T = TypeVar("T")
_Result = tuple[Read | str, bytes]
"""What was read, or the reason why nothing was; and the hash of the source, if it is wanted."""

GREY = "grey among images in colour, so its values are repeated in all channels"
_PROBE, _CHUNK = 16, 32
_THREADS_PAY = 96 * 96
"""Pixels of a source below which the interpreter dominates, and threads only add cost."""


@dataclass(frozen=True)
class Decoded:
    """Images uint8 (m, H, W, C), the reasons of bad rows, and remarks on good ones, by position.

    ``reduced``: whether a JPEG file was decoded smaller than it is.
    """

    images: NDArray[np.uint8]
    bad: dict[int, str]
    remarks: dict[int, str]
    reduced: bool = False


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
    keep: bool = False,
) -> Decoded:
    """Read images like `read_images`, with remarks on what was guessed.

    ``choose`` is called once, if an image has more than 8 bits, for the window of all of them.
    ``keep``: without ``cache``, images of 8 bits are kept for the next command (see `Kept`).
    """
    how = _How(mode, size, None, resizing)
    try:
        return _decode(sources, how, cache, keep=keep)
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

    def read(self, source: Any) -> Read | str:
        """Return pixels and a remark, or the reason why there are none."""
        try:
            return read_with_remarks(
                source, mode=self.mode, size=self.size, window=self.window, resizing=self.resizing
            )
        except NoWindowError:
            raise
        except BadImageError as error:
            return str(error)

    def read_all(self, sources: Sequence[Any], hashing: bool) -> list[_Result]:
        """Read some sources, each from the disk once."""
        found: list[_Result] = []
        for source in sources:
            try:
                content = source if is_dicom(source) else content_of(source)
            except BadImageError as error:
                found.append((str(error), b""))
                continue
            digest = digest_of(content) if hashing else b""
            found.append((self.read(content), digest))
        return found


def _decode(
    sources: Sequence[Any], how: _How, cache: Path | None, *, keep: bool = False
) -> Decoded:
    if cache is None:
        kept = Kept.of(sources, how.key) if keep else None
        found = None if kept is None else kept.load(sources)
        if found is not None:
            return Decoded(*found)
        digests: list[bytes] | None = None if kept is None else []
        made = _cropped(_stack(sources, how, lambda s: np.zeros(s, np.uint8), digests), sources)
        if kept is not None and digests is not None:
            kept.save(digests, made.images, made.bad, made.remarks, reduced=made.reduced)
        return made
    store = Store.of(cache, sources, *how.key)
    loaded, told = store.load(), store.load_remarks()
    if loaded is not None and told is not None:
        return _cropped(Decoded(*loaded, *told), sources)
    try:
        made = _stack(sources, how, store.allocate)
        store.save_remarks(made.remarks, reduced=made.reduced)
        return _cropped(replace(made, images=store.save(made.images, made.bad)), sources)
    except BaseException:
        store.discard()
        raise


def _cropped(found: Decoded, sources: Sequence[Any]) -> Decoded:
    """Leave out the room at the end for bad images."""
    return replace(found, images=found.images[: len(sources) - len(found.bad)])


def _stack(
    sources: Sequence[Any],
    how: _How,
    allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]],
    digests: list[bytes] | None = None,
) -> Decoded:
    """Read into an array with room for all sources; the good images come first.

    The hashes of the sources are appended to ``digests``.
    """
    images: NDArray[np.uint8] | None = None
    bad: dict[int, str] = {}
    remarks: dict[int, str] = {}
    grey_rows: list[int] = []
    n, reduced = 0, False
    with strict_pillow(), closing(_read_all(sources, how, digests is not None)) as results:
        for row, (result, digest) in enumerate(progress(results, len(sources), "Reading images")):
            if digests is not None:
                digests.append(digest)
            if isinstance(result, str):
                bad[row] = result
                continue
            pixels = result.pixels
            reduced |= result.scale > 1
            if result.remark:
                remarks[row] = result.remark
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
    return Decoded(images, bad, remarks, reduced)


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


def _read_all(sources: Sequence[Any], how: _How, hashing: bool) -> Generator[_Result]:
    """Read in order; yield the reason in place of each bad image."""
    chunks = (sources[at : at + _CHUNK] for at in range(0, len(sources), _CHUNK))
    if usable_cores() > 1 and len(sources) > _CHUNK and _are_large(sources[:_PROBE]):
        parts: Iterable[list[_Result]] = map_chunks(how.read_all, ((c, hashing) for c in chunks), 0)
    else:
        parts = (how.read_all(chunk, hashing) for chunk in chunks)
    for part in parts:
        yield from part


def _are_large(sources: Sequence[Any]) -> bool:
    """Return whether threads pay for sources like these, by their headers."""
    for source in sources:
        try:
            height, width = image_size(source)
        except BadImageError:
            continue
        if height * width >= _THREADS_PAY:
            return True
    return False


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
