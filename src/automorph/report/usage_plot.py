"""A figure of the operations a policy draws, with their shares and magnitudes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from automorph.report import formatting, svg
from automorph.report.page import Figure, figure
from automorph.report.svg import AxisScale

MOST = 24
"""Maximum number of operations in a figure."""
_TALL = 20.0
"""Height in pixels of the highest bar of a histogram."""


@dataclass(frozen=True)
class Line:
    """An operation: its share of examples, the histogram of its magnitudes, their values."""

    name: str
    share: float
    magnitudes: Sequence[float]
    values: str


def usage_figure(usage: Sequence[Mapping[str, Any]], name: str) -> Figure | None:
    """Draw a policy's usage (``operation``, ``share``, ``magnitudes``, ``values``)."""
    lines = [
        Line(one["operation"], one["share"], one["magnitudes"], one["values"])
        for one in usage
        if one["share"] > 0
    ]
    if not lines:
        return None
    lines.sort(key=lambda line: -line.share)
    more = len(lines) - MOST
    spoken = "; ".join(f"{line.name} {formatting.percent(line.share, 0)}" for line in lines[:MOST])
    caption = (
        "Fraction of examples transformed by each operation, and the distribution of its "
        "magnitude from 0 (left) to 1 (right)."
    )
    if more > 0:
        caption += f" {formatting.plural(more, 'less frequent operation')} not shown."
    return figure(
        draws, lines[:MOST], axis="Share of examples", caption=caption,
        label=f"Fraction of examples transformed by each operation of {name}: {spoken}.",
    )  # fmt: skip


def draws(lines: Sequence[Line], *, width: int, axis: str, label: str = "") -> Markup:
    """Draw a bar and a histogram for each operation."""
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
        # All bars have one colour: the row names the operation.
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
