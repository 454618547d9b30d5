"""Near-duplicates: examples of two parts that show or say the same, though not in equal bytes."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from automorph.data.dataset import Dataset, Split
from automorph.data.notes import Notes, shortened

SMALLEST = 32
"""Images with a shorter side show too little for two alike to be suspicious: digits, letters."""
_THUMBNAIL, _DETAIL = 16, 32
_ALIKE, _ALIKE_IN_DETAIL = 0.97, 0.85
_MOST_PAIRS, _MOST_ROWS = 50_000_000, 2000
_FLAT = 2.0  # levels: below this deviation an image shows nothing
_START = "near-duplicates: "


def with_near_duplicates(dataset: Dataset) -> Dataset:
    """Return the data set with a note on near-duplicates across parts, if there are any.

    Unlabelled examples are compared with the validation and test parts.

    - Images: those of at least 32 pixels whose thumbnails of 16 x 16 levels correlate by 0.97 and
      whose edges at 32 x 32 correlate by 0.85: the same picture in another encoding, size or
      brightness, or slightly shifted. Crops and mirror images are not found.
    - Texts: those that differ only in case, spaces and punctuation.

    Of large parts, up to 2,000 examples are compared with all of the other part. Images that are
    decoded on demand are not compared. Nothing is dropped, and no split depends on the result.
    """
    notes = Notes(dataset.notes)
    notes.remove(_START)  # of a call before the parts were complete
    pairs = [*combinations(dataset.parts, 2)]
    if dataset.unlabelled is not None:
        pairs += [("unlabelled", name) for name in dataset.parts if name != "train"]
    for left, right in pairs:
        if (note := near_duplicates_note(dataset, left, right)) is not None:
            notes.add(note)
    return dataset.replace(notes=notes.lines)


def near_duplicates_note(dataset: Dataset, left: str, right: str) -> str | None:
    """Return the note on the examples of a part that are like some of another, or None.

    ``left`` may also be ``unlabelled``.
    """
    first = dataset.unlabelled if left == "unlabelled" else dataset.parts[left]
    assert first is not None
    second = dataset.parts[right]
    rows = _checked_rows(first, second)
    find = _similar_texts if dataset.domain == "text" else _similar_images
    pairs = [] if first.on_demand or second.on_demand else find(first, second, rows)
    different = [(a, b) for a, b in pairs if first.digests[a] != second.digests[b]]
    if not different:
        return None
    shown = shortened([f"{second.names[b]} ~ {first.names[a]}" for a, b in different])
    return (
        f"{_START}{len(different):,} of {len(rows):,} {right} {dataset.domain}s "
        f"{'compared ' if len(rows) < len(second) else ''}look like one of {left} ({shown}), so "
        "accuracies may be too high; remove copies, or keep related rows together "
        "(keep_together=COLUMN, --keep-together)"
    )


def _checked_rows(first: Split, second: Split) -> NDArray[np.intp]:
    most = len(second)
    if first.domain == "image":
        most = min(most, _MOST_ROWS, max(1, _MOST_PAIRS // max(1, len(first))))
    return np.unique(np.linspace(0, len(second) - 1, most).round().astype(np.intp))


def _similar_texts(first: Split, second: Split, rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    known: dict[str, int] = {}
    for row, text in enumerate(first.data):
        known.setdefault(_plain(str(text)), row)
    known.pop("", None)
    found = ((known.get(_plain(str(second.data[row]))), int(row)) for row in rows)
    return [(a, b) for a, b in found if a is not None]


def _plain(text: str) -> str:
    """Return the words of a text alone.

    >>> _plain("Good,  GOOD film!")
    'good good film'
    """
    return " ".join(re.findall(r"\w+", text.casefold()))


def _similar_images(first: Split, second: Split, rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    if min(first.data.shape[1:3]) < SMALLEST:
        return []
    left, right = _thumbnails(first.data), _thumbnails(second.data, rows)
    best, match = np.full(len(rows), -1.0, np.float32), np.zeros(len(rows), np.intp)
    for start in range(0, len(left), 4096):
        likeness = right @ left[start : start + 4096].T
        at = likeness.argmax(axis=1)
        value = likeness[np.arange(len(rows)), at]
        better = value > best
        best[better], match[better] = value[better], at[better] + start
    pairs = []
    for number in np.flatnonzero(best >= _ALIKE).tolist():
        a, b = int(match[number]), int(rows[number])
        if float(_edges(first.data[a]) @ _edges(second.data[b])) >= _ALIKE_IN_DETAIL:
            pairs.append((a, b))
    return pairs


def _thumbnails(
    images: NDArray[np.uint8], rows: NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    """Return small grey copies as unit vectors ``(n, 256)``; zeros for flat images."""
    chosen = np.arange(len(images)) if rows is None else rows
    made = np.empty((len(chosen), _THUMBNAIL**2), np.float32)
    for start in range(0, len(chosen), 1024):
        some = images[chosen[start : start + 1024]]
        made[start : start + 1024] = _pooled(some, _THUMBNAIL).reshape(len(some), -1)
    made -= made.mean(axis=1, keepdims=True)
    length = np.linalg.norm(made, axis=1, keepdims=True)
    return np.where(length < _FLAT * _THUMBNAIL, 0, made / np.maximum(length, 1)).astype(np.float32)


def _pooled(images: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Average one channel (green, or the only one) over a grid of side x side fields."""
    channel = images[..., min(1, images.shape[3] - 1)]
    sums = channel
    for axis in (1, 2):
        edges = np.arange(side) * channel.shape[axis] // side
        sums = np.add.reduceat(sums, edges, axis=axis, dtype=np.uint32)
    sizes = [np.diff(np.arange(side + 1) * length // side) for length in channel.shape[1:]]
    pooled: NDArray[np.float32] = (sums / np.outer(*sizes)).astype(np.float32)
    return pooled


def _edges(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the differences between neighbouring fields as a unit vector."""
    small = _pooled(image[None], _DETAIL)[0]
    both = np.concatenate([np.diff(small, axis=0).reshape(-1), np.diff(small, axis=1).reshape(-1)])
    return (both / max(float(np.linalg.norm(both)), 1e-6)).astype(np.float32)
