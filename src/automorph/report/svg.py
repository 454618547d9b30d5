"""SVG drawing: elements, scales, axes. Colours come from the classes in ``style.css``.

Text stays text and every colour is a CSS class, so one drawing works in light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

SERIES = 10
"""Number of colours; 0 is neutral (the baseline), 1 is the accent (the winner)."""
WIDE, NARROW = 920, 360
"""Widths of the two drawings of a figure: for a wide column and for a phone."""


def is_wide(width: float) -> bool:
    """Return True if a drawing has room for names beside it."""
    return width >= (WIDE + NARROW) / 2


def tag(name: str, /, *children: str, **attributes: object) -> Markup:
    """Make an element; all attributes, and children that are not ``Markup``, are escaped.

    ``class_`` becomes ``class``, other underscores become hyphens, ``None`` is omitted.

    >>> str(tag("text", "a < b", x=1.0, class_="tick", text_anchor=None))
    '<text x="1" class="tick">a &lt; b</text>'
    """
    words = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(item))
        for key, item in attributes.items()
        if item is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    # Element names are never user input.
    shape = Markup(name)  # nosec B704
    return Markup("<{0}{1}>{2}</{0}>").format(shape, words, inside)


def drawing(width: float, height: float, children: Iterable[str], label: str) -> Markup:
    """Make a drawing that scales with its column; ``label`` is for screen readers."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        xmlns="http://www.w3.org/2000/svg",
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, words: str, class_: str, anchor: str | None = None) -> Markup:
    """Draw text at a point; ``anchor`` is start, middle or end."""
    return tag("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def path(points: Sequence[tuple[float, float]], class_: str, closed: bool = False) -> Markup:
    """Draw a polyline, or the area inside it if ``closed``."""
    steps = "L".join(f"{_value(x)} {_value(y)}" for x, y in points)
    return tag("path", d=f"M{steps}{'Z' if closed else ''}", class_=class_)


_MARKS = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
    "triangle": [(0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
    "wedge": [(0, 1.2), (1.15, -0.9), (-1.15, -0.9)],
}


def mark(x: float, y: float, colour: int, radius: float = 5.0) -> Markup:
    """Draw a point in a series' colour and shape, so that colour is never the only cue."""
    shape = ("circle", *_MARKS)[colour % (len(_MARKS) + 1)]
    class_ = f"mark {series(colour)}"
    if shape == "circle":
        return tag("circle", cx=x, cy=y, r=radius, class_=class_)
    return path([(x + radius * a, y + radius * b) for a, b in _MARKS[shape]], class_, closed=True)


def swatch(colour: int) -> Markup:
    """Draw a series' mark for running text, hidden from screen readers."""
    inside = mark(8, 8, colour, 5.5)
    return tag(
        "svg", inside, class_="swatch", viewBox="0 0 16 16", width=14, height=14, aria_hidden="true"
    )


def series(colour: int) -> str:
    """Return the CSS class of a series.

    >>> series(0), series(12)
    ('s0', 's3')
    """
    return f"s{colour if colour < SERIES else 1 + (colour - 1) % (SERIES - 1)}"


@dataclass(frozen=True)
class AxisScale:
    """A linear scale from numbers (``low`` to ``high``) to positions (``start`` to ``end``).

    >>> AxisScale(0, 10, 100, 200)(2.5)
    125.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the position of a number."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def span(values: Iterable[float], *, zero: bool = False, room: float = 0.06) -> tuple[float, float]:
    """Return the range to draw: slightly wider than the values, never empty.

    >>> span([1.0, 2.0], room=0.5)
    (0.5, 2.5)
    >>> span([])
    (0.0, 1.0)
    >>> low, high = span([80.0, 80.0 + 1e-12], room=0.5)  # Rounding is no difference.
    >>> round(low), round(high)
    (76, 84)
    """
    known = [float(value) for value in values if math.isfinite(value)]
    if zero:
        known.append(0.0)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    width = high - low
    if width <= 1e-9 * max(abs(low), abs(high)):  # Equal, but for the last digits.
        width = abs(high) * 0.1 or 1.0
    return low - room * width, high + room * width


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers within a range, in steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0.3, 9.2, 5)
    [2.0, 4.0, 6.0, 8.0]
    """
    rough = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * base for base in (1, 2, 5, 10) if power * base >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def tick_words(places: Sequence[float], sign: bool = False) -> list[str]:
    """Format tick labels, all with the decimals that their step needs.

    >>> tick_words([0.0, 0.5, 1.0]), tick_words([-1.0, 0.0, 1.0], sign=True)
    (['0.0', '0.5', '1.0'], ['−1', '0', '+1'])
    """
    step = abs(places[1] - places[0]) if len(places) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    words = []
    for place in places:
        prefix = "−" if place < 0 else "+" if sign and place > 0 else ""
        words.append(f"{prefix}{abs(place):.{decimals}f}")
    return words


def apart(heights: Sequence[float], gap: float, bottom: float) -> list[float]:
    """Move rising heights until they are a gap apart and, if possible, above the bottom.

    >>> apart([10.0, 12.0, 99.0], 18, 100)
    [10.0, 28.0, 99.0]
    >>> apart([90.0, 95.0], 18, 100)
    [82, 100]
    """
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    limit = bottom
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], limit)
        limit = placed[place] - gap
    return placed


def shorten(words: str, width: float, size: float = 13.0) -> str:
    """Shorten text to a width, cutting it in the middle if necessary.

    >>> shorten("randaugment(n=2,m=9)", 80)
    'randa…m=9)'
    """
    most = max(4, int(width / (0.58 * size)))
    if len(words) <= most:
        return words
    tail = (most - 1) // 2
    return f"{words[: most - 1 - tail]}…{words[-tail:]}"


def _value(item: object) -> str:
    if isinstance(item, float):
        return f"{item:.1f}".removesuffix(".0") if abs(item) >= 0.05 else "0"
    return str(item)
