"""Figures with one row per policy, class or group: pure functions from numbers to SVG.

Every figure is drawn for a given width, because text that is scaled down becomes unreadable: a page
holds one drawing for wide columns and one for phones (`svg.WIDE`, `svg.NARROW`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from automorph.report import svg
from automorph.report.svg import AxisScale


def colours(names: Iterable[str], *, baseline: str | None, winner: str | None) -> dict[str, int]:
    """Assign one colour per policy for the whole page: 0 to the baseline, 1 to the winner.

    >>> colours(["none", "random", "trivial"], baseline="none", winner="trivial")
    {'none': 0, 'random': 2, 'trivial': 1}
    """
    named = list(dict.fromkeys(names))
    others = [name for name in named if name not in (baseline, winner)]
    places = {name: 2 + place for place, name in enumerate(others)}
    return {
        name: 0 if name == baseline else 1 if name == winner else places[name] for name in named
    }


@dataclass(frozen=True)
class FigureRow:
    """One row: a value, its interval, the single results behind it, and its text."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    dots: Sequence[float] = ()
    colour: int = 0
    words: str = ""


def dots(rows: Sequence[FigureRow], *, width: int, axis: str, label: str = "") -> Markup:
    """Draw each result as a dot, with mean and interval on top.

    The dots of all rows are paired (the same seed); thin lines join each pair, and parallel lines
    mean that the seeds agree about the difference.
    """
    return _chart(rows, width=width, axis=axis, label=label, shapes=_dots, paired=True)


def differences(rows: Sequence[FigureRow], *, width: int, axis: str, label: str = "") -> Markup:
    """Draw differences with their intervals against a line at zero."""
    return _chart(rows, width=width, axis=axis, label=label, shapes=_interval, zero=True)


def bars(rows: Sequence[FigureRow], *, width: int, axis: str, label: str = "") -> Markup:
    """Draw bars from zero, to the left if negative, with whiskers for intervals."""
    return _chart(rows, width=width, axis=axis, label=label, shapes=_bar, zero=True)


def _chart(
    rows: Sequence[FigureRow],
    *,
    width: int,
    axis: str,
    label: str,
    shapes: Callable[[FigureRow, AxisScale, float], list[Markup]],
    zero: bool = False,
    paired: bool = False,
) -> Markup:
    wide = svg.is_wide(width)
    step = 40.0 if wide else 54.0
    names = min(0.34 * width, 34 + max((7.8 * len(row.label) for row in rows), default=0.0))
    numbers = 20 + max((7.8 * len(row.words) for row in rows), default=0.0)
    left, right = (names, width - numbers) if wide else (10.0, width - 10.0)
    extent = [
        number
        for row in rows
        for number in (row.value, row.low, row.high, *row.dots)
        if number is not None
    ]
    low, high = svg.span(extent, zero=zero)
    # Bars of shares are not differences and need no sign.
    signed = zero and (shapes is not _bar or min(extent, default=0.0) < 0)
    scale = AxisScale(low, high, left, right)
    bottom = 6 + step * len(rows)
    heights = [6 + step * (place + (0.5 if wide else 0.72)) for place in range(len(rows))]

    children: list[Markup] = []
    places = svg.ticks(low, high, 7 if wide else 4)
    for place, words in zip(places, svg.tick_words(places, sign=signed), strict=True):
        line = "zero" if zero and place == 0 else "grid"
        children.append(svg.line(scale(place), 2, scale(place), bottom, line))
        children.append(svg.text(scale(place), bottom + 18, words, "tick", "middle"))
    children.append(svg.text((left + right) / 2, bottom + 40, axis, "axis", "middle"))
    marked = len({row.colour for row in rows}) > 1
    indent = 20.0 if marked else 0.0
    if paired:
        children += _pairs(rows, scale, heights)
    for row, y in zip(rows, heights, strict=True):
        beside = y if wide else y - 21
        name = svg.shorten(row.label, (names if wide else width - numbers) - 34)
        if marked:
            children.append(svg.mark(7, beside, row.colour, 4.5))
        children.append(svg.text(indent, beside + 4.5, name, "name"))
        children.append(svg.text(width, beside + 4.5, row.words, "number", "end"))
        title = svg.tag("title", f"{row.label}: {row.words}" if row.words else row.label)
        children.append(svg.tag("g", title, *shapes(row, scale, y)))
    return svg.drawing(width, bottom + 46, children, label)


def _pairs(rows: Sequence[FigureRow], scale: AxisScale, heights: Sequence[float]) -> list[Markup]:
    lines = []
    seeds = max((len(row.dots) for row in rows), default=0)
    for seed in range(seeds if seeds > 1 else 0):
        points = [
            (scale(row.dots[seed]), y)
            for row, y in zip(rows, heights, strict=True)
            if seed < len(row.dots) and math.isfinite(row.dots[seed])
        ]
        if len(points) > 1:
            lines.append(svg.path(points, "pair"))
    return lines


def _dots(row: FigureRow, scale: AxisScale, y: float) -> list[Markup]:
    class_ = f"dot {svg.series(row.colour)}"
    single = [
        svg.tag("circle", cx=scale(value), cy=y, r=3.5, class_=class_)
        for value in row.dots
        if math.isfinite(value)
    ]
    return [*single, *_interval(row, scale, y)]


def _interval(row: FigureRow, scale: AxisScale, y: float) -> list[Markup]:
    mean = [svg.mark(scale(row.value), y, row.colour, 5.5)] if math.isfinite(row.value) else []
    return [*_whisker(row, scale, y), *mean]


def _bar(row: FigureRow, scale: AxisScale, y: float) -> list[Markup]:
    if not math.isfinite(row.value):
        return []
    start, end = sorted((scale(0.0), scale(row.value)))
    long = max(end - start, 1.0)
    class_ = f"bar {svg.series(row.colour)}"
    bar = svg.tag("rect", x=start, y=y - 8, width=long, height=16, class_=class_)
    return [bar, *_whisker(row, scale, y)]


def _whisker(row: FigureRow, scale: AxisScale, y: float) -> list[Markup]:
    if row.low is None or row.high is None or not math.isfinite(row.high - row.low):
        return []
    low, high = scale(row.low), scale(row.high)
    lines = [(low, y, high, y), (low, y - 5, low, y + 5), (high, y - 5, high, y + 5)]
    return [svg.line(*ends, f"whisker {svg.series(row.colour)}") for ends in lines]
