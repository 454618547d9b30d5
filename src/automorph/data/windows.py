"""One window for all images of more than 8 bits in a data set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from automorph.data.deep_pixels import FULL, OWN, DeepImage, Window
from automorph.data.image_opening import BadImageError
from automorph.data.images import Depth, deep_image, depth_of
from automorph.data.window_record import WindowRecord
from automorph.errors import DataError, UsageError

WindowChoice = tuple[float, float] | Literal["percentiles", "voi"] | None
"""``(low, high)``, ``"percentiles"``, ``"voi"`` (each DICOM file's own), or None: see below."""

LOW, HIGH = 0.1, 99.9
"""The percentiles that become black and white."""
_WORDS = ("percentiles", "voi")
_MOST_IMAGES, _MOST_VALUES = 1000, 8_000_000
_BINS = 60


def check_choice(choice: WindowChoice) -> None:
    """Raise UsageError if ``choice`` is no window."""
    if choice is None or choice in _WORDS:
        return
    if (
        not isinstance(choice, tuple | list)
        or len(choice) != 2
        or not all(isinstance(value, int | float) for value in choice)
        or not -math.inf < choice[0] < choice[1] < math.inf
    ):
        raise UsageError(
            f"window={choice!r}: expected two numbers, the lower one first, such as (0, 4095), or "
            "'percentiles' or 'voi'."
        )


def choose_window(
    name: str,
    sources: Sequence[Any],
    ids: Sequence[str],
    training: NDArray[np.intp],
    choice: WindowChoice,
) -> tuple[Window, WindowRecord]:
    """Choose the window of a data set some of whose images have more than 8 bits.

    ``sources`` are all images, ``ids`` their names, ``training`` the positions of training images.
    A window that is not given is

    - the whole range of 16 bits, if other images have 8 bits (DICOM values and 32-bit pixels are
      then refused when they are read);
    - else the window that the DICOM files state, if all state the same one;
    - else the percentiles 0.1 and 99.9 of the values of up to 1,000 training images, spread evenly.
      Labels, and the images of the other parts, play no role.

    Raises DataError if no window fits all images.
    """
    depths = [_depth(source) for source in sources]
    kinds = Counter(depth.kind for depth in depths if depth is not None)
    _check_kinds(name, depths, ids, kinds, choice)
    own = {depth.own for depth in depths if depth is not None and depth.kind is not None}
    rows = [row for row in training.tolist() if _is_deep(depths[row])]
    values, sampled, inverted = _sample(
        sources, rows or [row for row, depth in enumerate(depths) if _is_deep(depth)]
    )
    window: Window | None
    if choice == "voi":
        window, how = OWN, f"the window that each DICOM file states{_first_of(depths)}"
    elif choice is not None and choice != "percentiles":
        window, how = Window(float(choice[0]), float(choice[1])), "as given (window)"
    elif kinds[None]:
        window = FULL
        how = f"the whole range of 16 bits, since {kinds[None]:,} other images have 8 bits"
    elif choice is None and len(own) == 1 and None not in own:
        window = next(iter(own))
        how = f"the window that all DICOM files state{_first_of(depths)}"
    else:
        window = _percentiles(values)
        how = f"percentiles {LOW:g} and {HIGH:g} of {sampled:,} training images"
        if len(own - {None}) and choice is None:
            how += (
                f" (the {len(own - {None}):,} different windows that files state are not used; "
                "window='voi' uses each file's own)"
            )
    assert window is not None
    if 0 < inverted < sampled:
        how += f"; {inverted:,} of {sampled:,} files are MONOCHROME1 and inverted after the window"
    return window, _record(window, how, sum(map(_is_deep, depths)), values, sampled)


def _first_of(depths: Sequence[Depth | None]) -> str:
    """Say that the first window is taken, if files state several."""
    several = [depth.stated for depth in depths if depth is not None and depth.stated > 1]
    return f" (the first one: {len(several):,} files state several)" if several else ""


def _check_kinds(
    name: str,
    depths: Sequence[Depth | None],
    ids: Sequence[str],
    kinds: Counter[str | None],
    choice: WindowChoice,
) -> None:
    """Refuse kinds of values that do not fit together, with an example of each."""
    # Without a choice, the values of a few odd files among 8-bit images are refused one by one.
    if len(kinds) < 2 or (choice is None and kinds[None]):
        return
    if kinds[None] == 0 and choice not in (None, *_WORDS):
        return  # The user knows that the window fits all.
    first = {depth.kind: row for row, depth in reversed(list(enumerate(depths))) if depth}
    shown = ", ".join(
        f"{count:,} with {kind or '8-bit'} values such as {ids[first[kind]]}"
        for kind, count in kinds.most_common()
        if count
    )
    remedy = (
        "convert the images to one depth, or separate them"
        if kinds[None]
        else "give a window that fits all, window=(LOW, HIGH) (--window LOW,HIGH), or separate them"
    )
    raise DataError(
        f"{name}: the images have values of different kinds: {shown}. Expected one kind, so that "
        f"one window fits all: {remedy}."
    )


def _percentiles(values: NDArray[np.float64]) -> Window:
    if not len(values):
        return Window(0.0, 1.0)
    low, high = (float(value) for value in np.percentile(values, (LOW, HIGH)))
    if low == high:  # Nearly all values are equal, as in a mask.
        low, high = float(values.min()), float(values.max())
    if (values == np.floor(values)).all():
        low, high = math.floor(low), math.ceil(high)
    return Window(low, high if high > low else low + 1)


def _is_deep(depth: Depth | None) -> bool:
    return depth is not None and depth.kind is not None


def _depth(source: Any) -> Depth | None:
    try:
        return depth_of(source)
    except BadImageError:
        return None  # It is reported when it is decoded.


def _sample(sources: Sequence[Any], rows: Sequence[int]) -> tuple[NDArray[np.float64], int, int]:
    """Return values of up to 1,000 images, spread evenly over rows and pixels.

    Also the number of the images, and how many of them are inverted.
    """
    take = sorted({round(at) for at in np.linspace(0, len(rows) - 1, min(len(rows), _MOST_IMAGES))})
    each = _MOST_VALUES // max(1, len(take))
    values: list[NDArray[Any]] = []
    inverted = 0
    for at in take:
        try:
            image = deep_image(sources[rows[at]])
        except BadImageError:
            continue
        if image is not None:
            values.append(_spread(_counted(image), each))
            inverted += image.inverted
    whole = np.concatenate(values) if values else np.zeros(0)
    return whole.astype(np.float64), len(values), inverted


def _counted(image: DeepImage) -> NDArray[Any]:
    """Return the values that say something: finite, and not padding."""
    values = image.values.reshape(-1)
    keep = np.isfinite(values)
    if image.padding is not None:
        low, high = image.padding
        keep &= (values < low) | (values > high)
    return values if keep.all() else values[keep]


def _spread(values: NDArray[Any], most: int) -> NDArray[Any]:
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(np.intp)]


def _record(
    window: Window, how: str, images: int, values: NDArray[np.float64], sampled: int
) -> WindowRecord:
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if not len(values):
        low, high = 0.0, 1.0
    own = window == OWN
    if not own:  # A few outliers must not squeeze everything else into one bar.
        room = (window.high - window.low) / 2
        low, high = max(low, window.low - room), min(high, window.high + room)
    if not low < high:
        low, high = low - 0.5, low + 0.5
    counts, _ = np.histogram(values, _BINS, (low, high))
    n = max(1, len(values))
    return WindowRecord(
        None if own else window.low,
        None if own else window.high,
        how,
        images,
        sampled,
        0.0 if own else float((values < window.low).sum() / n),
        0.0 if own else float((values > window.high).sum() / n),
        tuple(int(count) for count in counts),
        low,
        high,
    )
