"""What a policy draws, as a figure: a line an operation, with its share and its magnitudes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from automorph.report import formatting, svg
from automorph.report.page import Figure, figure
from automorph.report.svg import AxisScale

MOST = 24
"""Most operations in a figure; the others are counted."""
_TALL = 20.0
"""Pixels of the highest bar of a histogram."""


@dataclass(frozen=True)
class Line:
    """An operation: the share of examples that get it, shares of its magnitudes, their values."""

    name: str
    share: float
    magnitudes: Sequence[float]
    values: str


def usage_figure(found: Sequence[Mapping[str, Any]], name: str) -> Figure | None:
    """The figure of a policy's usage (``operation``, ``share``, ``magnitudes``, ``values``)."""
    lines = [
        Line(one["operation"], one["share"], one["magnitudes"], one["values"])
        for one in found
        if one["share"] > 0
    ]
    if not lines:
        return None
    lines.sort(key=lambda line: -line.share)
    more = len(lines) - MOST
    spoken = "; ".join(f"{line.name} {formatting.percent(line.share, 0)}" for line in lines[:MOST])
    caption = (
        "How often an example gets each operation, and beside it how strong it is then, from "
        "magnitude 0 at the left to 1 at the right."
    )
    if more > 0:
        caption += f" {formatting.plural(more, 'operation')} that come less often are not shown."
    return figure(
        draws, lines[:MOST], axis="Examples that get it", caption=caption,
        label=f"Share of examples that get each operation of {name}: {spoken}.",
    )  # fmt: skip


def draws(lines: Sequence[Line], *, width: int, axis: str, label: str = "") -> Markup:
    """A bar and a histogram for each operation."""
    wide = svg.is_wide(width)
    step = 32.0 if wide else 56.0
    names = 170.0 if wide else 0.0
    share = AxisScale(0, 1, names, names + (0.32 if wide else 0.5) * width)
    start = share.end + (76.0 if wide else 20.0)
    strength = AxisScale(0, 1, start, start + (0.2 if wide else 0.36) * width)
    children = [svg.text(share.start, 14, axis, "axis"), svg.text(start, 14, "Magnitude", "axis")]
    for place, line in enumerate(lines):
        top = 22 + place * step
        base = top + step - 5
        name = svg.shorten(line.name, (names if wide else 0.7 * width) - 12)
        percent, beside = formatting.percent(line.share, 0), base - 5
        children.append(svg.text(0, beside if wide else top + 18, name, "name"))
        # A bar of one colour: the line says what it is.
        children.append(_block(share.start, share(line.share), base - 16, 16))
        number = (share(line.share) + 8, beside, None) if wide else (width, top + 18, "end")
        children.append(svg.text(number[0], number[1], percent, "number", number[2]))
        if line.magnitudes:
            children += _histogram(line.magnitudes, strength, base)
        if wide:
            children.append(svg.text(strength.end + 16, beside, line.values, "tick"))
    return svg.drawing(width, 22 + step * len(lines) + 6, children, label)


def _histogram(shares: Sequence[float], scale: AxisScale, base: float) -> list[Markup]:
    highest = max(shares) or 1.0
    wide = (scale.end - scale.start) / len(shares)
    columns = [
        _block(scale.start + n * wide, scale.start + (n + 1) * wide - 1, base - high, high)
        for n, share in enumerate(shares)
        if (high := _TALL * share / highest) > 0
    ]
    return [svg.line(scale.start, base, scale.end, base, "grid"), *columns]


def _block(start: float, end: float, top: float, high: float) -> Markup:
    return svg.tag(
        "rect", x=start, y=top, width=max(1.0, end - start), height=high, class_="bar s1"
    )
