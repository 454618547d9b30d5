"""Draw curves over epochs, trials or cost as SVG, with a band over the seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from automorph.report import svg
from automorph.report.svg import AxisScale

TOGETHER = 4
"""Maximum number of curves in one frame; beyond it, each curve gets its own frame."""
DETAIL = 120
"""Maximum number of points drawn of one curve."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One policy's curve: places ``(T,)`` and values ``(seeds, T)``; NaN where missing."""

    label: str
    places: ArrayLike
    values: ArrayLike
    colour: int = 0

    @cached_property
    def arrays(self) -> tuple[Floats, Floats]:
        """Places and values, thinned to the visible detail (keeping the last), without gaps."""
        values = np.atleast_2d(np.array(self.values, dtype=np.float64))
        values[~np.isfinite(values)] = np.nan
        places = np.array(self.places, dtype=np.float64).ravel()
        length = min(len(places), values.shape[1])
        keep = np.arange(length)[:: -max(1, -(-length // DETAIL))][::-1]
        keep = keep[~np.isnan(values[:, keep]).all(axis=0)]
        return places[keep], values[:, keep]

    @cached_property
    def mean(self) -> Floats:
        """The mean over the seeds at each place."""
        return np.asarray(np.nanmean(self.arrays[1], axis=0))


def curves(
    series: Sequence[Curve], *, width: int, axis: str, across: str = "epoch", label: str = ""
) -> Markup:
    """Draw means over seeds with a band from the lowest to the highest seed.

    The vertical range fits the values after the first fifth of the horizontal range, where curves
    are close together; the steep start may be cut off.

    Up to four curves share one frame; more get one frame each, with the others in grey behind.
    An axis in percent ends at 100.
    """
    drawn = [curve for curve in series if len(curve.arrays[0])]
    if len(drawn) > TOGETHER:
        return _frames(drawn, width=width, axis=axis, across=across, label=label)
    wide = svg.is_wide(width)
    named = wide and len(drawn) > 1
    bottom = 310.0 if wide else 240.0
    highest = _highest(axis)
    frame = _Frame(drawn, 46.0, 32.0, width - (170.0 if named else 12.0), bottom, highest)
    children = [svg.text(0, 14, axis, "axis"), *frame.grid(6 if wide else 4)]
    middle = (frame.left + frame.right) / 2
    children.append(svg.text(middle, bottom + 38, across, "axis", "middle"))
    shapes = [frame.band(curve) for curve in drawn] + [
        frame.mean(curve, f"curve dash{curve.colour % 4}") for curve in drawn
    ]
    children.append(frame.inside(shapes))
    children += frame.names(drawn) if named else []
    return svg.drawing(width, bottom + 44, children, label)


def _frames(drawn: Sequence[Curve], *, width: int, axis: str, across: str, label: str) -> Markup:
    columns = 3 if svg.is_wide(width) else 2
    between = 28.0 if columns == 3 else 12.0
    each = (width - between * (columns - 1)) / columns
    frame = _Frame(drawn, 34.0, 34.0, each, 34.0 + 0.68 * each, _highest(axis))
    # Drawn once and reused in every frame, to keep pages with many policies small.
    grid = frame.grid(5 if columns == 3 else 3)
    others = frame.inside([frame.mean(curve, "ghost") for curve in drawn])
    ghosts = Markup("").join([*grid, others])
    name = f"behind-{crc32(ghosts.encode()):08x}-{width}"
    behind = svg.tag("defs", svg.tag("g", ghosts, id=name))
    children = [behind, svg.text(0, 14, f"{axis}, against {across}", "axis")]
    step = frame.bottom + 34
    for place, curve in enumerate(drawn):
        left, top = (place % columns) * (each + between), 24 + (place // columns) * step
        inside = [
            svg.tag("use", href=f"#{name}"),
            svg.mark(6, 16, curve.colour, 4.5),
            svg.text(18, 20.5, svg.shorten(curve.label, each - 22), "name"),
            frame.inside([frame.band(curve), frame.mean(curve)]),
        ]
        children.append(svg.tag("g", *inside, transform=f"translate({left:.1f} {top:.1f})"))
    return svg.drawing(width, 24 + -(-len(drawn) // columns) * step, children, label)


@dataclass(frozen=True)
class _Frame:
    """A rectangle with two scales that fit all curves."""

    everyone: Sequence[Curve]
    left: float
    top: float
    right: float
    bottom: float
    highest: float
    """Where the vertical axis ends at the latest."""

    @cached_property
    def x(self) -> AxisScale:
        places = [float(place) for curve in self.everyone for place in curve.arrays[0]]
        room = 0.0 if len(set(places)) > 1 else 0.5
        return AxisScale(*svg.span(places, room=room), self.left, self.right)

    @cached_property
    def y(self) -> AxisScale:
        start = self.x.low + 0.2 * (self.x.high - self.x.low)
        values = [
            float(value)
            for curve in self.everyone
            for value in curve.arrays[1][:, _settled(curve, start)].ravel()
        ]
        low, high = svg.span(values)
        return AxisScale(low, min(high, max(self.highest, *values, low)), self.bottom, self.top)

    def inside(self, children: Sequence[Markup]) -> Markup:
        """Clip shapes at the edge of the frame."""
        wide, high = self.right - self.left, self.bottom - self.top
        return svg.tag(
            "svg",
            *children,
            x=self.left,
            y=self.top,
            width=wide,
            height=high,
            viewBox=f"{self.left:.1f} {self.top:.1f} {wide:.1f} {high:.1f}",
        )

    def grid(self, most: int) -> list[Markup]:
        """Draw grid lines and ticks of the vertical axis, and ticks of the horizontal axis."""
        children = []
        places = svg.ticks(self.y.low, self.y.high, most)
        for place, words in zip(places, svg.tick_words(places), strict=True):
            y = self.y(place)
            children.append(svg.line(self.left, y, self.right, y, "grid"))
            children.append(svg.text(self.left - 8, y + 4, words, "tick", "end"))
        every = svg.ticks(self.x.low, self.x.high, most + 1)
        # Prefer whole numbers, as for epochs; magnitudes lie between them.
        whole = [place for place in every if place % 1 == 0]
        shown = whole if len(whole) > 1 else every
        for place, words in zip(shown, svg.tick_words(shown), strict=True):
            children.append(svg.text(self.x(place), self.bottom + 18, words, "tick", "middle"))
        return children

    def points(self, curve: Curve, values: Floats) -> list[tuple[float, float]]:
        """Return the positions of a curve's values."""
        return [(self.x(a), self.y(b)) for a, b in zip(curve.arrays[0], values, strict=True)]

    def band(self, curve: Curve) -> Markup:
        """Draw the area between the lowest and the highest seed; nothing for a single seed."""
        values = curve.arrays[1]
        if values.shape[0] < 2 or values.shape[1] < 2:
            return Markup("")
        low = self.points(curve, np.nanmin(values, axis=0))
        high = self.points(curve, np.nanmax(values, axis=0))
        return svg.path([*low, *high[::-1]], f"band {svg.series(curve.colour)}", closed=True)

    def mean(self, curve: Curve, class_: str = "curve") -> Markup:
        """Draw the mean over seeds with its name on hover; a single place becomes a mark."""
        points = self.points(curve, curve.mean)
        if class_ != "ghost":
            class_ = f"{class_} {svg.series(curve.colour)}"
        shape = svg.path(points, class_) if len(points) > 1 else svg.mark(*points[0], curve.colour)
        return svg.tag("g", svg.tag("title", curve.label), shape)

    def names(self, drawn: Sequence[Curve]) -> list[Markup]:
        """Draw the names at the ends of the curves, moved apart where they would overlap."""
        ends = sorted(drawn, key=lambda curve: self.y(curve.mean[-1]))
        heights = svg.apart([self.y(curve.mean[-1]) for curve in ends], 18, self.bottom)
        children = []
        for curve, y in zip(ends, heights, strict=True):
            children.append(svg.mark(self.right + 14, y, curve.colour, 4))
            children.append(svg.text(self.right + 24, y + 4, svg.shorten(curve.label, 144), "name"))
        return children


def _highest(axis: str) -> float:
    return 100.0 if axis.endswith("%") else math.inf


def _settled(curve: Curve, start: float) -> NDArray[np.bool_]:
    places = curve.arrays[0]
    late = places >= start
    return late if len(places) >= 10 and late.any() else np.ones(len(places), dtype=bool)
