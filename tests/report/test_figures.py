"""Figures: their content, for any numbers."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from automorph.report import svg
from automorph.report.curves import TOGETHER, Curve, curves
from automorph.report.figures import FigureRow, bars, colours, differences, dots

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script>&\"'"


def parsed(drawing: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing))


def said(drawing: Markup) -> list[str]:
    return [element.text or "" for element in parsed(drawing).iter(f"{SVG}text")]


def shapes(drawing: Markup, name: str, class_: str) -> list[ElementTree.Element]:
    found = parsed(drawing).iter(f"{SVG}{name}")
    return [element for element in found if class_ in element.get("class", "").split()]


ROWS = [
    FigureRow("none", 95.0, 94.5, 95.5, [94.0, 95.0, 96.0], 0, "95.00%"),
    FigureRow("trivialaugment", 97.0, 96.5, 97.5, [96.0, 97.0, 98.0], 1, "97.00%"),
]


@pytest.mark.parametrize("draw", [dots, differences, bars])
@pytest.mark.parametrize("width", [svg.WIDE, svg.NARROW])
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [FigureRow("alone", 95.0)],
        [FigureRow("flat", 0.0), FigureRow("flat too", 0.0)],
        [
            FigureRow("lost", float("nan"), words="–"),
            FigureRow("kept", 1.0, float("nan"), float("nan")),
        ],
        [FigureRow(NASTY, 95.0, 94.0, 96.0, [94.0, float("inf")], 3, NASTY)],
        [FigureRow("long name " * 40, -3.0, colour=number) for number in range(25)],
    ],
    ids=["none", "one", "equal", "not a number", "nasty", "many and long"],
)
def test_row_charts_draw_whatever_they_get(
    draw: Callable[..., Markup], width: int, rows: list[FigureRow]
) -> None:
    drawing = draw(rows, width=width, axis="Accuracy, %", label=NASTY)
    root = parsed(drawing)
    assert root.get("aria-label") == NASTY
    assert root.get("role") == "img"
    assert "nan" not in str(drawing)
    assert "inf" not in str(drawing)
    assert not list(root.iter(f"{SVG}script"))


def test_dots_show_every_seed_and_join_pairs() -> None:
    drawing = dots(ROWS, width=svg.WIDE, axis="Accuracy, %")
    assert len(shapes(drawing, "circle", "dot")) == 6
    assert len(shapes(drawing, "path", "pair")) == 3
    assert {"none", "trivialaugment", "95.00%", "97.00%", "Accuracy, %"} <= set(said(drawing))


def test_one_seed_has_no_pairs_and_no_interval() -> None:
    drawing = dots(
        [FigureRow("a", 95.0, dots=[95.0]), FigureRow("b", 96.0, dots=[96.0], colour=1)],
        width=svg.WIDE,
        axis="",
    )
    assert not shapes(drawing, "path", "pair")
    assert not shapes(drawing, "line", "whisker")


def test_means_stand_in_order_from_left_to_right() -> None:
    places = [float(mark.get("x1", "")) for mark in shapes(
        differences(ROWS, width=svg.WIDE, axis=""), "line", "whisker"
    )[::3]]  # fmt: skip
    assert places == sorted(places)


def test_differences_have_a_line_at_zero() -> None:
    assert len(shapes(differences(ROWS, width=svg.WIDE, axis=""), "line", "zero")) == 1


def test_bars_go_left_when_negative() -> None:
    drawing = bars([FigureRow("down", -2.0), FigureRow("up", 1.0)], width=svg.WIDE, axis="")
    zero = float(shapes(drawing, "line", "zero")[0].get("x1", ""))
    down, up = shapes(drawing, "rect", "bar")
    left, wide = float(down.get("x", "")), float(down.get("width", ""))
    assert left + wide == pytest.approx(zero, abs=0.2)
    assert float(up.get("x", "")) == pytest.approx(zero, abs=0.2)
    assert wide == pytest.approx(2 * float(up.get("width", "")), abs=0.3)


def test_a_few_curves_share_a_frame() -> None:
    values = np.linspace(0, 1, 20) + np.array([[0.0], [0.1], [0.2]])
    series = [Curve(f"policy {n}", range(20), values + n, n) for n in range(TOGETHER)]
    drawing = curves(series, width=svg.WIDE, axis="Loss")
    assert len(shapes(drawing, "path", "curve")) == TOGETHER
    assert len(shapes(drawing, "path", "band")) == TOGETHER
    assert {curve.label for curve in series} <= set(said(drawing))


def test_many_curves_get_a_frame_each_and_stay_small() -> None:
    values = np.random.default_rng(0).random((3, 500))
    series = [Curve(f"policy {n}", range(500), values, n) for n in range(10)]
    drawing = curves(series, width=svg.WIDE, axis="Loss")
    assert len(list(parsed(drawing).iter(f"{SVG}use"))) == 10
    assert {curve.label for curve in series} <= set(said(drawing))
    assert len(drawing) < 120_000


def test_one_seed_has_no_band_and_one_epoch_is_a_mark() -> None:
    single = curves([Curve("a", [1, 2, 3], [[3.0, 2.0, 1.0]])], width=svg.WIDE, axis="")
    assert not shapes(single, "path", "band")
    point = curves([Curve("a", [1], [[3.0], [2.0]])], width=svg.NARROW, axis="")
    assert len(shapes(point, "circle", "mark")) == 1


@pytest.mark.parametrize(
    "values",
    [
        [[float("nan"), 2.0, float("inf")], [1.0, float("nan"), float("nan")]],
        [[float("nan")] * 3],
        [[2.0, 2.0, 2.0]],
        [[1.0, 2.0]],
    ],
    ids=["holes", "nothing", "constant", "short"],
)
def test_curves_draw_whatever_they_get(values: list[list[float]]) -> None:
    drawing = curves([Curve(NASTY, [1, 2, 3], values)], width=svg.WIDE, axis=NASTY)
    assert "nan" not in str(drawing)
    assert not list(parsed(drawing).iter(f"{SVG}script"))


def test_the_last_epoch_is_never_thinned_away() -> None:
    places, values = Curve("a", range(1, 1001), [range(1000)]).arrays
    assert places[-1] == 1000
    assert values[0, -1] == 999
    assert len(places) <= 121


def test_colours_keep_the_ends_for_baseline_and_winner() -> None:
    names = [f"policy {n}" for n in range(6)]
    given = colours(names, baseline="policy 4", winner="policy 2")
    assert (given["policy 4"], given["policy 2"]) == (0, 1)
    assert sorted(given.values()) == list(range(6))
    assert colours(["a"], baseline="a", winner="a") == {"a": 0}
    assert colours(["a"], baseline=None, winner=None) == {"a": 2}


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 88.0), (95.01, 95.02), (0.0, 1e6)])
def test_ticks_lie_inside_and_are_even(low: float, high: float) -> None:
    places = svg.ticks(low, high, 6)
    assert 2 <= len(places) <= 7
    assert low <= places[0] <= places[-1] <= high
    assert np.allclose(np.diff(places), places[1] - places[0])
    assert len(set(svg.tick_words(places))) == len(places)


def test_an_axis_in_percent_ends_at_100() -> None:
    series = [Curve("one", range(4), [[60.0, 90.0, 99.0, 100.0]])]

    def above(axis: str) -> float:
        """How far the last point is below the top of its frame."""
        frame = parsed(curves(series, width=svg.NARROW, axis=axis)).find(f".//{SVG}svg")
        points = next(frame.iter(f"{SVG}path")).get("d").replace(",", " ").split()
        return float(points[-1]) - float(frame.get("y"))

    assert above("Accuracy, %") == 0
    assert above("Loss") > 5
