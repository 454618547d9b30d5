"""Draw the figures of theory_figures.py: one SVG file per figure, and one page with all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from automorph.experiments import paired_difference
from automorph.files import atomic_write
from automorph.report import svg
from automorph.report.curves import Curve, curves
from automorph.report.figures import FigureRow, differences, dots
from automorph.report.page import Figure, Page, Section, write_report
from cells import WORK

FOLDER = Path(__file__).parent.parent / "docs" / "guides" / "figures"
STYLE = """
svg{background:#fff;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
text{fill:#15181d}.tick,.axis{font-size:12px;fill:#586171}.name,.number{font-size:13px}
.name{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.number{font-weight:600}.grid{stroke:#dfe3e8}.zero{stroke:#586171;stroke-width:1.5}
.pair,.ghost{fill:none;stroke:#586171;opacity:.36}.mark,.bar{fill:var(--c)}
.mark{stroke:#fff;stroke-width:1.2}.dot{fill:var(--c);opacity:.5}
.whisker{stroke:var(--c);stroke-width:2}.band{fill:var(--c);opacity:.16}
.curve{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round}
.dash2{stroke-dasharray:7 5}.dash3{stroke-dasharray:1.5 5}.dash0{stroke-dasharray:12 5 2 5}
.curve.s0{stroke-dasharray:none}
.s0{--c:#737b8a}.s1{--c:#0b5fc0}.s2{--c:#cf284b}.s3{--c:#c37f00}.s4{--c:#663072}.s5{--c:#194f1b}
"""


def scatter(
    points: Sequence[tuple[str, Any, Any]], *, width: int, axis: str, across: str, label: str
) -> Markup:
    """Named points, each with one dot per seed and their mean; lines at zero."""
    wide = svg.is_wide(width)
    left, right, top, bottom = 52.0, width - 16.0, 30.0, 330.0 if wide else 260.0
    xs, ys = (np.concatenate([np.ravel(p[i]) for p in points]) for i in (1, 2))
    x = svg.AxisScale(*svg.span(xs.tolist(), zero=True), left, right)
    y = svg.AxisScale(*svg.span(ys.tolist(), zero=True), bottom, top)
    children = [svg.text(0, 14, axis, "axis")]
    places = svg.ticks(y.low, y.high, 6)
    for place, words in zip(places, svg.tick_words(places, sign=True), strict=True):
        line = "zero" if place == 0 else "grid"
        children += [svg.line(left, y(place), right, y(place), line),
                     svg.text(left - 8, y(place) + 4, words, "tick", "end")]  # fmt: skip
    places = svg.ticks(x.low, x.high, 7 if wide else 4)
    for place, words in zip(places, svg.tick_words(places, sign=True), strict=True):
        line = "zero" if place == 0 else "grid"
        children += [svg.line(x(place), top, x(place), bottom, line),
                     svg.text(x(place), bottom + 18, words, "tick", "middle")]  # fmt: skip
    children.append(svg.text((left + right) / 2, bottom + 38, across, "axis", "middle"))
    for number, (_, across_values, values) in enumerate(points):
        colour = svg.series(1 + number % 5)
        for a, b in zip(across_values, values, strict=True):
            children.append(svg.tag("circle", cx=x(a), cy=y(b), r=3.0, class_=f"dot {colour}"))
    means = [(x(float(np.mean(a))), y(float(np.mean(b)))) for _, a, b in points]
    taken = [(a - 6, a + 6, b + 4) for a, b in means]

    def free(box: tuple[float, float, float]) -> bool:
        """Whether a label between two positions at a height overlaps no other and stays inside."""
        low, high, height = box
        apart = all(high < a or b < low or abs(height - h) > 14 for a, b, h in taken)
        return apart and low > left and high < right

    for number in sorted(range(len(points)), key=lambda number: means[number][1]):
        name, (a, b) = points[number][0], means[number]
        children.append(svg.mark(a, b, 1 + number % 5, 5.5))
        long = 7.5 * len(name)
        tried = [(a + side, a + side + long, b + 4 + down) for down in (0, 16, -16, 32)
                 for side in (10, -10 - long)]  # fmt: skip
        box = next(filter(free, tried), tried[0])
        taken.append(box)
        children.append(svg.text(box[0], box[2], name, "name", "start"))
    return svg.drawing(width, bottom + 44, children, label)


@dataclass
class Album:
    """The figures drawn so far: one file and one section of the page each."""

    sections: list[Section] = field(default_factory=list)

    def show(
        self, name: str, title: str, expected: str, draw: Callable[..., Markup], given: Any,
        **words: str,
    ) -> None:  # fmt: skip
        """Draw in both widths; ``words`` are the axis labels."""
        wide, narrow = (
            draw(given, width=w, label=f"{title}. Expected: {expected}", **words)
            for w in (svg.WIDE, svg.NARROW)
        )
        FOLDER.mkdir(parents=True, exist_ok=True)
        styled = re.sub("(<svg[^>]*>)", rf"\1<style>{STYLE}</style>", str(wide), count=1)
        with atomic_write(FOLDER / f"{name}.svg") as draft:
            draft.write_text(styled + "\n", encoding="utf-8")
        expectation = f"Expected: {expected}"
        self.sections.append(Section(title, [Figure(wide, narrow, expectation)]))


def draw_approximations(album: Album, runs: dict[str, list[Any]]) -> None:
    """Objectives, agreement and divergence during training."""
    below = "first order lies below the exact objective (zero), second order close to zero."
    best = "second order nearest to the exact model, then first order, then no augmentation."
    words = {"original": ("no augmentation", 0), "first": ("first order", 2),
             "second": ("second order", 1)}  # fmt: skip

    def lines(histories: list[Any], pick: Callable[[Any, str], float]) -> list[Curve]:
        places = np.arange(1, len(histories[0]) + 1)
        return [
            Curve(title, places, [[pick(epoch, order) for epoch in h] for h in histories], colour)
            for order, (title, colour) in words.items()
        ]

    def gap(epoch: Any, order: str) -> float:
        return epoch["objectives"][order] - epoch["objectives"]["exact"]

    def agreement(epoch: Any, order: str) -> float:
        return 100 * epoch[order]["agreement"]

    def divergence(epoch: Any, order: str) -> float:
        return float(np.log10(max(epoch[order]["divergence"], 1e-12)))

    for name, histories in runs.items():
        short = re.sub("[^a-z]+", "-", name.lower())
        album.show(f"objectives-{short}", f"Objectives: {name}", below, curves,
                   lines(histories, gap), axis="objective less the exact one (nats)")  # fmt: skip
        album.show(f"agreement-{short}", f"Agreement: {name}", best, curves,
                   lines(histories, agreement),
                   axis="same prediction as the exact model (%)")  # fmt: skip
        album.show(f"divergence-{short}", f"Divergence: {name}", best, curves,
                   lines(histories, divergence), axis="log10 of KL(exact || model)")  # fmt: skip


def draw_alignment(album: Album, kernel: list[Any], names: Sequence[str]) -> None:
    """Alignment of each operation against its change of accuracy."""
    for kind in ("centred", "uncentred"):
        points = [(n, [cell[n][kind] for cell in kernel],
                   [100 * (cell[n]["accuracy"] - cell["base"]) for cell in kernel])
                  for n in names]  # fmt: skip
        album.show(f"alignment-{kind}", f"Alignment ({kind}) and accuracy",
                   "operations to the right of zero help, flips lie to the left and hurt.",
                   scatter, points, axis="change of test accuracy (points)",
                   across=f"gain of {kind} kernel alignment")  # fmt: skip


def draw_layers(album: Album, rows: dict[str, Any]) -> None:
    """Accuracy of averaging at each layer, and its cost."""
    titles = {"original": "no augmentation", "exact": "every copy", "first": "at layer 4"}
    drawn = []
    for arm in ("original", "layer 0", "layer 1", "layer 2", "layer 3", "first", "exact"):
        row, values = rows[arm], [100 * value for value in rows[arm]["accuracy"]]
        work = "" if row["work"] is None else f": {100 * row['work']:.0f} % of the work"
        title = titles.get(arm, f"at {arm}") + work
        drawn.append(FigureRow(title, float(np.mean(values)), dots=values,
                         words=f"{np.mean(values):.1f}"))  # fmt: skip
    album.show("layers", "Averaging at a layer: LeNet, rotation",
               "the deeper the layer, the more of the gain is kept, and the more work it is.",
               dots, drawn, axis="test accuracy (%)")  # fmt: skip


def draw_linear(album: Album, linear: list[Any], counts: Sequence[int]) -> None:
    """The simulations of the linear setting."""
    settings = {"0.1,1": "noise 0.1, L = 1", "0.1,4": "noise 0.1, L = 4",
                "0.5,1": "noise 0.5, L = 1", "0.5,4": "noise 0.5, L = 4"}  # fmt: skip
    # Fewer than ten points are drawn in full; with more, the frame crops a steep start.
    few = [0, 2, 4, 6, 8, 10, 12, 15, 17]
    places = np.array(counts)[few]
    held = {
        key: np.concatenate([np.array(cell["points"][key]) for cell in linear]).mean(0)[few]
        for key in settings
    }
    chosen = {
        name: np.concatenate([np.array(cell["greedy"][name]) for cell in linear]).mean(0)[few]
        for name in ("best first", "random order")
    }
    album.show("points", "Adding label-keeping points",
               "a steady fall where noise is small; with noise and a small penalty a peak where "
               "the points just fill the space; a larger penalty flattens it.", curves,
               [Curve(title, places, held[key].sum(1), colour)
                for colour, (key, title) in enumerate(settings.items(), 1)],
               axis="expected squared error", across="points added")  # fmt: skip
    noisy = held["0.5,1"]
    album.show("bias-variance", "Where the peak comes from (noise 0.5, penalty 1)",
               "new directions lower the bias; the noise that copies carry raises the variance.",
               curves, [Curve("bias (squared)", places, noisy[:, 0], 1),
                        Curve("variance", places, noisy[:, 1], 2)],
               axis="part of the error", across="points added")  # fmt: skip

    def against(what: str, base: str, title: str, colour: int) -> FigureRow:
        change = [
            (np.array(cell["kinds"][what]) - np.array(cell["kinds"][base])).sum(1).mean()
            for cell in linear
        ]
        d = paired_difference(change, [0.0] * len(change))
        return FigureRow(title, d.mean, d.low, d.high, colour=colour, words=f"{d.mean:+.3f}")

    album.show("kinds", "Kinds of augmentation: change of the error",
               "composed operations lower the error beyond one operation; labels that change "
               "raise it; mixup lowers it a little where noise is large.", differences, [
                   against("one operation, 40 points", "nothing", "one operation", 1),
                   against("and 40 composed", "nothing", "and composed with another", 1),
                   against("label changed, 40", "nothing", "label changed", 2),
                   against("centred, noisy: mixup 400", "centred, noisy: nothing",
                           "mixup, noisy", 3),
               ], axis="change of expected squared error")  # fmt: skip
    album.show("greedy", "Which points first (noise 0.3, penalty 1)",
               "a few well chosen points do more than many at random.", curves,
               [Curve(name, places, values, colour)
                for colour, (name, values) in enumerate(chosen.items(), 1)],
               axis="expected squared error", across="points added (at most)")  # fmt: skip


def draw_chain(
    album: Album, chain: list[Any], strengths: Sequence[float], draws: Sequence[int]
) -> None:
    """The kernel classifier of glyphs, and neighbours that converge to it."""

    def percent(key: str) -> list[Any]:
        return [100 * np.array(cell[key]) for cell in chain]

    album.show("strength", "How many operations to compose: glyphs",
               "with finitely many draws accuracy rises with the strength, then falls; the kernel "
               "itself falls once classes mix.", curves,
               [Curve("kernel (Bayes)", np.log10(strengths), percent("accuracy"), 1),
                Curve("1,000 draws", np.log10(strengths), percent("neighbours"), 2)],
               axis="accuracy on unseen glyphs (%)",
               across="log10 of the mean number of operations")  # fmt: skip
    album.show("neighbours", "Neighbours among augmented examples become the kernel classifier",
               "disagreement falls towards 0 as draws grow.", curves,
               [Curve("disagreement", np.log10(draws), percent("disagreement"), 1)],
               axis="predictions that differ from the kernel's (%)",
               across="log10 of the number of draws")  # fmt: skip


def draw_evidence(album: Album, evidence: list[Any], ranges: Sequence[float]) -> None:
    """The marginal likelihood of rotation ranges."""
    gains = []
    for colour, name in enumerate(evidence[0], 1):
        values = [np.array(cell[name]) - cell[name][0] for cell in evidence]
        gains.append(Curve(name.split(" by")[0] + " digits", ranges, values, colour))
    album.show("evidence", "How far to rotate, from training digits alone",
               "digits turned by up to 45 degrees ask for a wider range than upright ones.",
               curves, gains,
               axis="log marginal likelihood an example, less that of no rotation (nats)",
               across="range of rotation (degrees, both ways)")  # fmt: skip


def draw_page(album: Album) -> Path:
    """One page with all figures."""
    page = Page(title="The theories' figures", lead="Measured again, beside what is expected.",
                sections=album.sections)  # fmt: skip
    return write_report(WORK / "theory-figures.html", page)
