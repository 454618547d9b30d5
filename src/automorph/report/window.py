"""How images of more than 8 bits were mapped to 8: a section with a histogram of their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from automorph.report import formatting, svg
from automorph.report.page import Definitions, Figure, Page, Section
from automorph.report.svg import AxisScale

_HEIGHT = 130.0


def with_window(page_of: Callable[[Any], Page]) -> Callable[[Any], Page]:
    """Return a page function that adds the section if the data had images of more than 8 bits."""

    def page(content: Mapping[str, Any]) -> Page:
        made = page_of(content)
        window = (content.get("provenance") or {}).get("window")
        return made if window is None else replace(made, sections=[*made.sections, section(window)])

    return page


def section(window: Mapping[str, Any]) -> Section:
    """Make the section from the record of a window (``automorph.data.Dataset.window``)."""
    low, high = window["low"], window["high"]
    clipped = window["below"] + window["above"]
    own = low is None
    facts = {
        "Black": "as each file states" if own else f"{low:,.6g} and below",
        "White": "as each file states" if own else f"{high:,.6g} and above",
        "Chosen by": window["how"],
        "Images": f"{formatting.count(window['images'])} with more than 8 bits",
    }
    if not own:
        facts["Clipped"] = (
            f"{formatting.percent(window['below'])} of the values below, "
            f"{formatting.percent(window['above'])} above"
        )
    shared = "so the values of these images were mapped to 8 bits, all with the same window."
    single = "so each image was mapped to 8 bits by the window in its file."
    text = [f"A network sees 256 levels, {single if own else shared}"]
    if clipped > _MUCH:
        text.append(f"{formatting.percent(clipped)} of the values lie outside and are clipped.")
    return Section("Mapping to 8 bits", [_histogram(window), Definitions(facts)], text)


_MUCH = 0.05


def _histogram(window: Mapping[str, Any]) -> Figure:
    label = f"Histogram of values from {window['start']:,.6g} to {window['end']:,.6g}" + (
        ""
        if window["low"] is None
        else f"; black {window['low']:,.6g}, white {window['high']:,.6g}"
    )
    wide, narrow = (_draw(window, width, label) for width in (svg.WIDE, svg.NARROW))
    images = formatting.plural(window["sampled"], "training image")
    caption = f"Values of {images}; the heights are logarithms of counts."
    if window["low"] is not None:
        caption += " Values outside the two lines are clipped; those far outside are not drawn."
    return Figure(wide, narrow, caption)


def _draw(window: Mapping[str, Any], width: int, label: str) -> Markup:
    counts: Sequence[int] = window["counts"]
    start, end = window["start"], window["end"]
    room = (end - start) * 0.03
    scale = AxisScale(start - room, end + room, 10.0, width - 10.0)
    top, bottom = 26.0, 26.0 + _HEIGHT
    children: list[Markup] = []
    places = svg.ticks(start, end, 8 if svg.is_wide(width) else 4)
    for place, words in zip(places, svg.tick_words(places), strict=True):
        children.append(svg.line(scale(place), top, scale(place), bottom, "grid"))
        children.append(svg.text(scale(place), bottom + 18, words, "tick", "middle"))
    most = math.log1p(max(counts, default=0)) or 1.0
    step = (end - start) / len(counts)
    for number, count in enumerate(counts):
        left, right = (scale(start + step * place) for place in (number, number + 1))
        height = _HEIGHT * math.log1p(count) / most
        middle = start + step * (number + 0.5)
        outside = window["low"] is not None and not window["low"] <= middle <= window["high"]
        rect = {"x": left, "y": bottom - height, "width": max(0.5, right - left - 0.6)}
        class_ = f"bar {svg.series(0 if outside else 1)}"
        children.append(svg.tag("rect", **rect, height=height, class_=class_))
    for value, words in ((window["low"], "black"), (window["high"], "white")):
        if value is not None:
            x = min(max(scale(value), 10.0), width - 10.0)
            children.append(svg.line(x, top - 6, x, bottom, "zero"))
            anchor = "start" if x < width * 0.15 else "end" if x > width * 0.85 else "middle"
            children.append(svg.text(x, top - 11, words, "tick", anchor))
    children.append(svg.text(width / 2, bottom + 40, "value in the file", "axis", "middle"))
    return svg.drawing(width, bottom + 46, children, label)
